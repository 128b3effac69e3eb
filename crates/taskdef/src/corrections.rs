//! Why our document differs from the guide's: every difference has a correction id, or is a value the guide
//! leaves to the reader.

use std::fmt;

use serde::Serialize;

use crate::diff::{Difference, diff};
use crate::model::{TaskDefinition, Volume};
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

/// One line per difference, the reasons behind it; what has none is marked with `?`.
impl fmt::Display for Corrections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Explained { difference, reasons } in &self.explained {
            let reasons: Vec<&str> = reasons.iter().map(|reason| reason.id()).collect();
            writeln!(f, "{difference} [{}]", reasons.join(", "))?;
        }
        self.unexplained.iter().try_for_each(|difference| writeln!(f, "{difference} [?]"))
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
    let when = |reason: Reason, holds: bool| if holds { vec![reason] } else { Vec::new() };
    match *tokens.as_slice() {
        ["family"] | ["tags", ..] => vec![Reason::Named],
        ["cpu" | "memory"] | ["containerDefinitions", _, "cpu" | "memory"] => vec![Reason::Chosen],
        ["runtimePlatform", ..] => vec![Reason::Chosen],
        ["taskRoleArn"] => when(Reason::C07, ours.volumes().iter().any(asks_iam)),
        ["executionRoleArn"] => when(Reason::Named, ours.execution_role_arn.is_some()),
        ["containerDefinitions", container, "image"] => {
            when(Reason::C14, ours.container(container).is_some_and(|container| is_pinned(&container.image)))
        }
        ["containerDefinitions", container, "environment", "KSM_CONFIG", ..] => moved(container, ours),
        ["containerDefinitions", container, "environment"] if all_moved(container, guide, ours) => vec![Reason::C05],
        ["containerDefinitions", container, "secrets"]
        | ["containerDefinitions", container, "secrets", "KSM_CONFIG", ..] => moved(container, ours),
        ["containerDefinitions", container, "environment", "SECRETS", "value"] => lines(container, guide, ours),
        ["containerDefinitions", _, "logConfiguration", "options", "awslogs-region"] => {
            when(Reason::C15, has_one_region(ours))
        }
        ["containerDefinitions", _, "logConfiguration", "options", "awslogs-group" | "awslogs-stream-prefix"] => {
            vec![Reason::Named]
        }
        ["volumes", volume, "efsVolumeConfiguration", "authorizationConfig", ..] => {
            when(Reason::C07, ours.volumes().iter().any(|ours| ours.name == volume && asks_iam(ours)))
        }
        ["volumes", _, "efsVolumeConfiguration", "fileSystemId"] => vec![Reason::Chosen],
        _ => Vec::new(),
    }
}

fn asks_iam(volume: &Volume) -> bool {
    volume.efs.as_ref().is_some_and(|efs| efs.uses_iam() && efs.access_point().is_some())
}

fn is_pinned(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    name.contains('@') || name.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

fn has_one_region(task: &TaskDefinition) -> bool {
    let logs = task.container_definitions.iter().filter_map(|container| container.log_configuration.as_ref());
    let mut regions: Vec<&str> = logs.filter_map(|logs| logs.option("awslogs-region")).collect();
    regions.dedup();
    regions.len() == 1
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
