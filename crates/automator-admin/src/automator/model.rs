use std::collections::BTreeSet;
use std::fmt;

use keeper_wire::messages::automator as m;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::judge::clean;

pub use keeper_wire::messages::automator::{AutomatorState, SkillType as Skill};

/// The id of an Automator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AutomatorId(pub i64);

impl fmt::Display for AutomatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An Automator as Keeper tells of it.
#[derive(Clone, Debug)]
pub struct Info {
    /// Its id.
    pub id: AutomatorId,
    /// The node it serves.
    pub node: i64,
    /// Its name.
    pub name: String,
    /// Whether it is asked for approvals. Independent of `state`.
    pub enabled: bool,
    /// Where Keeper calls it; empty at first.
    pub url: String,
    /// What it decides.
    pub skills: BTreeSet<Skill>,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// What it waits for.
    pub state: AutomatorState,
    /// Whether `init` went through.
    pub initialized: bool,
    /// Version of the service; empty where it is not known.
    pub version: String,
    /// When its certificate ends, as Keeper says; empty where it is not known.
    pub certificate_ends: String,
    /// Devices approved, devices denied, errors.
    pub counts: [i64; 3],
}

/// A setting of an Automator.
#[derive(Clone)]
pub struct Setting {
    /// Its id in this Automator.
    pub id: i64,
    /// Its name for programs, such as `disable_sni_check`.
    pub tag: String,
    /// Its name for people.
    pub name: String,
    /// Its value, which may be a secret.
    pub value: SecretString,
    /// Whether it may be changed.
    pub editable: bool,
    pub(super) kind: m::DataType,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("id", &self.id).field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// A line of an Automator's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When, as the server writes it.
    pub time: String,
    /// `INFO`, `ERROR` and so on.
    pub level: String,
    /// Which part of the service.
    pub component: String,
    /// What happened.
    pub message: String,
}

impl Info {
    pub(super) fn of(info: m::AutomatorInfo) -> Self {
        let status = info.status.clone().unwrap_or_default();
        let state = info.automator_state();
        let skill = |skill: &m::AutomatorSkill| Skill::try_from(skill.skill_type).ok();
        Self {
            id: AutomatorId(info.automator_id),
            node: info.node_id,
            enabled: info.enabled,
            skills: info.automator_skills.iter().filter_map(skill).collect(),
            state,
            initialized: status.initialized,
            certificate_ends: clean(&info.ssl_certificate_expiration_date),
            counts: [status.number_of_devices_approved, status.number_of_devices_denied, status.number_of_errors],
            settings: info.automator_setting_values.into_iter().map(Setting::of).collect(),
            name: info.name,
            url: info.url,
            version: clean(&info.version),
        }
    }

    /// Whether the enterprise's keys were handed over.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        matches!(self.state, AutomatorState::Running | AutomatorState::NeedsInitialization) || self.is_ready()
    }

    /// Whether it was set up and initialised. A back end that tells no state is believed when it says `initialized`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match self.state {
            AutomatorState::Running => true,
            AutomatorState::Unknown => self.initialized,
            _ => false,
        }
    }

    /// How a person is told which one: name and id.
    #[must_use]
    pub fn told(&self) -> String {
        format!("the Automator {:?} ({})", self.name, self.id)
    }
}

impl Serialize for Info {
    /// For a program that reads: names of skills and state, tags of settings without their values.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let [approved, denied, errors] = self.counts;
        let mut object = serializer.serialize_struct("Info", 14)?;
        object.serialize_field("id", &self.id)?;
        object.serialize_field("node", &self.node)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("url", &self.url)?;
        object.serialize_field("enabled", &self.enabled)?;
        object.serialize_field("state", self.state.name())?;
        object.serialize_field("initialized", &self.initialized)?;
        object.serialize_field("skills", &self.skills.iter().map(|skill| skill_name(*skill)).collect::<Vec<_>>())?;
        object.serialize_field("settings", &self.settings.iter().map(|one| one.tag.as_str()).collect::<Vec<_>>())?;
        object.serialize_field("version", &self.version)?;
        object.serialize_field("certificate_ends", &self.certificate_ends)?;
        object.serialize_field("devices_approved", &approved)?;
        object.serialize_field("devices_denied", &denied)?;
        object.serialize_field("errors", &errors)?;
        object.end()
    }
}

