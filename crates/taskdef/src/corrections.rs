//! Why our document differs from the guide's: every difference has a correction id, or is a value the guide
//! leaves to the reader.

use std::fmt;

use serde::Serialize;

use crate::diff::{Difference, diff};
use crate::model::TaskDefinition;
use crate::secrets::{Secrets, Selector};

/// Why a member differs from the guide's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Another credential than a plain one.
    C05,
    /// EFS asks IAM, through an access point.
    C07,
    /// Images are pinned.
    C14,
    /// One region everywhere.
    C15,
    /// Attachments carry their generation.
    C39,
    /// The guide leaves the value to the reader: ids, account, sizes.
    Chosen,
    /// Names follow the deployment's name; the guide's come with `--guide-exact`.
    Named,
}

impl Reason {
    /// The id as it stands in plans and errors.
    pub fn id(self) -> &'static str {
        match self {
            Self::C05 => "C05",
            Self::C07 => "C07",
            Self::C14 => "C14",
            Self::C15 => "C15",
            Self::C39 => "C39",
            Self::Chosen => "chosen",
            Self::Named => "named",
        }
    }

    /// Whether the guide is wrong or unsafe here.
    pub fn is_correction(self) -> bool {
        !matches!(self, Self::Chosen | Self::Named)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A difference and its reasons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// What differs.
    #[serde(flatten)]
    pub difference: Difference,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Every difference between the guide's document and ours.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Corrections {
    /// Those we can give a reason for.
    pub explained: Vec<Explained>,
    /// Those we cannot: somebody changed the document by hand.
    pub unexplained: Vec<Difference>,
}

impl Corrections {
    /// The correction ids, each once.
    pub fn ids(&self) -> Vec<&'static str> {
        let mut reasons: Vec<Reason> = self.explained.iter().flat_map(|explained| explained.reasons.clone()).collect();
        reasons.sort();
        reasons.dedup();
        reasons.into_iter().filter(|reason| reason.is_correction()).map(Reason::id).collect()
    }
}

/// Compares the guide's document with ours and says of each difference which correction made it.
pub fn corrections(guide: &TaskDefinition, ours: &TaskDefinition) -> Corrections {
    let mut corrections = Corrections::default();
    for difference in diff(guide, ours).differences {
        let reasons = reasons(&difference.pointer, guide, ours);
        if reasons.is_empty() {
            corrections.unexplained.push(difference);
        } else {
            corrections.explained.push(Explained { difference, reasons });
        }
    }
    corrections
}

fn reasons(pointer: &str, guide: &TaskDefinition, ours: &TaskDefinition) -> Vec<Reason> {
    let tokens: Vec<&str> = pointer.split('/').skip(1).collect();
    match *tokens.as_slice() {
        ["family"] => vec![Reason::Named],
        ["cpu" | "memory"] | ["containerDefinitions", _, "cpu" | "memory"] => vec![Reason::Chosen],
        ["runtimePlatform", ..] => vec![Reason::Chosen],
        ["taskRoleArn"] => vec![Reason::C07],
        ["executionRoleArn"] => vec![Reason::Named],
        ["tags", ..] => vec![Reason::Named],
        ["containerDefinitions", _, "image"] => vec![Reason::C14],
        ["containerDefinitions", container, "environment", "KSM_CONFIG", ..] => moved(container, ours),
        ["containerDefinitions", container, "environment"] if all_moved(container, guide, ours) => vec![Reason::C05],
        ["containerDefinitions", container, "secrets"]
        | ["containerDefinitions", container, "secrets", "KSM_CONFIG", ..] => moved(container, ours),
        ["containerDefinitions", container, "environment", "SECRETS", "value"] => lines(container, guide, ours),
        ["containerDefinitions", _, "logConfiguration", "options", "awslogs-region"] => vec![Reason::C15],
        ["containerDefinitions", _, "logConfiguration", "options", "awslogs-group" | "awslogs-stream-prefix"] => {
            vec![Reason::Named]
        }
        ["volumes", _, "efsVolumeConfiguration", "authorizationConfig", ..] => vec![Reason::C07],
        ["volumes", _, "efsVolumeConfiguration", "transitEncryption"] => vec![Reason::C07],
        ["volumes", _, "efsVolumeConfiguration", "fileSystemId"] => vec![Reason::Chosen],
        _ => Vec::new(),
    }
}

/// C05, if the configuration now comes from where secrets are kept and from nowhere else.
fn moved(container: &str, ours: &TaskDefinition) -> Vec<Reason> {
    let Some(container) = ours.container(container) else { return Vec::new() };
    let plain = container.environment_value("KSM_CONFIG").is_some();
    let names: Vec<&str> = container.secrets().iter().map(|secret| secret.name.as_str()).collect();
    if !plain && names == ["KSM_CONFIG"] {
        vec![Reason::C05]
    } else if plain && names.is_empty() {
        vec![Reason::Chosen]
    } else {
        Vec::new()
    }
}

/// Whether the variable that moved was the only one.
fn all_moved(container: &str, guide: &TaskDefinition, ours: &TaskDefinition) -> bool {
    let only = guide
        .container(container)
        .is_some_and(|c| c.environment().iter().all(|variable| variable.name == "KSM_CONFIG"));
    only && moved(container, ours) == [Reason::C05]
}

/// C39 for other attachments that still become the same files, chosen for another record.
fn lines(container: &str, guide: &TaskDefinition, ours: &TaskDefinition) -> Vec<Reason> {
    let read = |definition: &TaskDefinition| -> Option<Secrets> {
        definition.container(container)?.environment_value("SECRETS")?.parse().ok()
    };
    let (Some(guide), Some(ours)) = (read(guide), read(ours)) else { return Vec::new() };
    if guide.0.len() != ours.0.len() {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    for (guide, ours) in guide.0.iter().zip(&ours.0) {
        let (Selector::File(theirs), Selector::File(name)) = (&guide.notation.selector, &ours.notation.selector) else {
            return Vec::new();
        };
        if guide.destination != ours.destination {
            return Vec::new();
        }
        if guide.notation.record != ours.notation.record {
            reasons.push(Reason::Chosen);
        }
        if theirs != name {
            reasons.push(Reason::C39);
        }
    }
    reasons.sort();
    reasons.dedup();
    reasons
}
