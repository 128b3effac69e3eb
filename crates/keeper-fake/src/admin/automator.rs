//! The Automator endpoints, and the Automator's own half of the key exchange.
//!
//! `setup` (first step) and `init` call the service at its URL, as Keeper's cloud does; the shell carries the call out, because
//! the state machine does no input or output. What the real service answers on its own paths is in no public source, so
//! `GET /health` is all that is asked of it, and the fake makes the service's key pair itself.
//!
//! Guesses: the texts of refusals, that `reset` forgets the exchanged keys, that `setup` may be repeated in any state, and
//! that a taken name gets a number.

use super::enterprise::Enterprise;
use super::reply::{Contact, Refusal, Reply, Verb, read};
use crate::saved;
use keeper_wire::crypto::same;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::automator as m;
use keeper_wire::messages::automator::{AutomatorState, DataType, SkillType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the back end keeps of one Automator.
#[derive(Serialize, Deserialize)]
pub struct Automator {
    /// Its id.
    pub id: i64,
    /// The node it serves.
    pub node: i64,
    /// Its name.
    pub name: String,
    /// Whether it is asked.
    pub enabled: bool,
    /// Where it is; empty at first.
    pub url: String,
    /// What it decides.
    #[serde(with = "saved::numbers")]
    pub skills: Vec<SkillType>,
    /// What it waits for. It says nothing of `enabled`.
    #[serde(with = "saved::number")]
    pub state: AutomatorState,
    /// What `setup` handed over and the Automator could open.
    pub keys: Handed,
    /// Milliseconds of the last `init`; 0 is never.
    pub initialized: i64,
    #[serde(with = "saved::messages")]
    settings: Vec<m::AutomatorSettingValue>,
    #[serde(with = "saved::messages")]
    log: Vec<m::LogEntry>,
    /// The service's own key pair, which it makes when it is first called.
    #[serde(with = "saved::optional_text")]
    pair: Option<PrivateKey>,
}

/// Which of the enterprise's keys the Automator holds, each compared with the original.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// The P-256 key of the enterprise.
    pub ec: bool,
    /// The RSA key of the enterprise.
    pub rsa: bool,
    /// The tree key.
    pub tree: bool,
}

impl fmt::Debug for Automator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Automator")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("state", &self.state)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// All Automators of the enterprise.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Automators {
    pub(super) all: BTreeMap<i64, Automator>,
    made: i64,
    /// Whether `init` is accepted and ends in the state `ERROR`.
    #[serde(default)]
    pub(super) fail_to_start: bool,
}

/// Automators that a test may make before it is told to stop.
const MOST: usize = 200;

/// Tag, name, type, value at first.
const SETTINGS: [(&str, &str, DataType, &str); 5] = [
    ("disable_sni_check", "Disable SNI Check", DataType::Boolean, "false"),
    ("persist_state", "Persist State", DataType::Boolean, "true"),
    ("ssl_mode", "SSL Mode", DataType::String, "certificate"),
    ("url", "Automator URL", DataType::Url, ""),
    ("polling_seconds", "Polling Interval", DataType::Integer, "60"),
];

impl Automator {
    fn info(&self, with_log: bool) -> m::AutomatorInfo {
        m::AutomatorInfo {
            automator_id: self.id,
            node_id: self.node,
            name: self.name.clone(),
            enabled: self.enabled,
            url: self.url.clone(),
            automator_skills: self.skills.iter().map(|skill| skill_info(*skill)).collect(),
            automator_setting_values: self.settings.clone(),
            status: Some(m::StatusResponse {
                initialized: self.initialized != 0,
                initialized_timestamp: self.initialized,
                ..Default::default()
            }),
            log_entries: if with_log { self.log.clone() } else { Vec::new() },
            automator_state: self.state.into(),
            version: String::new(),
            ssl_certificate_expiration_date: String::new(),
        }
    }

    fn note(&mut self, now: i64, level: &str, message: &str) {
        self.log.truncate(500);
        self.log.push(m::LogEntry {
            server_time: now.to_string(),
            message_level: level.to_owned(),
            component: "automator".to_owned(),
            message: message.to_owned(),
        });
    }
}

