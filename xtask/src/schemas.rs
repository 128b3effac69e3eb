//! The committed JSON schemas: written from what the product says, and compared with it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{product, run};

/// What the product is asked, and the committed file that holds its answer.
const SCHEMAS: [(&[&str], &str); 6] = [
    (&["schema", "config"], "schemas/config.json"),
    (&["schema", "events"], "schemas/events.json"),
    (&["schema", "plan"], "schemas/plan.json"),
    (&["schema", "certificate"], "schemas/certificate.json"),
    (&["schema", "issued"], "schemas/issued.json"),
    (&["schema", "keeper"], "schemas/keeper.json"),
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail when a file is stale
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let binary = product::build()?;
    let mut stale = 0;
    for (args, file) in SCHEMAS {
        let said = run::stdout_of(product::command(&binary).args(args))?;
        let path = run::root().join(file);
        if is_fresh(&path, &said)? {
            println!("{file}: fresh");
        } else if options.check {
            println!("{file}: stale; `cargo xtask schemas` writes it");
            stale += 1;
        } else {
            write(&path, &said)?;
            println!("{file}: written");
        }
    }
    Ok(if stale == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_fresh(path: &Path, said: &str) -> Result<bool> {
    match fs::read_to_string(path) {
        Ok(committed) => Ok(committed == said),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

fn write(path: &Path, said: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    fs::write(path, said).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_stale_until_it_is_written() {
        let folder = std::env::temp_dir().join(format!("xtask-schemas-{}", std::process::id()));
        let file = folder.join("schemas/plan.json");
        assert!(!is_fresh(&file, "{}\n").unwrap());
        write(&file, "{}\n").unwrap();
        assert!(is_fresh(&file, "{}\n").unwrap());
        assert!(!is_fresh(&file, "{\"a\":1}\n").unwrap());
        fs::remove_dir_all(folder).unwrap();
    }
}
