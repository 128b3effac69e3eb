//! Every AWS resource has a test and a row in ARCHITECTURE.md.

use super::{File, Finding};

const SOURCES: &str = "crates/aws-infra/src/";
const TESTS: &str = "crates/aws-infra/tests/";
const DOCUMENT: &str = "ARCHITECTURE.md";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let rows: Vec<&str> = files
        .iter()
        .filter(|file| file.path == DOCUMENT)
        .flat_map(|file| file.text.lines())
        .filter(|line| line.trim_start().starts_with('|'))
        .collect();
    let mut findings = Vec::new();
    let mut folders = 0;
    let mut resources = 0;
    for file in files {
        let Some((service, resource)) = place(&file.path) else { continue };
        folders += 1;
        if !file.text.contains("Resource for ") {
            continue;
        }
        resources += 1;
        let named = format!("{service}/{resource}");
        if !is_tested(file, &named, files) {
            findings.push(Finding::new(&file.path, "a resource without a test"));
        }
        if !rows.iter().any(|row| names(row, &named)) {
            findings.push(Finding::new(&file.path, format!("no row of {DOCUMENT} names `{named}.rs`")));
        }
    }
    if folders > 0 && resources == 0 {
        findings.push(Finding::new(SOURCES, "no file implements `Resource`: this check looks for the wrong words"));
    }
    findings
}

/// Service and resource of `crates/aws-infra/src/<service>/<resource>.rs`.
fn place(path: &str) -> Option<(&str, &str)> {
    let (service, rest) = path.strip_prefix(SOURCES)?.split_once('/')?;
    let resource = rest.strip_suffix(".rs")?;
    (!resource.contains('/') && resource != "mod").then_some((service, resource))
}

fn is_tested(file: &File, named: &str, files: &[File]) -> bool {
    let beside = format!("{SOURCES}{named}/tests.rs");
    let outside = format!("{TESTS}{}.rs", named.replace('/', "_"));
    file.text.contains("#[cfg(test)]") || files.iter().any(|other| other.path == beside || other.path == outside)
}

/// Whether a row names `service/resource`, with or without `.rs`, and not merely a longer name that starts so.
fn names(row: &str, named: &str) -> bool {
    row.match_indices(named).any(|(at, _)| {
        let after = row[at + named.len()..].chars().next();
        let before = row[..at].chars().next_back();
        let part_of_a_name = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        !part_of_a_name(after) && !part_of_a_name(before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPL: &str = "impl Resource for AccessPoint {}\n";

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    fn check_files(files: &[File], expected: &[&str]) {
        let found: Vec<String> = check(files).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    fn table(named: &str) -> File {
        file(DOCUMENT, &format!("# Resources\n\n| file | step |\n| --- | --- |\n| `{named}` | A6 |\n"))
    }

    #[test]
    fn a_tested_and_documented_resource_is_fine() {
        let source = file("crates/aws-infra/src/efs/access_point.rs", &format!("{IMPL}#[cfg(test)]\nmod tests {{}}\n"));
        check_files(&[source, table("efs/access_point.rs")], &[]);
    }

    #[test]
    fn a_test_may_stand_in_a_file_of_its_own() {
        for test in ["crates/aws-infra/src/efs/access_point/tests.rs", "crates/aws-infra/tests/efs_access_point.rs"] {
            let source = file("crates/aws-infra/src/efs/access_point.rs", IMPL);
            check_files(&[source, file(test, ""), table("efs/access_point")], &[]);
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let source = file("crates/aws-infra/src/efs/access_point.rs", IMPL);
        check_files(
            &[source, table("efs/access_point_policy.rs")],
            &[
                "crates/aws-infra/src/efs/access_point.rs: a resource without a test",
                "crates/aws-infra/src/efs/access_point.rs: no row of ARCHITECTURE.md names `efs/access_point.rs`",
            ],
        );
    }

    #[test]
    fn what_resources_share_needs_no_row() {
        let shared = file("crates/aws-infra/src/ec2/tags.rs", "pub(crate) fn tags() {}");
        let lib = file("crates/aws-infra/src/lib.rs", IMPL);
        let source = file("crates/aws-infra/src/ec2/vpc.rs", &format!("{IMPL}#[cfg(test)]"));
        check_files(&[shared, lib, source, table("ec2/vpc.rs")], &[]);
    }

    #[test]
    fn a_check_that_finds_no_resource_is_itself_a_finding() {
        let files = [file("crates/aws-infra/src/ec2/vpc.rs", "")];
        assert_eq!(check(&files).len(), 1);
    }
}
