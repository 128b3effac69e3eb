//! What is to be done, decided without asking anybody.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::{AutomatorError, AutomatorState, Info, Skill};

/// The Automator of a deployment, as it should be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The node it serves.
    pub node: i64,
    /// Its name. Together with the node this is how it is found again.
    pub name: String,
    /// Where Keeper calls it. `https://` is put before a bare host, and a slash at the end is taken off.
    pub url: String,
    /// What it decides; `None` leaves what is there.
    pub skills: Option<BTreeSet<Skill>>,
    /// Settings by name or tag, in any letter case. Those that are not named are left alone.
    pub settings: Vec<(String, SecretString)>,
    /// Whether it is asked for approvals.
    pub enabled: bool,
    /// Whether it is to be set up and initialised. Without it only what can be said without the service is done.
    pub ready: bool,
    /// Whether [`apply`](super::apply) may set it up. Without it an Automator that needs it after all is left as it is: where
    /// nobody saw to it that one task answers, the two steps of `setup` may reach two.
    pub may_set_up: bool,
}

impl Wanted {
    /// An enabled Automator with the skills Keeper gives it.
    #[must_use]
    pub fn new(node: i64, name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            node,
            name: name.into(),
            url: url.into(),
            skills: None,
            settings: Vec::new(),
            enabled: true,
            ready: true,
            may_set_up: true,
        }
    }
}

/// One call that changes something.
#[derive(Clone, Debug)]
pub enum Step {
    /// A new Automator.
    Create,
    /// Several things at once. What is `None` or empty stays; `enabled` is always said, because Keeper would take its absence
    /// for no.
    Edit {
        /// A new URL.
        url: Option<String>,
        /// The whole new set of skills.
        skills: Option<BTreeSet<Skill>>,
        /// Settings by their ids, with their names for people.
        settings: Vec<(i64, String, SecretString)>,
        /// Whether it is asked for approvals.
        enabled: bool,
    },
    /// The exchange of keys, two calls.
    Setup,
    /// The service gets what it needs from the identity provider's data.
    Init,
    /// It is asked for approvals from now on.
    Enable,
    /// It is no longer asked.
    Disable,
}

impl Step {
    /// The verb of Commander.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit { .. } => "edit",
            Self::Setup => "setup",
            Self::Init => "init",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }

    /// What it does, for a plan: `edit url, skills`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self::Edit { url, skills, settings, .. } = self else { return self.verb().to_owned() };
        let mut parts = Vec::new();
        parts.extend(url.as_ref().map(|_| "url".to_owned()));
        parts.extend(skills.as_ref().map(|_| "skills".to_owned()));
        parts.extend(settings.iter().map(|(_, name, _)| name.clone()));
        format!("edit {}", if parts.is_empty() { "enabled".to_owned() } else { parts.join(", ") })
    }
}

