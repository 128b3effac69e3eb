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
    let present = rlibs(&run::target_dir()?)?;
    println!("lib{CRATE}-*.rlib: {} in use, {} in the target directory", used.len(), present.len());
    ensure!(
        !fresh || present.len() == 1,
        "the target directory was empty at the start and holds {} of lib{CRATE}-*.rlib now",
        present.len()
    );
    Ok(())
}

/// The compiled libraries of the crate, of this run and of earlier ones.
pub(super) fn rlibs(target_dir: &Path) -> Result<Vec<PathBuf>> {
    let folder = target_dir.join("debug/deps");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        let name = name(&path);
        if name.starts_with(&format!("lib{CRATE}-")) && name.ends_with(".rlib") {
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
        assert!(rlibs(&target).unwrap().is_empty());
        let folder = target.join("debug/deps");
        fs::create_dir_all(&folder).unwrap();
        for file in ["libaws_sdk_ec2-1.rlib", "libaws_sdk_ec2-1.rmeta", "libaws_sdk_ecs-1.rlib"] {
            fs::write(folder.join(file), "").unwrap();
        }
        assert_eq!(rlibs(&target).unwrap().len(), 1);
        fs::remove_dir_all(target).unwrap();
    }
}
