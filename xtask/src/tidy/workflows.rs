//! Actions are pinned by hash, with the version beside it, because a tag can be moved.

use super::{File, Finding};

pub(super) fn check(file: &File) -> Vec<Finding> {
    if !file.path.starts_with(".github/workflows/") {
        return Vec::new();
    }
    file.text
        .lines()
        .enumerate()
        .filter_map(|(number, line)| {
            let used = line.trim_start().trim_start_matches("- ").strip_prefix("uses:")?.trim();
            (!used.starts_with("./") && !is_pinned(used)).then(|| {
                Finding::at(
                    &file.path,
                    number + 1,
                    format!("`{used}` is not pinned as `owner/name@<commit> # version`"),
                )
            })
        })
        .collect()
}

fn is_pinned(used: &str) -> bool {
    let Some((_, rest)) = used.split_once('@') else { return false };
    let Some((commit, version)) = rest.split_once(" # ") else { return false };
    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) && version.starts_with('v')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_commit_with_its_version_is_pinned() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert!(is_pinned(&format!("actions/checkout@{commit} # v5.0.1")));
        for loose in ["actions/checkout", "actions/checkout@v5", "actions/checkout@0123abc # v5"] {
            assert!(!is_pinned(loose), "{loose}");
        }
        assert!(!is_pinned(&format!("actions/checkout@{commit}")));
    }

    #[test]
    fn a_loose_action_is_found_in_workflows_only() {
        let text = "steps:\n  - uses: actions/checkout@v5\n  - uses: ./.github/actions/ours\n";
        let file = |path: &str| File { path: path.into(), text: text.into() };
        assert_eq!(check(&file(".github/workflows/ci.yml")).len(), 1);
        assert!(check(&file("README.md")).is_empty());
    }
}
