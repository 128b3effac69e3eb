//! Commander's verbs, each with the second look it lacks there.

use keeper_wire::messages::automator as m;
use prost::Message;

use super::{AutomatorError, AutomatorId, Info, LogLine, Skill, Step};
use crate::judge::clean;
use crate::{Error, Event, Session};

/// All Automators of the enterprise.
///
/// # Errors
/// [`AutomatorError::Refused`], and what can happen to a call.
pub async fn list(session: &Session) -> Result<Vec<Info>, Error> {
    let enterprise = session.enterprise().await?;
    let request = m::AdminGetAutomatorsForEnterpriseRequest { enterprise_id: enterprise.id };
    let answer = session.ask("automator/automator_get_all_for_enterprise", &request).await?;
    let infos = taken("list", || "the Automators".to_owned(), answer)?;
    Ok(infos.into_iter().map(Info::of).collect())
}

/// The Automator of a name on a node.
///
/// # Errors
/// [`AutomatorError::Ambiguous`], and as [`list`].
pub async fn find(session: &Session, node: i64, name: &str) -> Result<Option<Info>, Error> {
    one_of(list(session).await?, node, name)
}

pub(super) fn one_of(all: Vec<Info>, node: i64, name: &str) -> Result<Option<Info>, Error> {
    let mut found: Vec<Info> =
        all.into_iter().filter(|automator| automator.node == node && automator.name == name).collect();
    if found.len() > 1 {
        let ids = found.iter().map(|automator| automator.id).collect();
        return Err(AutomatorError::Ambiguous { name: name.to_owned(), node, ids }.into());
    }
    Ok(found.pop())
}

/// One Automator.
///
/// # Errors
/// [`AutomatorError::NotFound`], and as [`list`].
pub async fn view(session: &Session, id: AutomatorId) -> Result<Info, Error> {
    let request = m::AdminGetAutomatorRequest { automator_id: id.0 };
    let answer = session.ask("automator/automator_get", &request).await?;
    let mut infos = taken("view", || told(id), answer)?.into_iter();
    let info = infos.find(|info| info.automator_id == id.0);
    Ok(Info::of(info.ok_or_else(|| AutomatorError::NotFound { wanted: id.to_string() })?))
}

/// Makes an Automator, unless one of that name is on that node. It is disabled, without URL, and approves devices.
///
/// # Errors
/// [`AutomatorError::NameTaken`] when one of that name is on another node, because the back end would give the new one another
/// name by which it could not be found again. Else as [`list`].
pub async fn create(session: &Session, node: i64, name: &str) -> Result<Info, Error> {
    let all = list(session).await?;
    let elsewhere = all.iter().find(|automator| automator.node != node && automator.name == name);
    if let Some(other) = elsewhere {
        return Err(AutomatorError::NameTaken { name: name.to_owned(), node: other.node }.into());
    }
    let before: Vec<AutomatorId> = all.iter().map(|automator| automator.id).collect();
    if let Some(found) = one_of(all, node, name)? {
        return Ok(found);
    }
    let request = m::AdminCreateAutomatorRequest { node_id: node, name: name.to_owned(), skill: None };
    let what = || format!("the Automator {name:?} on node {node}");
    match session.change("automator/automator_create", &request).await {
        Ok(answer) => {
            let infos = match taken("create", what, answer) {
                Err(AutomatorError::Refused { verb, what, message, .. }) => {
                    let enterprise = session.enterprise().await?;
                    let node = enterprise.nodes.iter().find(|one| one.id == node);
                    let node_without_sso = node.is_some_and(|node| !node.cloud_sso);
                    return Err(AutomatorError::Refused { verb, what, message, node_without_sso }.into());
                }
                other => other?,
            };
            if let Some(misnamed) = misnamed(&before, &infos, node, name) {
                // The name was taken after all, and this one has a name by which nobody would find it again.
                delete(session, misnamed).await?;
                return Err(AutomatorError::NameTaken { name: name.to_owned(), node }.into());
            }
        }
        Err(error) if error.maybe_done() => {
            looking(session, "automator_create");
            return find(session, node, name).await?.ok_or(error);
        }
        Err(error) => return Err(error),
    }
    let found = find(session, node, name).await?;
    Ok(found.ok_or_else(|| AutomatorError::NotFound { wanted: what() })?)
}

