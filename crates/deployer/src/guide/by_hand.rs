//! What a person does, and is told how: the guide's Keeper half without a sign-in, as exact commands of Keeper Commander.

use resource_graph::{Action, Cx, Given, Knowns, Mark, NodeId, Present, Resource, Result, Seen, Verdict};
use taskdef::Attachments;

use super::Names;
use crate::config::{Config, Skill};

/// A step that a person does, and the config says what came of it. Until then it waits.
pub(super) struct ByHand<T> {
    pub(super) node: NodeId,
    /// What the config says.
    pub(super) result: Option<T>,
    /// What to do.
    pub(super) task: String,
}

/// The kind of [`ByHand`], by which a report knows that nobody checked it.
pub(crate) const BY_HAND: &str = "by-hand";

impl<T: Clone + Send + Sync + 'static> Resource for ByHand<T> {
    const KIND: &'static str = BY_HAND;
    type Needs = ();
    type Found = T;
    type Output = T;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        "done by a person".to_owned()
    }

    fn needs(&self) {}

    async fn look(&self, _: &Cx, (): &Present<Self>) -> Result<Seen<T>> {
        // Never ours, so never deleted by us.
        let there = self.result.clone().map(|result| (result, Mark::Adopted));
        Ok(Seen { current: there, stale: Vec::new() })
    }

    fn plan(&self, _: &T, (): &Knowns<Self>) -> Verdict {
        Verdict::Keep
    }

    fn waits(&self) -> Option<String> {
        Some(self.task.clone())
    }

    fn output(&self, found: &T) -> T {
        found.clone()
    }

    /// Never reached: as long as there is no result it waits.
    async fn apply(&self, _: &Cx, _: Action<T>, (): Given<Self>) -> Result<T> {
        Err(resource_graph::Error::new("waits", format!("do {} without a person", self.node)))
    }

    async fn destroy(&self, _: &Cx, _: T) -> Result<()> {
        Ok(())
    }
}

/// How a person does the steps K2 to K7 in `keeper shell`.
pub(super) struct Commands {
    pub(super) folder: String,
    pub(super) record: String,
    pub(super) properties: String,
    pub(super) application: String,
    pub(super) share: String,
    pub(super) device: String,
}

impl Commands {
    pub(super) fn of(names: &Names, attachments: &Attachments) -> Self {
        let [folder, record, application, device] =
            [names.folder(), names.record(), names.application(), names.device()].map(|name| quoted(&name));
        let Attachments { pfx, password, properties } = attachments;
        Self {
            folder: format!("in `keeper shell`: mkdir -sf {folder}; it prints the folder's UID"),
            record: format!(
                "in `keeper shell`: record-add -t {record} -rt login --folder=FOLDER_UID; \
                 upload-attachment --file={pfx} --file={password} RECORD_UID; \
                 then write the record's UID into keeper.record_uid"
            ),
            properties: format!("in `keeper shell`: upload-attachment --file={properties} RECORD_UID"),
            application: format!("in `keeper shell`: secrets-manager app create {application}"),
            share: format!("in `keeper shell`: secrets-manager share add --app={application} --secret=FOLDER_UID"),
            device: format!(
                "in `keeper shell`: secrets-manager client add --app={application} --name={device} --unlock-ip \
                 --config-init=b64; keep the last line it prints where keeper.ksm_config says"
            ),
        }
    }
}

/// A16.
pub(super) const TEST: &str = "open the web vault in a private window and sign in with SSO as a user: no approval may be asked \
                               for; then run again with --acknowledge-a16";

/// A15: the guide's five commands, in its order, with this deployment's names.
pub(super) fn automator(config: &Config) -> String {
    let name = quoted(&config.automator.name);
    let node = config.automator.node.as_deref().map_or_else(|| "NODE".to_owned(), quoted);
    let skills: Vec<String> = config.automator.skills.iter().map(|skill| format!("--skill={}", word(*skill))).collect();
    let commands = [
        format!("automator create --name={name} --node={node}"),
        format!("automator edit --url=https://{} {} {name}", config.host, skills.join(" ")),
        format!("automator setup {name}"),
        format!("automator init {name}"),
        format!("automator enable {name}"),
    ];
    format!(
        "in `keeper shell`, signed in as an administrator: {}; then run again with --confirm A15",
        commands.join("; ")
    )
}

/// A skill as Keeper Commander calls it.
pub(super) fn word(skill: Skill) -> &'static str {
    match skill {
        Skill::Device => "device",
        Skill::Team => "team",
        Skill::TeamForUser => "team_for_user",
    }
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_those_of_the_guide() {
        let mut config = Config::sandbox("x.pfx".into(), "x.txt".into());
        config.automator.name = "My \"Automator\"".to_owned();
        let text = automator(&config);
        let parts: Vec<&str> = text.split("; ").collect();
        assert_eq!(
            parts[..2],
            [
                r#"in `keeper shell`, signed in as an administrator: automator create --name="My \"Automator\"" --node=NODE"#,
                r#"automator edit --url=https://automator.example.com --skill=device --skill=team --skill=team_for_user "My \"Automator\"""#
            ]
        );
        assert_eq!(parts.len(), 6);
        config.automator.node = Some("Azure Cloud".to_owned());
        assert!(automator(&config).contains(r#"" --node="Azure Cloud"; automator edit"#), "{}", automator(&config));
    }
}
