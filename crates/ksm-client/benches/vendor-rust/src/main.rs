//! The process that uses the vendor's Rust SDK, unchanged. Reports the same members as `ours.rs`.

use std::time::Instant;

use keeper_secrets_manager_core::core::{ClientOptions, SecretsManager};
use keeper_secrets_manager_core::custom_error::KSMRError;
use keeper_secrets_manager_core::dto::{EncryptedPayload, KsmHttpResponse, TransmissionKey};
use keeper_secrets_manager_core::storage::InMemoryKeyValueStorage;
use keeper_secrets_manager_core::utils::bytes_to_base64;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, times, config, ca] = &arguments[..] else { panic!("MODE TIMES CONFIG CA") };
    let times: usize = times.parse().expect("a number");
    let (config, ca) = (std::fs::read_to_string(config).expect("config"), std::fs::read(ca).expect("ca"));
    let parsed: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    let port = parsed["hostname"].as_str().and_then(|host| host.split_once(':')).expect("a port").1.to_owned();
    let (mut walls, mut bytes) = (Vec::new(), 0);
    let before = cpu();
    for _ in 0..times {
        let start = Instant::now();
        bytes = once(mode, &config, &port, &ca);
        walls.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = (cpu() - before) / times as f64;
    let sum: f64 = walls.iter().sum();
    walls.sort_by(f64::total_cmp);
    let report = serde_json::json!({
        "wall_ms": walls[walls.len() / 2], "wall_sum_ms": sum, "cpu_ms": cpu, "peak_kib": peak(), "bytes": bytes,
    });
    println!("{report}");
}

/// A request as the SDK makes it, but for the port, which it takes out of a host name; and trusting one authority, as the others do.
fn post(
    port: &str,
    ca: &[u8],
) -> impl Fn(String, TransmissionKey, EncryptedPayload) -> Result<KsmHttpResponse, KSMRError> + Send + Sync + 'static {
    let authority = reqwest::Certificate::from_pem(ca).expect("a certificate");
    let client = reqwest::blocking::Client::builder().tls_certs_only([authority]).build().expect("a client");
    let origin = format!("https://127.0.0.1:{port}/");
    move |url, key, payload| {
        let failed = |error: reqwest::Error| KSMRError::HTTPError(error.to_string());
        let request = client
            .post(url.replace("https://127.0.0.1/", &origin))
            .header("Content-Type", "application/octet-stream")
            .header("PublicKeyId", &key.public_key_id)
            .header("TransmissionKey", bytes_to_base64(&key.encrypted_key))
            .header("Authorization", format!("Signature {}", bytes_to_base64(&payload.signature.to_bytes())));
        let response = request.body(payload.encrypted_payload).send().map_err(failed)?;
        let status_code = response.status().as_u16();
        Ok(KsmHttpResponse { status_code, data: response.bytes().map_err(failed)?.to_vec(), http_response: None })
    }
}

fn once(mode: &str, config: &str, port: &str, ca: &[u8]) -> usize {
    let config = InMemoryKeyValueStorage::new_config_storage(Some(config.to_owned())).expect("a configuration");
    let mut options = ClientOptions::new_client_options(config);
    options.set_custom_post_function(post(port, ca));
    let mut manager = SecretsManager::new(options).expect("a manager");
    let mut records = manager.get_secrets(Vec::new()).expect("records");
    if mode == "get" {
        return records.iter().map(|record| record.title.len()).sum();
    }
    let files = records[0].files.iter_mut();
    files.map(|file| file.get_file_data().expect("a file").map_or(0, |content| content.len())).sum()
}

/// Processor time of all threads, in milliseconds.
fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
    (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e3
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
