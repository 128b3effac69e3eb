//! A product broken on purpose: each patch of `e2e/mutants` must turn a flow red.
//!
//! A mutant lives in a tree and a target directory of its own below `target/mutants`, so nobody who builds meanwhile meets
//! it. The directory begins as hard links to what is built already: only our own crates are compiled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::build;
use crate::run;

/// A patch: its first lines say what it breaks, which flow is to notice, and what that says.
struct Mutant {
    name: String,
    path: PathBuf,
    breaks: String,
    flow: String,
    /// Words of the flow's own complaint: a flow that fails for another reason has not noticed.
    says: String,
}

impl Mutant {
    fn read(path: PathBuf) -> Result<Self> {
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let said: BTreeMap<&str, &str> =
            text.lines().take_while(|line| !line.starts_with("---")).filter_map(|line| line.split_once(": ")).collect();
        let word = |key: &str| said.get(key).map(|word| (*word).to_owned());
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let missing = |key: &str| format!("{name}.patch should begin with a line `{key}: …`");
        let [breaks, flow, says] = ["breaks", "flow", "says"].map(|key| word(key).with_context(|| missing(key)));
        Ok(Self { name: name.clone(), path, breaks: breaks?, flow: flow?, says: says? })
    }
}

fn all() -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for entry in std::fs::read_dir(run::root().join("e2e/mutants")).context("list e2e/mutants")? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "patch") {
            mutants.push(Mutant::read(path)?);
        }
    }
    mutants.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(mutants)
}

pub(super) fn run(name: &str, pictures: &[(String, String)]) -> Result<ExitCode> {
    let chosen: Vec<Mutant> = all()?.into_iter().filter(|mutant| name.is_empty() || mutant.name == name).collect();
    ensure!(!chosen.is_empty(), "no patch in e2e/mutants is called `{name}`");
    let place = run::target_dir()?.join("mutants");
    let (tree, target) = (place.join("tree"), place.join("target"));
    seed(&target)?;
    let mut survivors = Vec::new();
    for mutant in &chosen {
        plant(&tree, mutant)?;
        let binary = build(&tree, Some(&target)).with_context(|| format!("build the mutant {}", mutant.name))?;
        let mut command = Command::new(binary);
        command.args(["--emulator", "moto", "--flow", &mutant.flow]).envs(pictures.iter().cloned());
        let output = command.stdin(Stdio::null()).output().context("start the e2e binary")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let caught = output.status.code() == Some(1)
            && said.contains(&format!("FAILED: {}", mutant.flow))
            && said.contains(&mutant.says);
        if !caught {
            survivors.push(mutant.name.clone());
            println!("{said}{}", String::from_utf8_lossy(&output.stderr));
        }
        let word = if caught { "caught by" } else { "NOT CAUGHT by" };
        println!("{:<28} {word} {:<7} {}", mutant.name, mutant.flow, mutant.breaks);
    }
    println!("{} mutants, {} caught", chosen.len(), chosen.len() - survivors.len());
    if !survivors.is_empty() {
        bail!("a broken product passed: {}", survivors.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives a new target directory what is compiled already.
fn seed(target: &Path) -> Result<()> {
    if target.exists() {
        return Ok(());
    }
    let from = run::target_dir()?.join("debug");
    let to = target.join("debug");
    std::fs::create_dir_all(&to)?;
    for part in ["deps", "build", ".fingerprint"].map(|part| from.join(part)).iter().filter(|part| part.exists()) {
        run::check(Command::new("cp").args(["--archive", "--link"]).arg(part).arg(&to))?;
    }
    Ok(())
}

/// The tree as it is here, with the patch. Only files that differ are written, so that only they are compiled again.
fn plant(tree: &Path, mutant: &Mutant) -> Result<()> {
    let root = run::root();
    forget(tree, tree, &root)?;
    let mut list = Command::new("git");
    list.current_dir(&root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    for path in run::stdout_of(&mut list)?.split('\0').filter(|path| !path.is_empty()) {
        let (from, to) = (root.join(path), tree.join(path));
        // Listed, but removed.
        let Ok(bytes) = std::fs::read(&from) else { continue };
        if std::fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        std::fs::create_dir_all(to.parent().unwrap_or(tree))?;
        std::fs::write(to, bytes)?;
    }
    let mut patch = Command::new("patch");
    patch.args(["--strip=1", "--forward", "--silent", "--directory"]).arg(tree).arg("--input").arg(&mutant.path);
    run::check(&mut patch).with_context(|| format!("apply {}; the code it breaks has changed", mutant.path.display()))
}

/// Removes the files of a folder of the tree that are no more here: they would be compiled too.
fn forget(folder: &Path, tree: &Path, root: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path, tree, root)?;
        } else if !root.join(path.strip_prefix(tree)?).exists() {
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_mutants_and_each_still_applies() {
        let mutants = all().unwrap();
        assert_eq!(mutants.len(), 10);
        let docs = std::fs::read_to_string(run::root().join("docs/e2e.md")).unwrap();
        for mutant in mutants {
            let mut check = Command::new("patch");
            check.args(["--strip=1", "--forward", "--dry-run", "--silent", "--directory"]).arg(run::root());
            let output = run::quietly(check.arg("--input").arg(&mutant.path)).unwrap();
            assert!(output.status.success(), "{}: {}", mutant.name, String::from_utf8_lossy(&output.stdout));
            let line = format!("| `{}` | {} | `{}` |", mutant.name, mutant.breaks, mutant.flow);
            assert!(docs.lines().any(|there| there == line), "docs/e2e.md lacks {line}");
        }
    }
}
