//! The exchange of keys (spec 4.3).

use std::fmt::Write as _;

use keeper_wire::crypto::sha256;
use keeper_wire::ec::PublicKey;
use keeper_wire::messages::automator as m;
use keeper_wire::messages::automator::AutomatorState;

use super::plan::leads_on;
use super::verbs::{must, refused, view};
use super::{AutomatorError, AutomatorId, Info};
use crate::{Error, Session};

/// The key to which the enterprise's keys are about to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOffer {
    /// Whose it is said to be.
    pub id: AutomatorId,
    /// Its name.
    pub name: String,
    /// Where Keeper called it.
    pub url: String,
    /// SHA-256 of the 65 bytes of the key: 32 pairs of hexadecimal digits with colons.
    pub fingerprint: String,
}

/// Hands the enterprise's private keys and tree key over to an Automator that the caller has named.
///
/// `confirm` sees whose key came back before anything is handed over; without its yes nothing is.
///
/// # Errors
/// [`AutomatorError::NoUrl`], [`AutomatorError::NotConfirmed`], [`AutomatorError::NotTaken`];
/// [`EnterpriseError`](crate::enterprise::EnterpriseError) when a key of the enterprise is missing, before Keeper is asked
/// anything; and what can happen to a call.
pub async fn setup(
    session: &Session,
    automator: &Info,
    confirm: &(dyn Fn(&KeyOffer) -> bool + Send + Sync),
) -> Result<Info, Error> {
    let id = automator.id;
    if automator.url.is_empty() {
        return Err(AutomatorError::NoUrl { id }.into());
    }
    let account = session.account().await?;
    let keys = session.enterprise().await?.keys(account.forbids_rsa)?;

    let first = m::AdminSetupAutomatorRequest {
        automator_id: id.0,
        automator_state: AutomatorState::NeedsCryptoStep1.into(),
        ..Default::default()
    };
    let answer = said(session, automator, &first).await?;
    let public = PublicKey::from_slice(&answer.automator_ecc_public_key).map_err(|_| AutomatorError::BadKey { id })?;
    if answer.automator_id != 0 && answer.automator_id != id.0 {
        return Err(AutomatorError::BadKey { id }.into());
    }
    let offer =
        KeyOffer { id, name: automator.name.clone(), url: automator.url.clone(), fingerprint: fingerprint(&public) };
    if !confirm(&offer) {
        return Err(AutomatorError::NotConfirmed { id, fingerprint: offer.fingerprint }.into());
    }

    let second = m::AdminSetupAutomatorRequest {
        automator_id: id.0,
        automator_state: AutomatorState::NeedsCryptoStep2.into(),
        encrypted_ecc_enterprise_private_key: public.seal(keys.ec.expose_scalar()),
        encrypted_rsa_enterprise_private_key: keys.rsa.as_ref().map(|key| public.seal(key)).unwrap_or_default(),
        encrypted_tree_key: public.seal(keys.tree.expose()),
        ..Default::default()
    };
    said(session, automator, &second).await?;
    let now = view(session, id).await?;
    must("setup", &now, leads_on(now.state), || now.state.name().to_owned())?;
    Ok(now)
}

async fn said(
    session: &Session,
    automator: &Info,
    request: &m::AdminSetupAutomatorRequest,
) -> Result<m::AdminSetupAutomatorResponse, Error> {
    let answer: m::AdminSetupAutomatorResponse = session.change("automator/automator_setup", request).await?;
    if answer.success { Ok(answer) } else { Err(refused("setup", automator.told(), &answer.message).into()) }
}

fn fingerprint(key: &PublicKey) -> String {
    let mut text = String::with_capacity(95);
    for (index, byte) in sha256(key.as_bytes()).iter().enumerate() {
        let colon = if index == 0 { "" } else { ":" };
        write!(text, "{colon}{byte:02x}").expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use keeper_wire::ec::PrivateKey;

    #[test]
    fn a_fingerprint_has_32_pairs() {
        let text = fingerprint(&PrivateKey::generate().public());
        assert_eq!((text.len(), text.split(':').count()), (95, 32));
    }
}