fn skill_info(skill: SkillType) -> m::AutomatorSkill {
    let name = match skill {
        SkillType::DeviceApproval => "Device Approval",
        SkillType::TeamApproval => "Team Approval",
        SkillType::TeamForUserApproval => "Team For User Approval",
        SkillType::Reporting => "Reporting",
        SkillType::Unknown => "Unknown",
    };
    m::AutomatorSkill { skill_type: skill.into(), name: name.to_owned(), translated_name: name.to_owned() }
}

fn failed(message: &str) -> Reply {
    Reply::message(&m::AdminResponse { success: false, message: message.to_owned(), automator_info: Vec::new() })
}

fn told(infos: Vec<m::AutomatorInfo>) -> Reply {
    Reply::message(&m::AdminResponse { success: true, message: String::new(), automator_info: infos })
}

fn setup_failed(id: i64, message: &str) -> Reply {
    let answer = m::AdminSetupAutomatorResponse { automator_id: id, message: message.to_owned(), ..Default::default() };
    Reply::message(&answer)
}

/// A refusal with the text of a back end, in the shape that belongs to the endpoint.
pub(super) fn refused(endpoint: &str, message: &str) -> Reply {
    if endpoint == "automator_setup" { setup_failed(0, message) } else { failed(message) }
}

const NOT_FOUND: &str = "Automator not found";

/// Answers below `automator/`. `None` is for another topic.
pub(super) fn answer(
    automators: &mut Automators,
    enterprise: &Enterprise,
    now: i64,
    endpoint: &str,
    payload: &[u8],
) -> Option<Result<Reply, Refusal>> {
    Some(match endpoint {
        "automator_get_all_for_enterprise" => {
            read::<m::AdminGetAutomatorsForEnterpriseRequest>(payload).map(|request| {
                let ours = request.enterprise_id == enterprise.id;
                told(automators.all.values().filter(|_| ours).map(|automator| automator.info(false)).collect())
            })
        }
        "automator_get_on_node" => read::<m::AdminGetAutomatorsOnNodeRequest>(payload).map(|request| {
            let here = automators.all.values().filter(|automator| automator.node == request.node_id);
            told(here.map(|automator| automator.info(false)).collect())
        }),
        "automator_create" => read(payload).map(|request| create(automators, enterprise, now, &request)),
        "automator_edit" => read::<m::AdminEditAutomatorRequest>(payload)
            .map(|request| one(automators, request.automator_id, |automator| edit(automator, now, &request))),
        "automator_setup" => {
            read::<m::AdminSetupAutomatorRequest>(payload).map(|request| setup(automators, enterprise, now, &request))
        }
        "automator_initialize" => read::<m::AdminInitializeAutomatorRequest>(payload)
            .map(|request| one(automators, request.automator_id, |automator| initialize(automator, now))),
        "automator_enable" => read::<m::AdminEnableAutomatorRequest>(payload).map(|request| {
            one(automators, request.automator_id, |automator| {
                automator.enabled = request.enabled;
                automator.note(now, "INFO", if request.enabled { "enabled" } else { "disabled" });
                told(vec![automator.info(false)])
            })
        }),
        "automator_get" => by_id(automators, payload, |automator| told(vec![automator.info(false)])),
        "automator_log_get" => by_id(automators, payload, |automator| told(vec![automator.info(true)])),
        "automator_log_clear" => by_id(automators, payload, |automator| {
            automator.log.clear();
            told(vec![automator.info(true)])
        }),
        "automator_full_reset" => by_id(automators, payload, |automator| {
            automator.settings = default_settings(automator.id);
            automator.state = AutomatorState::NeedsCryptoStep1;
            (automator.keys, automator.pair, automator.initialized) = (Handed::default(), None, 0);
            automator.note(now, "INFO", "reset");
            told(vec![automator.info(false)])
        }),
        "automator_delete" => read::<m::AdminDeleteAutomatorRequest>(payload).map(|request| {
            automators.all.remove(&request.automator_id).map_or_else(|| failed(NOT_FOUND), |_| told(Vec::new()))
        }),
        "automator_skills_get" => read::<m::AdminAutomatorSkillsRequest>(payload).map(|request| {
            let offered = [SkillType::DeviceApproval, SkillType::TeamApproval, SkillType::TeamForUserApproval];
            let known = automators.all.contains_key(&request.automator_id);
            Reply::message(&m::AdminAutomatorSkillsResponse {
                success: known,
                message: if known { String::new() } else { NOT_FOUND.to_owned() },
                automator_skills: offered.into_iter().filter(|_| known).map(skill_info).collect(),
            })
        }),
        _ => return None,
    })
}

