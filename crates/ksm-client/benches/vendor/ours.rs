//! The child process that uses this crate.

use std::time::Instant;

use ksm_client::{Client, Config, Filter, Options};
use serde_json::json;

pub(crate) fn run(arguments: &[String]) {
    let [mode, times, config, ca] = arguments else { panic!("MODE TIMES CONFIG CA") };
    let times: usize = times.parse().expect("a number");
    let (config, ca) = (std::fs::read_to_string(config).expect("config"), std::fs::read(ca).expect("ca"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut walls = Vec::new();
    let mut bytes = 0;
    let before = cpu();
    for _ in 0..times {
        let start = Instant::now();
        bytes = runtime.block_on(once(mode, &config, &ca));
        walls.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = (cpu() - before) / f64::from(u32::try_from(times).expect("few"));
    let sum: f64 = walls.iter().sum();
    walls.sort_by(f64::total_cmp);
    let report = json!({
        "wall_ms": walls[walls.len() / 2], "wall_sum_ms": sum, "cpu_ms": cpu, "peak_kib": peak(), "bytes": bytes,
    });
    println!("{report}");
}

async fn once(mode: &str, config: &str, ca: &[u8]) -> usize {
    // As the SDK below `REQUESTS_CA_BUNDLE`: this authority and no other.
    let config = Config::parse(config).expect("a configuration");
    let client = Client::new(config, Options::new().authority(ca).only_private_authorities()).expect("a client");
    let secrets = client.secrets(&Filter::all()).await.expect("records");
    assert!(secrets.failed.is_empty());
    if mode == "get" {
        return secrets.records.iter().map(|record| record.content.title().len()).sum();
    }
    let record = &secrets.records[0];
    let all = futures_util::future::try_join_all(record.files.iter().map(|file| client.download(record, file)));
    all.await.expect("files").iter().map(|content| content.len()).sum()
}

/// Processor time of all threads, in milliseconds.
fn cpu() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let nanoseconds: u64 = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum();
    std::time::Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
