//! What depends on what, asked of `cargo tree`, which resolves features as a build does.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::{File, Finding};
use crate::run;

/// Crates that take bytes and give bytes: no SDK, and not the crate that carries the SDK's features.
const PURE: [&str; 4] = ["certs", "taskdef", "resource-graph", "keeper-wire"];

/// Pure crates that need no runtime either.
const WITHOUT_RUNTIME: [&str; 3] = ["certs", "taskdef", "keeper-wire"];

/// The halves of the guide, each of which knows nothing of the other, and what a release is built without.
const APART: [(&str, &[&str]); 5] = [
    ("aws-infra", &["keeper-wire", "ksm-client", "automator-admin", "keeper-infra", "keeper-fake"]),
    ("ksm-client", &[SDK, UNION, "aws-infra"]),
    ("automator-admin", &[SDK, UNION, "aws-infra"]),
    ("keeper-infra", &[SDK, UNION, "aws-infra"]),
    ("deployer", &["sandbox", "keeper-fake"]),
];

/// One TLS stack, one HTTP stack: one version of each of these.
const ONE_VERSION: [&str; 5] = ["rustls", "hyper", "h2", "aws-lc-rs", "reqwest"];

/// Second providers of what aws-lc-rs and rustls do.
const NONE_OF: [&str; 4] = ["ring", "openssl-sys", "native-tls", "aws-lc-fips-sys"];

/// Where the closure starts that must not be compiled twice.
const SDK: &str = "aws-sdk-";

/// The crate that makes every way of building want the same features.
const UNION: &str = "sdk-features";

pub(super) fn check(files: &[File]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for name in PURE {
        findings.extend(purity(name, &ask(&["-p", name, "--all-features", "-e", "normal,build,dev"])?, &[SDK, UNION]));
    }
    for name in WITHOUT_RUNTIME {
        findings.extend(purity(name, &ask(&["-p", name, "-e", "normal"])?, &["tokio"]));
    }
    let members = members(files);
    let ours: Vec<&str> = members.iter().map(String::as_str).filter(|name| *name != "xtask").collect();
    findings.extend(purity("xtask", &ask(&["-p", "xtask", "-e", "normal,build,dev"])?, &[&ours[..], &[SDK]].concat()));
    for (name, others) in APART {
        findings.extend(purity(name, &ask(&["-p", name, "-e", "normal"])?, others));
    }

    let shipped = ask(&["--workspace", "--all-features", "-e", "normal", "--target", "all"])?;
    findings.extend(one_stack(&shipped));

    let everything = ask(&["--workspace", "--all-features", "-e", "normal,build,dev"])?;
    let closure = everything.below(SDK);
    for way in ways(&members, &everything) {
        let way: Vec<&str> = way.iter().map(String::as_str).collect();
        match ask(&way) {
            Ok(tree) => findings.extend(same_features(&way.join(" "), &tree, &everything, &closure)),
            Err(error) => findings.push(Finding::new(format!("`{}`", way.join(" ")), format!("{error:#}"))),
        }
    }
    Ok(findings)
}

/// The names of the workspace's packages.
fn members(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml") && !file.path.starts_with("fuzz/"))
        .filter_map(|file| {
            file.text.lines().find_map(|line| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned()))
        })
        .collect()
}

/// The ways in which this repository is built, besides everything with its tests.
fn ways(members: &[String], everything: &Tree) -> Vec<Vec<String>> {
    let way = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut ways =
        vec![way("--workspace --all-features -e normal,build"), way("-p deployer --features sandbox -e normal,build")];
    for member in members {
        let links_the_sdk = everything.depends_on(member, UNION);
        if links_the_sdk {
            ways.push(way(&format!("-p {member} -e normal,build")));
            ways.push(way(&format!("-p {member} --all-features -e normal,build,dev")));
        }
    }
    ways
}

fn purity(name: &str, tree: &Tree, banned: &[&str]) -> Vec<Finding> {
    let matches = |package: &str, ban: &str| package == ban || (ban.ends_with('-') && package.starts_with(ban));
    tree.packages()
        .filter(|package| *package != name && banned.iter().any(|ban| matches(package, ban)))
        .map(|package| Finding::new(name, format!("must not depend on {package}")))
        .collect()
}

fn one_stack(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ONE_VERSION {
        let versions: Vec<&str> = tree.versions(name).collect();
        if versions.len() > 1 {
            findings.push(Finding::new(name, format!("is there {} times: {}", versions.len(), versions.join(", "))));
        }
    }
    for name in NONE_OF {
        if tree.versions(name).next().is_some() {
            findings.push(Finding::new(name, "is in the tree; `cargo tree --workspace -i` says through whom"));
        }
    }
    findings
}

fn same_features(way: &str, tree: &Tree, everything: &Tree, closure: &BTreeSet<Package>) -> Vec<Finding> {
    tree.0
        .iter()
        .filter(|(package, _)| closure.contains(*package))
        .flat_map(|(package, node)| node.features.iter().map(move |features| (package, features)))
        .filter(|(package, features)| !everything.0.get(*package).is_some_and(|node| node.features.contains(*features)))
        .map(|(package, features)| {
            let wanted: Vec<&str> =
                everything.0.get(package).into_iter().flat_map(|node| &node.features).map(String::as_str).collect();
            Finding::new(
                format!("`{way}`"),
                format!(
                    "would compile the SDK again: {} {} with [{features}] instead of [{}]; name it in {UNION}",
                    package.name,
                    package.version,
                    wanted.join("] or [")
                ),
            )
        })
        .collect()
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
}

#[derive(Debug, Default)]
struct Node {
    /// Sets of features: one where the package runs and perhaps another where it serves a build script or a macro.
    features: BTreeSet<String>,
    needs: BTreeSet<Package>,
}