fn one(automators: &mut Automators, id: i64, then: impl FnOnce(&mut Automator) -> Reply) -> Reply {
    automators.all.get_mut(&id).map_or_else(|| failed(NOT_FOUND), then)
}

/// The requests of these endpoints are alike byte for byte: an id in field 1.
fn by_id(
    automators: &mut Automators,
    payload: &[u8],
    then: impl FnOnce(&mut Automator) -> Reply,
) -> Result<Reply, Refusal> {
    let request: m::AdminGetAutomatorRequest = read(payload)?;
    Ok(one(automators, request.automator_id, then))
}

fn create(
    automators: &mut Automators,
    enterprise: &Enterprise,
    now: i64,
    request: &m::AdminCreateAutomatorRequest,
) -> Reply {
    let Some(node) = enterprise.node(request.node_id) else { return failed("Node not found") };
    if node.sso != Some(true) {
        return failed("SSO Connect Cloud is not configured on this node");
    }
    if request.name.is_empty() {
        return failed("Automator name is required");
    }
    if automators.all.len() >= MOST {
        return failed("Too many automators");
    }
    let taken = |name: &str| automators.all.values().any(|automator| automator.name == name);
    let numbered = (1..).map(|number| format!("{} ({number})", request.name));
    let name = std::iter::once(request.name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or_default();
    automators.made += 1;
    let id = enterprise.numbered(99 + automators.made);
    let mut automator = Automator {
        id,
        node: node.id,
        name,
        enabled: false,
        url: String::new(),
        skills: vec![SkillType::DeviceApproval],
        state: AutomatorState::NeedsCryptoStep1,
        keys: Handed::default(),
        initialized: 0,
        settings: default_settings(id),
        log: Vec::new(),
        pair: None,
    };
    automator.note(now, "INFO", "created");
    let info = automator.info(false);
    automators.all.insert(id, automator);
    told(vec![info])
}

fn default_settings(id: i64) -> Vec<m::AutomatorSettingValue> {
    let setting = |(index, (tag, name, kind, value)): (i32, (&str, &str, DataType, &str))| m::AutomatorSettingValue {
        setting_id: (id & 0xffff_ffff) * 100 + i64::from(index),
        setting_type_id: index,
        setting_tag: tag.to_owned(),
        setting_name: name.to_owned(),
        setting_value: value.to_owned(),
        data_type: kind.into(),
        editable: tag != "url",
        user_visible: true,
        ..Default::default()
    };
    (1..).zip(SETTINGS).map(setting).collect()
}

fn edit(automator: &mut Automator, now: i64, request: &m::AdminEditAutomatorRequest) -> Reply {
    let mut settings = automator.settings.clone();
    for wanted in &request.automator_setting_values {
        let named = |known: &&mut m::AutomatorSettingValue| {
            known.setting_id == wanted.setting_id
                || (!wanted.setting_tag.is_empty() && known.setting_tag == wanted.setting_tag)
        };
        let Some(known) = settings.iter_mut().find(named).filter(|known| known.editable) else {
            return failed("Unknown setting");
        };
        if !fits(known.data_type(), &wanted.setting_value) {
            return failed(&format!("Invalid value of {}", known.setting_tag));
        }
        known.setting_value = wanted.setting_value.clone();
    }
    let skills: Option<Vec<SkillType>> =
        request.skill_types.iter().map(|skill| SkillType::try_from(*skill).ok()).collect();
    let Some(skills) = skills.filter(|skills| !skills.contains(&SkillType::Unknown)) else {
        return failed("Unknown skill");
    };
    automator.settings = settings;
    if !skills.is_empty() {
        automator.skills = skills;
    }
    if !request.name.is_empty() {
        automator.name = request.name.clone();
    }
    if !request.url.is_empty() {
        automator.url = request.url.clone();
    }
    automator.enabled = request.enabled;
    automator.note(now, "INFO", "edited");
    told(vec![automator.info(false)])
}

fn fits(kind: DataType, value: &str) -> bool {
    match kind {
        DataType::Boolean => matches!(value, "true" | "false"),
        DataType::Integer | DataType::Long => value.parse::<i64>().is_ok(),
        _ => true,
    }
}

fn setup(
    automators: &mut Automators,
    enterprise: &Enterprise,
    now: i64,
    request: &m::AdminSetupAutomatorRequest,
) -> Reply {
    let id = request.automator_id;
    let Some(automator) = automators.all.get_mut(&id) else { return setup_failed(id, NOT_FOUND) };
    match request.automator_state() {
        AutomatorState::NeedsCryptoStep1 if automator.url.is_empty() => setup_failed(id, "Automator URL is not set"),
        AutomatorState::NeedsCryptoStep1 => {
            Reply::Contact(Contact { url: automator.url.clone(), automator: id, verb: Verb::Setup })
        }
        AutomatorState::NeedsCryptoStep2 => receive(automator, enterprise, now, request),
        _ => setup_failed(id, "Unexpected automator state"),
    }
}

/// The Automator's half: opens what the administrator sealed to it, and compares with the originals.
fn receive(
    automator: &mut Automator,
    enterprise: &Enterprise,
    now: i64,
    request: &m::AdminSetupAutomatorRequest,
) -> Reply {
    let id = automator.id;
    let (Some(pair), AutomatorState::NeedsCryptoStep2) = (&automator.pair, automator.state) else {
        return setup_failed(id, "Automator is not waiting for keys");
    };
    let opens = |sealed: &[u8], original: &[u8]| pair.open(sealed).is_ok_and(|plain| same(&plain, original));
    let rsa = &request.encrypted_rsa_enterprise_private_key;
    let keys = Handed {
        ec: opens(&request.encrypted_ecc_enterprise_private_key, enterprise.ec.expose_scalar()),
        rsa: !rsa.is_empty() && opens(rsa, &enterprise.rsa.private),
        tree: opens(&request.encrypted_tree_key, enterprise.tree_key.expose()),
    };
    if !keys.ec || !keys.tree || (!rsa.is_empty() && !keys.rsa) {
        automator.note(now, "ERROR", "keys could not be opened");
        return setup_failed(id, "Automator could not decrypt the keys");
    }
    automator.keys = keys;
    automator.state = AutomatorState::NeedsInitialization;
    automator.note(now, "INFO", "keys received");
    Reply::message(&setup_info(automator))
}

fn setup_info(automator: &Automator) -> m::AdminSetupAutomatorResponse {
    m::AdminSetupAutomatorResponse {
        success: true,
        message: String::new(),
        automator_id: automator.id,
        automator_state: automator.state.into(),
        automator_ecc_public_key: automator
            .pair
            .as_ref()
            .map_or_else(Vec::new, |pair| pair.public().as_bytes().to_vec()),
    }
}

fn initialize(automator: &mut Automator, now: i64) -> Reply {
    match automator.state {
        AutomatorState::NeedsInitialization | AutomatorState::Running | AutomatorState::Error => {
            Reply::Contact(Contact { url: automator.url.clone(), automator: automator.id, verb: Verb::Initialize })
        }
        _ => {
            automator.note(now, "ERROR", "initialisation without keys");
            failed("Automator needs setup before it can be initialized")
        }
    }
}

/// What comes after the service was called.
pub(super) fn contacted(
    automators: &mut Automators,
    now: i64,
    contact: &Contact,
    reached: Result<(), String>,
) -> Reply {
    let id = contact.automator;
    let Some(automator) = automators.all.get_mut(&id) else { return failed(NOT_FOUND) };
    if let Err(why) = reached {
        automator.note(now, "ERROR", &why);
        let message = format!("Automator at {} cannot be reached: {why}", contact.url);
        return match contact.verb {
            Verb::Setup => setup_failed(id, &message),
            Verb::Initialize => failed(&message),
        };
    }
    match contact.verb {
        Verb::Setup => {
            automator.pair.get_or_insert_with(PrivateKey::generate);
            automator.keys = Handed::default();
            automator.state = AutomatorState::NeedsCryptoStep2;
            automator.note(now, "INFO", "public key received");
            Reply::message(&setup_info(automator))
        }
        Verb::Initialize => {
            let fails = automators.fail_to_start;
            automator.state = if fails { AutomatorState::Error } else { AutomatorState::Running };
            automator.initialized = now;
            automator.note(now, "INFO", "initialized");
            told(vec![automator.info(false)])
        }
    }
}