/// What was just made under another name: new since the list `before`, and as a new one is. Whatever else an answer lists was
/// there, or is of somebody else.
fn misnamed(before: &[AutomatorId], answered: &[m::AutomatorInfo], node: i64, name: &str) -> Option<AutomatorId> {
    let made = |info: &&m::AutomatorInfo| {
        let new = !before.contains(&AutomatorId(info.automator_id)) && !info.enabled && info.url.is_empty();
        new && info.node_id == node && info.name != name
    };
    let named = answered.iter().any(|info| info.node_id == node && info.name == name);
    answered.iter().filter(|_| !named).find(made).map(|info| AutomatorId(info.automator_id))
}

/// Does a [`Step::Edit`] and looks again. Other steps are no edits.
///
/// # Errors
/// As [`view`].
pub async fn edit(session: &Session, automator: &Info, step: &Step) -> Result<Info, Error> {
    let Step::Edit { url, skills, settings, enabled } = step else { return Ok(automator.clone()) };
    let value = |(id, _, value): &(i64, String, secrecy::SecretString)| m::AutomatorSettingValue {
        setting_id: *id,
        setting_value: secrecy::ExposeSecret::expose_secret(value).to_owned(),
        ..Default::default()
    };
    let request = m::AdminEditAutomatorRequest {
        automator_id: automator.id.0,
        name: String::new(),
        enabled: *enabled,
        url: url.clone().unwrap_or_default(),
        skill_types: skills.iter().flatten().map(|skill| i32::from(*skill)).collect(),
        automator_setting_values: settings.iter().map(value).collect(),
    };
    changed(session, "edit", "automator/automator_edit", automator.id, &request).await
}

/// Makes the back end give the service what it needs.
///
/// # Errors
/// As [`view`]; [`AutomatorError::NotTaken`] when it is not ready afterwards.
pub async fn init(session: &Session, id: AutomatorId) -> Result<Info, Error> {
    let request = m::AdminInitializeAutomatorRequest { automator_id: id.0 };
    let now = changed(session, "init", "automator/automator_initialize", id, &request).await?;
    must("init", &now, now.is_ready(), || now.state.name().to_owned())?;
    Ok(now)
}

/// Asks it for approvals from now on.
///
/// # Errors
/// As [`view`]; [`AutomatorError::NotTaken`].
pub async fn enable(session: &Session, id: AutomatorId) -> Result<Info, Error> {
    set_enabled(session, id, true).await
}

/// Asks it no longer. Users then wait for a push or an administrator.
///
/// # Errors
/// As [`view`]; [`AutomatorError::NotTaken`].
pub async fn disable(session: &Session, id: AutomatorId) -> Result<Info, Error> {
    set_enabled(session, id, false).await
}

async fn set_enabled(session: &Session, id: AutomatorId, enabled: bool) -> Result<Info, Error> {
    let verb = if enabled { "enable" } else { "disable" };
    let request = m::AdminEnableAutomatorRequest { automator_id: id.0, enabled };
    let now = changed(session, verb, "automator/automator_enable", id, &request).await?;
    must(verb, &now, now.enabled == enabled, || format!("enabled = {}", now.enabled))?;
    Ok(now)
}

/// Takes its settings back to their defaults. Presumably it has to be set up again after that (spec 7.7, a guess).
///
/// # Errors
/// As [`view`].
pub async fn reset(session: &Session, id: AutomatorId) -> Result<Info, Error> {
    let request = m::AdminResetAutomatorRequest { automator_id: id.0 };
    changed(session, "reset", "automator/automator_full_reset", id, &request).await
}

/// Deletes it, whoever made it. One that is not there is done.
///
/// The service is not told: it runs on and keeps the enterprise's keys, in memory and where it persists its state. Destroy both
/// (spec 7.7).
///
/// # Errors
/// [`AutomatorError::NotTaken`], and as [`list`].
pub async fn delete(session: &Session, id: AutomatorId) -> Result<(), Error> {
    let there = |all: &[Info]| all.iter().any(|automator| automator.id == id);
    if !there(&list(session).await?) {
        return Ok(());
    }
    let request = m::AdminDeleteAutomatorRequest { automator_id: id.0 };
    let answer = session.change::<m::AdminResponse>("automator/automator_delete", &request).await;
    let refused = match answer {
        Ok(answer) => taken("delete", || told(id), answer).err().map(Error::from),
        Err(error) if error.maybe_done() => {
            looking(session, "automator_delete");
            Some(error)
        }
        Err(error) => return Err(error),
    };
    // What the answer to an unknown id is, nobody here knows; the second look decides.
    match (there(&list(session).await?), refused) {
        (false, _) => Ok(()),
        (true, Some(error)) => Err(error),
        (true, None) => {
            Err(AutomatorError::NotTaken { verb: "delete", id, found: "that it is still there".to_owned() }.into())
        }
    }
}

