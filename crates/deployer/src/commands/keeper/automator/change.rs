//! `edit`, `init`, `enable`, `disable`.

use automator_admin::automator::{self, AutomatorError, Wanted};
use clap::Args;
use secrecy::SecretString;

use super::show::done;
use super::{Skill, Target, failed};
use crate::catalogue::Lang;
use crate::commands::keeper::device::variable;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
#[command(group(clap::ArgGroup::new("changes").args(["url", "skill", "set", "set_env"]).required(true).multiple(true)))]
pub(crate) struct EditOptions {
    #[command(flatten)]
    pub(super) target: Target,
    /// Where Keeper's cloud calls it: `https://automator.example.com`.
    #[arg(long)]
    url: Option<String>,
    /// What it decides; all of it, so say it once for each.
    #[arg(long, value_enum)]
    skill: Vec<Skill>,
    /// Set a setting that is no secret, by its name or tag.
    #[arg(long, value_name = "SETTING=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Set a setting to what the environment variable of this name holds.
    #[arg(long, value_name = "SETTING=NAME", value_parser = pair)]
    set_env: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write the setting's name, `=`, and what follows")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub(super) async fn edit(host: &Host, lang: Lang, options: &EditOptions) -> Result<ExitCode, Refusal> {
    let mut settings: Vec<(String, SecretString)> = Vec::new();
    settings.extend(options.set.iter().map(|(name, value)| (name.clone(), value.clone().into())));
    for (name, value) in &options.set_env {
        settings.push((name.clone(), variable(host, "--set-env", value, "A15")?));
    }
    let (session, found) = options.target.find(host, lang).await?;
    let url = options.url.clone().unwrap_or_else(|| found.url.clone());
    if url.is_empty() {
        let refusal = Refusal::new("keeper-automator-url", "A15", format!("edit {}: it has no URL yet", found.told()));
        return Err(refusal.exit(ExitCode::Usage).hint("give --url too"));
    }
    let skills = options.skill.iter().map(|skill| (*skill).into());
    let wanted = Wanted {
        skills: (!options.skill.is_empty()).then(|| skills.collect()),
        settings,
        enabled: found.enabled,
        ready: false,
        ..Wanted::new(found.node, found.name.clone(), url)
    };
    let steps = automator::plan(Some(&found), &wanted).map_err(|error| {
        let hint = match error {
            AutomatorError::Url { .. } => "write it as https://automator.example.com",
            _ => "`keeper-automator keeper automator view` shows the settings and their values",
        };
        failed(error.into()).exit(ExitCode::Usage).hint(hint)
    })?;
    let Some(step) = steps.first() else { return Ok(done(host, options.target.place(), &found, &[])) };
    let now = automator::edit(&session, &found, step).await.map_err(failed)?;
    Ok(done(host, options.target.place(), &now, &[step.describe().as_str()]))
}

pub(super) async fn init(host: &Host, lang: Lang, options: &Target) -> Result<ExitCode, Refusal> {
    let (session, found) = options.find(host, lang).await?;
    let now = automator::init(&session, found.id).await.map_err(failed)?;
    Ok(done(host, options.place(), &now, &["init"]))
}

pub(super) async fn enable(host: &Host, lang: Lang, options: &Target, wanted: bool) -> Result<ExitCode, Refusal> {
    let (session, found) = options.find(host, lang).await?;
    let (now, verb) = match wanted {
        true => (automator::enable(&session, found.id).await, "enable"),
        false => (automator::disable(&session, found.id).await, "disable"),
    };
    Ok(done(host, options.place(), &now.map_err(failed)?, &[verb]))
}
