//! From what is there to what is wanted, and back to nothing.

use super::verbs::{create, delete, disable, edit, enable, init, list, one_of};
use super::{AutomatorError, Info, KeyOffer, Step, Wanted, plan, setup};
use crate::{Error, Event, Session};

/// Calls that one [`apply`] may need.
const MOST_STEPS: usize = 8;

/// Brings the Automator to the wanted state with the fewest calls, and gives it with the steps that were taken. When nothing is
/// left to do, only one list is read. An interrupted one is completed by the next.
///
/// `confirm` is asked when `setup` is among the steps; see [`setup`].
///
/// # Errors
/// As the single verbs; [`AutomatorError::Stuck`] when a step had no effect; [`AutomatorError::NotPlanned`] for a `setup` that is
/// not to be among the steps.
pub async fn apply(
    session: &Session,
    wanted: &Wanted,
    confirm: &(dyn Fn(&KeyOffer) -> bool + Send + Sync),
) -> Result<(Info, Vec<Step>), Error> {
    let all = list(session).await?;
    let elsewhere = |other: &&Info| other.node == wanted.node && other.name != wanted.name && other.enabled;
    for other in all.iter().filter(elsewhere) {
        let event = Event::OtherAutomator { name: other.name.clone(), id: other.id.0 };
        session.transport().options().tell(&event);
    }
    let mut found = one_of(all, wanted.node, &wanted.name)?;
    let mut done: Vec<Step> = Vec::new();
    loop {
        let next = plan(found.as_ref(), wanted)?.into_iter().next();
        let (now, step) = match (found, next) {
            (Some(now), None) => return Ok((now, done)),
            (None, _) => (create(session, wanted.node, &wanted.name).await?, Step::Create),
            (Some(now), Some(step)) => {
                // No step is needed twice: what comes again had no effect, or was undone meanwhile.
                if done.iter().any(|one| one.verb() == step.verb()) || done.len() >= MOST_STEPS {
                    return Err(AutomatorError::Stuck { id: now.id, state: now.state }.into());
                }
                if matches!(step, Step::Setup) && !wanted.may_set_up {
                    return Err(AutomatorError::NotPlanned { id: now.id, state: now.state }.into());
                }
                (take(session, &now, &step, confirm).await?, step)
            }
        };
        found = Some(now);
        done.push(step);
    }
}

async fn take(
    session: &Session,
    automator: &Info,
    step: &Step,
    confirm: &(dyn Fn(&KeyOffer) -> bool + Send + Sync),
) -> Result<Info, Error> {
    match step {
        Step::Create => Ok(automator.clone()),
        Step::Edit { .. } => edit(session, automator, step).await,
        Step::Setup => setup(session, automator, confirm).await,
        Step::Init => init(session, automator.id).await,
        Step::Enable => enable(session, automator.id).await,
        Step::Disable => disable(session, automator.id).await,
    }
}

/// Disables and deletes the Automator, in the order of spec 7.7. One that is not there is done. Stop the service after this, and
/// destroy what it has stored: it keeps the enterprise's keys.
///
/// # Errors
/// As [`disable`] and [`delete`].
pub async fn remove(session: &Session, automator: &Info) -> Result<(), Error> {
    let all = list(session).await?;
    let Some(found) = all.iter().find(|one| one.id == automator.id) else { return Ok(()) };
    if found.enabled {
        disable(session, found.id).await?;
    }
    delete(session, found.id).await
}