/// Its log.
///
/// # Errors
/// As [`view`].
pub async fn log(session: &Session, id: AutomatorId) -> Result<Vec<LogLine>, Error> {
    let request = m::AdminAutomatorLogRequest { automator_id: id.0 };
    let answer = session.ask("automator/automator_log_get", &request).await?;
    let infos = taken("log", || told(id), answer)?;
    Ok(infos.into_iter().flat_map(|info| info.log_entries).map(LogLine::of).collect())
}

/// Empties its log.
///
/// # Errors
/// As [`view`].
pub async fn clear_log(session: &Session, id: AutomatorId) -> Result<(), Error> {
    let request = m::AdminAutomatorLogClearRequest { automator_id: id.0 };
    changed(session, "log-clear", "automator/automator_log_clear", id, &request).await.map(|_| ())
}

/// The skills it could have.
///
/// # Errors
/// As [`view`].
pub async fn skills_offered(session: &Session, id: AutomatorId) -> Result<Vec<Skill>, Error> {
    let request = m::AdminAutomatorSkillsRequest { automator_id: id.0 };
    let answer: m::AdminAutomatorSkillsResponse = session.ask("automator/automator_skills_get", &request).await?;
    if !answer.success {
        return Err(refused("skills", told(id), &answer.message).into());
    }
    Ok(answer.automator_skills.iter().filter_map(|skill| Skill::try_from(skill.skill_type).ok()).collect())
}

/// Changes something and gives what a second look shows. A lost answer is no harm, because every such change may be said again.
async fn changed(
    session: &Session,
    verb: &'static str,
    endpoint: &'static str,
    id: AutomatorId,
    request: &impl Message,
) -> Result<Info, Error> {
    let answer: m::AdminResponse = session.change(endpoint, request).await?;
    taken(verb, || told(id), answer)?;
    view(session, id).await
}

fn told(id: AutomatorId) -> String {
    format!("the Automator {id}")
}

fn looking(session: &Session, call: &'static str) {
    session.transport().options().tell(&Event::LookingAgain { call });
}

/// A failed operation comes with status 200 and `success` false.
pub(super) fn taken(
    verb: &'static str,
    what: impl FnOnce() -> String,
    answer: m::AdminResponse,
) -> Result<Vec<m::AutomatorInfo>, AutomatorError> {
    if answer.success { Ok(answer.automator_info) } else { Err(refused(verb, what(), &answer.message)) }
}

pub(super) fn refused(verb: &'static str, what: String, message: &str) -> AutomatorError {
    AutomatorError::Refused { verb, what, message: clean(message), node_without_sso: false }
}

pub(super) fn must(
    verb: &'static str,
    now: &Info,
    fits: bool,
    found: impl FnOnce() -> String,
) -> Result<(), AutomatorError> {
    if fits { Ok(()) } else { Err(AutomatorError::NotTaken { verb, id: now.id, found: found() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(id: i64, name: &str, enabled: bool) -> m::AutomatorInfo {
        m::AutomatorInfo { automator_id: id, node_id: 2, name: name.to_owned(), enabled, ..Default::default() }
    }

    #[test]
    fn only_what_is_new_and_misnamed_is_taken_away_again() {
        let before = [AutomatorId(1)];
        let found = |answered: &[m::AutomatorInfo]| misnamed(&before, answered, 2, "automator").map(|id| id.0);
        assert_eq!(found(&[info(2, "automator (1)", false)]), Some(2));
        // A back end that lists all of the node's.
        assert_eq!(found(&[info(1, "in use", true), info(2, "automator (1)", false)]), Some(2));
        assert_eq!(found(&[info(1, "in use", true), info(2, "automator", false)]), None);
        // Somebody else made one between the list and the call.
        assert_eq!(found(&[info(3, "in use", true)]), None);
        let elsewhere = m::AutomatorInfo { node_id: 3, ..info(2, "automator (1)", false) };
        assert_eq!(found(&[elsewhere]), None);
    }
}