/// The fewest calls from what is there to what is wanted, in the documented order: create, edit, setup, init, enable (spec 4.4).
/// Nothing is left to do when it is empty.
///
/// # Errors
/// [`AutomatorError::Url`], [`AutomatorError::UnknownSetting`], [`AutomatorError::SettingValue`].
pub fn plan(found: Option<&Info>, wanted: &Wanted) -> Result<Vec<Step>, AutomatorError> {
    let url = normal_url(&wanted.url)?;
    let Some(found) = found else {
        let mut steps = vec![Step::Create];
        let given: BTreeSet<Skill> = [Skill::DeviceApproval].into();
        // A new one has no settings yet that could be named by id.
        steps.push(Step::Edit {
            url: Some(url),
            skills: wanted.skills.clone().filter(|skills| *skills != given),
            settings: wanted.settings.iter().map(|(name, value)| (0, name.clone(), value.clone())).collect(),
            enabled: false,
        });
        if wanted.ready {
            steps.extend([Step::Setup, Step::Init]);
        }
        if wanted.enabled {
            steps.push(Step::Enable);
        }
        return Ok(steps);
    };

    let url = (normal_url(&found.url).ok().as_ref() != Some(&url)).then_some(url);
    let skills = wanted.skills.clone().filter(|skills| *skills != found.skills && !skills.is_empty());
    let mut settings = Vec::new();
    for (name, value) in &wanted.settings {
        let setting = found.settings.iter().find(|setting| setting.is_called(name)).ok_or_else(|| {
            let known = found.settings.iter().map(|setting| setting.tag.as_str()).collect::<Vec<_>>().join(", ");
            AutomatorError::UnknownSetting { name: name.clone(), known }
        })?;
        let value =
            setting.accepts(value).map_err(|expected| AutomatorError::SettingValue { name: name.clone(), expected })?;
        if !setting.holds(&value) {
            settings.push((setting.id, setting.name.clone(), value));
        }
    }

    let mut steps = Vec::new();
    let hand_over = wanted.ready && !found.is_set_up();
    let init = wanted.ready && (hand_over || !found.is_ready());
    let mut enabled = found.enabled;
    if url.is_some() || skills.is_some() || !settings.is_empty() {
        // An edit says `enabled` anyway; it may say the new value unless the service is not ready for being asked.
        if !(init && wanted.enabled) {
            enabled = wanted.enabled;
        }
        steps.push(Step::Edit { url, skills, settings, enabled });
    }
    if hand_over {
        steps.push(Step::Setup);
    }
    if init {
        steps.push(Step::Init);
    }
    if enabled != wanted.enabled {
        steps.push(if wanted.enabled { Step::Enable } else { Step::Disable });
    }
    Ok(steps)
}