/// The packages that a build would compile, and what each needs.
#[derive(Debug, Default)]
struct Tree(BTreeMap<Package, Node>);

fn ask(args: &[&str]) -> Result<Tree> {
    let text =
        run::stdout_of(run::cargo().args(["tree", "--quiet", "--prefix", "depth", "-f", " {p} [{f}]"]).args(args))?;
    Tree::read(&text).with_context(|| format!("read what `cargo tree {}` says", args.join(" ")))
}

impl Tree {
    /// Reads lines such as `2 tokio v1.54.1 [fs,net] (*)`; the number is the depth.
    fn read(text: &str) -> Result<Self> {
        let mut tree = Self::default();
        let mut above: Vec<Package> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (depth, package, features) = read_line(line).with_context(|| format!("the line is `{line}`"))?;
            above.truncate(depth);
            if let Some(parent) = above.last() {
                tree.0.entry(parent.clone()).or_default().needs.insert(package.clone());
            }
            tree.0.entry(package.clone()).or_default().features.insert(features);
            above.push(package);
        }
        Ok(tree)
    }

    fn packages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|package| package.name.as_str())
    }

    fn versions(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.keys().filter(move |package| package.name == name).map(|package| package.version.as_str())
    }

    fn depends_on(&self, name: &str, other: &str) -> bool {
        self.0.iter().any(|(package, node)| package.name == name && node.needs.iter().any(|need| need.name == other))
    }

    /// Every package whose name starts so, and all that these need.
    fn below(&self, prefix: &str) -> BTreeSet<Package> {
        let mut open: Vec<&Package> = self.0.keys().filter(|package| package.name.starts_with(prefix)).collect();
        let mut closure = BTreeSet::new();
        while let Some(package) = open.pop() {
            if closure.insert(package.clone()) {
                open.extend(self.0.get(package).into_iter().flat_map(|node| &node.needs));
            }
        }
        closure
    }
}

fn read_line(line: &str) -> Option<(usize, Package, String)> {
    let mut words = line.split_whitespace();
    let depth = words.next()?.parse().ok()?;
    let name = words.next()?.to_owned();
    let version = words.next()?.trim_start_matches('v').to_owned();
    let (_, rest) = line.rsplit_once('[')?;
    let (features, _) = rest.split_once(']')?;
    Some((depth, Package { name, version }, features.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "\
0 aws-infra v0.1.0 (somewhere/aws-infra) []
1 aws-sdk-ec2 v1.274.0 [rt-tokio]
2 tokio v1.54.1 [fs,net]
3 tokio-macros v2.7.0 (proc-macro) []
1 sdk-features v0.1.0 (somewhere/sdk-features) []
2 tokio v1.54.1 [fs,net] (*)

0 certs v0.1.0 (somewhere/certs) []
1 thiserror v2.0.20 [default,std]
";

    fn tree(text: &str) -> Tree {
        Tree::read(text).unwrap()
    }

    fn shown(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_tree_is_read_with_its_edges() {
        let tree = tree(TREE);
        assert!(tree.depends_on("aws-infra", "sdk-features"));
        assert!(!tree.depends_on("certs", "sdk-features"));
        let below: Vec<_> = tree.below(SDK).into_iter().map(|package| package.name).collect();
        assert_eq!(below, ["aws-sdk-ec2", "tokio", "tokio-macros"]);
        assert!(Tree::read("nonsense").is_err());
    }

    #[test]
    fn a_pure_crate_with_the_sdk_is_named() {
        assert_eq!(
            shown(&purity("certs", &tree(TREE), &[SDK, UNION])),
            ["certs: must not depend on aws-sdk-ec2", "certs: must not depend on sdk-features"]
        );
        assert!(purity("certs", &tree("0 certs v0.1.0 []\n1 der v0.7.10 []\n"), &[SDK, UNION]).is_empty());
    }

    #[test]
    fn a_second_stack_is_named() {
        let two = tree("0 a v1.0.0 []\n1 rustls v0.23.46 []\n1 rustls v0.21.12 []\n1 ring v0.17.14 []\n");
        assert_eq!(
            shown(&one_stack(&two)),
            [
                "rustls: is there 2 times: 0.21.12, 0.23.46",
                "ring: is in the tree; `cargo tree --workspace -i` says through whom"
            ]
        );
        assert!(one_stack(&tree(TREE)).is_empty());
    }

    #[test]
    fn features_that_differ_below_the_sdk_are_named() {
        let everything = tree(TREE);
        let alone = tree("0 aws-infra v0.1.0 []\n1 aws-sdk-ec2 v1.274.0 [rt-tokio]\n2 tokio v1.54.1 [net]\n");
        let closure = everything.below(SDK);
        assert_eq!(
            shown(&same_features("-p aws-infra", &alone, &everything, &closure)),
            [
                "`-p aws-infra`: would compile the SDK again: tokio 1.54.1 with [net] instead of [fs,net]; name it in sdk-features"
            ]
        );
        assert!(same_features("-p aws-infra", &everything, &everything, &closure).is_empty());
    }

    #[test]
    fn features_beside_the_sdk_may_differ() {
        let everything = tree(TREE);
        let alone = tree("0 certs v0.1.0 []\n1 thiserror v2.0.20 [default]\n");
        assert!(same_features("-p certs", &alone, &everything, &everything.below(SDK)).is_empty());
    }

    #[test]
    fn crates_that_link_the_sdk_are_built_alone_too() {
        let members = ["aws-infra".to_owned(), "certs".to_owned()];
        let ways = ways(&members, &tree(TREE));
        assert!(ways.iter().any(|way| way.join(" ").starts_with("-p aws-infra")));
        assert!(!ways.iter().any(|way| way.join(" ").starts_with("-p certs")));
    }
}
