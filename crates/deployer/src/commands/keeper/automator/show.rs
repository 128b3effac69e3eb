//! `list` and `view`, and how an Automator is shown after a change.

use automator_admin::automator::{self, Info, Setting};
use clap::Args;
use secrecy::ExposeSecret;

use super::{Target, failed, node_id};
use crate::catalogue::Lang;
use crate::commands::keeper::documents::{self, KeeperDocument, SCHEMA};
use crate::commands::keeper::place::Place;
use crate::commands::keeper::print::{table, yes};
use crate::commands::keeper::sign_in::Account;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    account: Account,
    /// Only those on this node, by name, path or id.
    #[arg(long)]
    node: Option<String>,
}

impl ListOptions {
    pub(super) fn place(&self) -> &Place {
        &self.account.place
    }
}

pub(super) async fn list(host: &Host, lang: Lang, options: &ListOptions) -> Result<ExitCode, Refusal> {
    let session = options.account.sign_in(host, lang).await?;
    let mut all = automator::list(&session).await.map_err(failed)?;
    if let Some(node) = &options.node {
        let node = node_id(&session, node).await?;
        all.retain(|one| one.node == node);
    }
    let mut rows = vec![["id", "node", "enabled", "state", "name", "url"].map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|one| {
        let [id, node] = [one.id.to_string(), one.node.to_string()];
        vec![id, node, yes(one.enabled), one.state.name().to_owned(), one.name.clone(), one.url.clone()]
    }));
    let document = KeeperDocument::Automators { schema: SCHEMA, automators: all.iter().map(whole).collect() };
    Ok(options.place().print(host, &table(&rows), &document))
}

pub(super) async fn view(host: &Host, lang: Lang, options: &Target) -> Result<ExitCode, Refusal> {
    let (session, found) = options.find(host, lang).await?;
    let now = automator::view(&session, found.id).await.map_err(failed)?;
    Ok(done(host, options.place(), &now, &[]))
}

/// Shows an Automator; `did` names the verbs that led there.
pub(super) fn done(host: &Host, place: &Place, now: &Info, did: &[&str]) -> ExitCode {
    let (text, document) = document(now, did, None);
    place.print(host, &text, &document)
}

/// The same as text and as a document.
pub(super) fn document(now: &Info, did: &[&str], fingerprint: Option<String>) -> (String, KeeperDocument) {
    let skills: Vec<String> = now.skills.iter().map(skill).collect();
    let known = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let [approved, denied, errors] = now.counts;
    let mut rows = vec![
        ("id", now.id.to_string()),
        ("name", now.name.clone()),
        ("node", now.node.to_string()),
        ("url", known(&now.url)),
        ("state", now.state.name().to_owned()),
        ("initialized", yes(now.initialized)),
        ("enabled", yes(now.enabled)),
        ("skills", known(&skills.join(", "))),
        ("version", known(&now.version)),
        ("certificate", known(&now.certificate_ends)),
        ("counts", format!("{approved} approved, {denied} denied, {errors} errors")),
    ];
    rows.extend(
        now.settings.iter().map(|one| ("setting", format!("{} = {}", one.tag, shown(one).unwrap_or("(hidden)")))),
    );
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut text = table(&rows);
    if !did.is_empty() {
        text.push_str(&format!("did: {}\n", did.join(", ")));
    }
    let did = did.iter().map(|verb| (*verb).to_owned()).collect();
    (text, KeeperDocument::Automator { schema: SCHEMA, did, automator: whole(now), fingerprint })
}

/// Which one.
pub(super) fn named(info: &Info) -> documents::AutomatorName {
    documents::AutomatorName { id: info.id.0, name: info.name.clone() }
}

fn whole(info: &Info) -> documents::Automator {
    let settings = info.settings.iter().map(|one| documents::Setting {
        id: one.id,
        tag: one.tag.clone(),
        name: one.name.clone(),
        editable: one.editable,
        value: shown(one).map(str::to_owned),
    });
    let [approved, denied, errors] = info.counts;
    documents::Automator {
        id: info.id.0,
        name: info.name.clone(),
        node: info.node,
        url: info.url.clone(),
        enabled: info.enabled,
        state: info.state.name().to_owned(),
        ready: info.is_ready(),
        initialized: info.initialized,
        skills: info.skills.iter().map(skill).collect(),
        version: info.version.clone(),
        certificate_ends: info.certificate_ends.clone(),
        counts: documents::Counts { approved, denied, errors },
        settings: settings.collect(),
    }
}

/// The value of a setting that cannot be a secret: a switch or a short number.
fn shown(setting: &Setting) -> Option<&str> {
    let value = setting.value.expose_secret();
    let switch = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
    let short = !value.is_empty() && value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    (switch || short || value.is_empty()).then_some(value)
}

fn skill(skill: &automator::Skill) -> String {
    match skill {
        automator::Skill::DeviceApproval => "device".to_owned(),
        automator::Skill::TeamApproval => "team".to_owned(),
        automator::Skill::TeamForUserApproval => "team_for_user".to_owned(),
        other => other.name().to_lowercase(),
    }
}