/// Spec 4.2, and nothing but https: the enterprise's keys go over this address.
pub(super) fn normal_url(url: &str) -> Result<String, AutomatorError> {
    // A user name and password in it are nobody's business.
    let wrong = || AutomatorError::Url { url: if url.contains('@') { "…@…" } else { url }.to_owned() };
    let text = url.trim();
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let parsed = url::Url::parse(&text).map_err(|_| wrong())?;
    let fits = parsed.scheme() == "https"
        && parsed.has_host()
        && parsed.username().is_empty()
        && parsed.password().is_none()
        && parsed.query().is_none()
        && parsed.fragment().is_none();
    if fits { Ok(parsed.as_str().trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// Whether a state is one that `setup` and `init` lead out of.
pub(super) fn leads_on(state: AutomatorState) -> bool {
    !matches!(state, AutomatorState::NeedsCryptoStep1 | AutomatorState::NeedsCryptoStep2)
}

#[cfg(test)]
mod tests {
    use super::super::AutomatorId;
    use super::*;
    use keeper_wire::messages::automator as m;

    fn found(state: AutomatorState) -> Info {
        let setting = |id, tag: &str, kind: m::DataType, value: &str| m::AutomatorSettingValue {
            setting_id: id,
            setting_tag: tag.to_owned(),
            setting_name: tag.replace('_', " "),
            setting_value: value.to_owned(),
            data_type: kind.into(),
            editable: true,
            ..Default::default()
        };
        Info::of(m::AutomatorInfo {
            automator_id: 7,
            node_id: 2,
            name: "automator".to_owned(),
            url: "https://a.example.com".to_owned(),
            automator_skills: vec![m::AutomatorSkill { skill_type: 1, ..Default::default() }],
            automator_setting_values: vec![
                setting(1, "disable_sni_check", m::DataType::Boolean, "False"),
                setting(2, "polling_seconds", m::DataType::Integer, "60"),
            ],
            automator_state: state.into(),
            enabled: true,
            ..Default::default()
        })
    }

    fn wanted() -> Wanted {
        Wanted::new(2, "automator", "a.example.com/")
    }

    #[track_caller]
    fn check(found: Option<&Info>, wanted: &Wanted, expected: &[&str]) {
        let steps = plan(found, wanted).unwrap();
        assert_eq!(steps.iter().map(Step::describe).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_new_one_takes_the_documented_order() {
        check(None, &wanted(), &["create", "edit url", "setup", "init", "enable"]);
        check(None, &Wanted { enabled: false, ready: false, ..wanted() }, &["create", "edit url"]);
        let skills = Some([Skill::DeviceApproval, Skill::TeamApproval].into());
        let settings = vec![("Polling Seconds".to_owned(), "30".to_owned().into())];
        let more = Wanted { skills, settings, ..wanted() };
        check(None, &more, &["create", "edit url, skills, Polling Seconds", "setup", "init", "enable"]);
    }

    #[test]
    fn what_is_as_wanted_needs_no_call() {
        check(Some(&found(AutomatorState::Running)), &wanted(), &[]);
        let settings = vec![("disable_sni_check".to_owned(), "off".to_owned().into())];
        let skills = Some([Skill::DeviceApproval].into());
        check(Some(&found(AutomatorState::Running)), &Wanted { settings, skills, ..wanted() }, &[]);
        let silent = Info { initialized: true, ..found(AutomatorState::Unknown) };
        check(Some(&silent), &wanted(), &[]);
    }

    #[test]
    fn an_interrupted_one_goes_on_where_it_stopped() {
        use AutomatorState::{Error, NeedsCryptoStep1, NeedsCryptoStep2, NeedsInitialization, Unknown};
        for state in [NeedsCryptoStep1, NeedsCryptoStep2, Error, Unknown] {
            check(Some(&found(state)), &wanted(), &["setup", "init"]);
        }
        check(Some(&found(NeedsInitialization)), &wanted(), &["init"]);
        let off = Info { enabled: false, ..found(NeedsInitialization) };
        check(Some(&off), &wanted(), &["init", "enable"]);
    }

    #[test]
    fn an_edit_says_enabled_so_no_other_call_is_needed() {
        let off = Info { enabled: false, ..found(AutomatorState::Running) };
        let moved = Wanted { url: "https://b.example.com".to_owned(), ..wanted() };
        check(Some(&off), &moved, &["edit url"]);
        check(Some(&off), &wanted(), &["enable"]);
        check(Some(&found(AutomatorState::Running)), &Wanted { enabled: false, ..wanted() }, &["disable"]);
        // But not while it has still to be set up.
        let fresh = Info { enabled: false, url: String::new(), ..found(AutomatorState::NeedsCryptoStep1) };
        let steps = plan(Some(&fresh), &wanted()).unwrap();
        assert!(matches!(steps[0], Step::Edit { enabled: false, .. }));
        check(Some(&fresh), &wanted(), &["edit url", "setup", "init", "enable"]);
    }

    #[test]
    fn settings_that_cannot_be_are_named() {
        let with =
            |name: &str, value: &str| Wanted { settings: vec![(name.to_owned(), value.to_owned().into())], ..wanted() };
        let running = found(AutomatorState::Running);
        let error = plan(Some(&running), &with("x", "1")).unwrap_err();
        assert!(error.to_string().contains("polling_seconds"), "{error}");
        let error = plan(Some(&running), &with("polling_seconds", "often")).unwrap_err();
        assert_eq!(error.code(), "keeper-automator-setting");
        check(Some(&running), &with("DISABLE_SNI_CHECK", "1"), &["edit disable sni check"]);
    }

    #[test]
    fn urls_are_https_and_bare() {
        assert_eq!(normal_url("a.example.com").unwrap(), "https://a.example.com");
        assert_eq!(normal_url(" https://A.example.com:8089/x/ ").unwrap(), "https://a.example.com:8089/x");
        for bad in ["", "http://a.example.com", "https://u:p@a.example.com", "https://a.example.com/?x", "https://"] {
            assert!(matches!(normal_url(bad), Err(AutomatorError::Url { .. })), "{bad}");
        }
        assert!(!normal_url("https://user:secret@a.example.com").unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn no_value_of_a_setting_is_shown() {
        let settings = vec![("disable_sni_check".to_owned(), "marker-secret".to_owned().into())];
        let shown = format!("{:?}", plan(None, &Wanted { settings, ..wanted() }).unwrap());
        assert!(!shown.contains("marker-secret"), "{shown}");
        assert_eq!(AutomatorId(7).to_string(), "7");
    }
}