/// Commander's word for a skill: `device`, `team`, `team_for_user`.
#[must_use]
pub fn skill_name(skill: Skill) -> &'static str {
    match skill {
        Skill::DeviceApproval => "device",
        Skill::TeamApproval => "team",
        Skill::TeamForUserApproval => "team_for_user",
        Skill::Reporting => "reporting",
        Skill::Unknown => "unknown",
    }
}

/// The skill of Commander's word, in any letter case. `reporting` is not offered, as by Commander.
#[must_use]
pub fn skill_named(name: &str) -> Option<Skill> {
    let offered = [Skill::DeviceApproval, Skill::TeamApproval, Skill::TeamForUserApproval];
    offered.into_iter().find(|skill| skill_name(*skill).eq_ignore_ascii_case(name.trim()))
}

impl Setting {
    fn of(value: m::AutomatorSettingValue) -> Self {
        Self {
            id: value.setting_id,
            kind: value.data_type(),
            editable: value.editable,
            tag: value.setting_tag,
            name: value.setting_name,
            value: value.setting_value.into(),
        }
    }

    /// Whether people call it so: by name or tag, in any letter case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.tag.eq_ignore_ascii_case(name)
    }

    /// The value as it is sent, or what was expected (spec 4.2).
    pub(super) fn accepts(&self, value: &SecretString) -> Result<SecretString, &'static str> {
        let text = value.expose_secret().trim();
        match self.kind {
            m::DataType::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "on" => Ok("true".to_owned().into()),
                "false" | "0" | "off" => Ok("false".to_owned().into()),
                _ => Err("true or false"),
            },
            m::DataType::Integer if text.parse::<i32>().is_err() => Err("a whole number of 32 bits"),
            m::DataType::Long if text.parse::<i64>().is_err() => Err("a whole number of 64 bits"),
            m::DataType::Integer | m::DataType::Long => Ok(text.to_owned().into()),
            _ => Ok(value.clone()),
        }
    }

    pub(super) fn holds(&self, value: &SecretString) -> bool {
        let same_case = self.value.expose_secret() == value.expose_secret();
        same_case
            || (self.kind == m::DataType::Boolean
                && self.value.expose_secret().eq_ignore_ascii_case(value.expose_secret()))
    }
}

impl LogLine {
    pub(super) fn of(entry: m::LogEntry) -> Self {
        Self {
            time: clean(&entry.server_time),
            level: clean(&entry.message_level),
            component: clean(&entry.component),
            message: clean(&entry.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    #[test]
    fn a_program_reads_names_and_no_values() {
        let setting = m::AutomatorSettingValue {
            setting_tag: "x".to_owned(),
            setting_value: "marker-secret".to_owned(),
            ..Default::default()
        };
        let info = Info::of(m::AutomatorInfo {
            automator_id: 7,
            automator_state: 1,
            automator_skills: vec![m::AutomatorSkill { skill_type: 3, ..Default::default() }],
            automator_setting_values: vec![setting],
            ..Default::default()
        });
        let json = serde_json::to_value(&info).unwrap();
        assert_eq!((&json["state"], &json["skills"][0]), (&"RUNNING".into(), &"team_for_user".into()));
        assert!(!format!("{json} {info:?}").contains("marker-secret"), "{json}");
    }

    #[test]
    fn skills_have_commanders_words() {
        for name in ["device", "TEAM", " team_for_user "] {
            let skill = skill_named(name).unwrap();
            assert_eq!(skill_name(skill), name.trim().to_lowercase());
        }
        assert_eq!((skill_named("reporting"), skill_named("")), (None, None));
    }

    proptest::proptest! {
        /// Anything a server may say of an Automator can be looked at, and a plan made from it.
        #[test]
        fn no_answer_is_a_panic(bytes: Vec<u8>, state: i32, kind: i32, value: String, url: String) {
            let mut info = m::AutomatorInfo::decode(bytes.as_slice()).unwrap_or_default();
            info.automator_state = state;
            info.url = url;
            let setting = m::AutomatorSettingValue { setting_tag: "x".to_owned(), data_type: kind, ..Default::default() };
            info.automator_setting_values.push(setting);
            info.automator_skills.push(m::AutomatorSkill { skill_type: kind, ..Default::default() });
            let info = Info::of(info);
            let settings = vec![("x".to_owned(), value.into())];
            let wanted = super::super::Wanted { settings, ..super::super::Wanted::new(1, "a", "a.example.com") };
            if let Ok(steps) = super::super::plan(Some(&info), &wanted) {
                proptest::prop_assert!(steps.len() <= 4);
            }
        }
    }
}
