//! What a person is told to do: exact commands of Keeper Commander, and clicks in the vault.

use crate::config::{Config, KeeperHalf, Skill};

/// A16.
pub(super) const TEST: &str = "open the web vault in a private window and sign in with SSO as a user: no approval may be asked \
                               for; then run again with --acknowledge-a16";

/// A15: the guide's five commands, in its order, with this deployment's names.
pub(super) fn automator(config: &Config) -> String {
    let name = quoted(&config.automator.name);
    let node = match &config.keeper.half {
        KeeperHalf::Login { node, .. } => quoted(node),
        KeeperHalf::Manual { .. } => "NODE".to_owned(),
    };
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
fn word(skill: Skill) -> &'static str {
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
        let mut config = Config::sandbox("x.pfx".into(), "x.txt".into(), "x.json".into());
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
    }
}
