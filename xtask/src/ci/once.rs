//! The AWS SDK is compiled once.
//!
//! `aws-sdk-ec2` costs minutes and gigabytes, and cargo compiles it again for every differing set of features among its
//! dependencies. `tidy` finds such a difference before anything is built; this step looks at what was built.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::ci::EVERYTHING;
use crate::{product, run};

const CRATE: &str = "aws_sdk_ec2";

/// Asks each way of building for the library it uses; all is compiled by now, so that cargo only answers.
pub(super) fn check(fresh: bool) -> Result<()> {
    let with_everything = |command: &'static str, rest: &[&'static str]| {
        [command].iter().chain(&EVERYTHING).chain(rest).copied().collect::<Vec<_>>()
    };
    let ways: [(&str, Vec<&str>); 3] = [
        ("build", with_everything("build", &["--all-targets"])),
        ("nextest", with_everything("test", &["--no-run"])),
        ("product", product::BUILD.to_vec()),
    ];
    let mut used = BTreeSet::new();
    for (way, args) in ways {
        let messages =
            run::stdout_of(run::cargo().args(args).args(["--quiet", "--message-format=json-render-diagnostics"]))?;
        let libraries = libraries(&messages);
        ensure!(!libraries.is_empty(), "`{way}` uses no {CRATE}: this guard looks at the wrong crate");
        for library in &libraries {
            println!("{way}: {}", name(library));
        }
        used.extend(libraries);
    }
    ensure!(
        used.len() == 1,
        "{CRATE} was compiled {} times, because the ways of building differ in features; see `cargo xtask tidy`",
        used.len()
    );
    let present = compiled(&run::target_dir()?, "rlib")?.len();
    // A compiled library brings metadata of its own; the rest is what clippy and rustdoc read.
    let checked = compiled(&run::target_dir()?, "rmeta")?.len().saturating_sub(present);
    println!("lib{CRATE}: {} in use; in the target directory {present} compiled, {checked} checked", used.len());
    ensure!(
        !fresh || (present == 1 && checked <= 1),
        "the target directory was empty at the start, and now {CRATE} is compiled {present} times and checked {checked} times"
    );
    Ok(())
}

/// Whether nothing of the crate was ever compiled here.
pub(super) fn is_fresh(target_dir: &Path) -> Result<bool> {
    Ok(compiled(target_dir, "rlib")?.is_empty() && compiled(target_dir, "rmeta")?.is_empty())
}

/// The crate's files of one kind, of this run and of earlier ones.
fn compiled(target_dir: &Path, kind: &str) -> Result<Vec<PathBuf>> {
    let folder = target_dir.join("debug/deps");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if name(&path).starts_with(&format!("lib{CRATE}-")) && path.extension().is_some_and(|end| end == kind) {
            found.push(path);
        }
    }
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The libraries of the crate in cargo's messages.
fn libraries(messages: &str) -> BTreeSet<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == CRATE)
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .filter(|file| file.extension().is_some_and(|end| end == "rlib"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_libraries_of_the_crate_count() {
        let messages = concat!(
            r#"{"target":{"name":"aws_sdk_ec2"},"filenames":["d/libaws_sdk_ec2-1.rlib","d/libaws_sdk_ec2-1.rmeta"]}"#,
            "\n",
            r#"{"target":{"name":"aws_sdk_ecs"},"filenames":["d/libaws_sdk_ecs-1.rlib"]}"#,
            "\n",
            r#"{"target":{"name":"aws_sdk_ec2"},"filenames":["d/libaws_sdk_ec2-2.rlib"]}"#,
        );
        let found: Vec<String> = libraries(messages).iter().map(|path| name(path)).collect();
        assert_eq!(found, ["libaws_sdk_ec2-1.rlib", "libaws_sdk_ec2-2.rlib"]);
    }

    #[test]
    fn libraries_are_counted_in_the_target_directory() {
        let target = std::env::temp_dir().join(format!("xtask-once-{}", std::process::id()));
        assert!(is_fresh(&target).unwrap());
        let folder = target.join("debug/deps");
        fs::create_dir_all(&folder).unwrap();
        for file in
            ["libaws_sdk_ec2-1.rlib", "libaws_sdk_ec2-1.rmeta", "libaws_sdk_ec2-2.rmeta", "libaws_sdk_ecs-1.rlib"]
        {
            fs::write(folder.join(file), "").unwrap();
        }
        assert_eq!(compiled(&target, "rlib").unwrap().len(), 1);
        assert_eq!(compiled(&target, "rmeta").unwrap().len(), 2);
        assert!(!is_fresh(&target).unwrap());
        fs::remove_dir_all(target).unwrap();
    }
}
