//! What holds for any input.

use automator_admin::automator::{self, Wanted};
use automator_admin::config::Config;
use automator_admin::login::SecondFactor;
use proptest::prelude::*;
use serde_json::{Map, Value};

proptest! {
    /// Whatever a file holds, reading it is a configuration or an error.
    #[test]
    fn a_configuration_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(error) = Config::parse(&bytes) {
            prop_assert!(error.hint().is_some());
        }
    }

    /// Members that nobody here knows come back as they were, in their order.
    #[test]
    fn unknown_members_survive(
        members in proptest::collection::vec(("x_[a-z]{1,8}", "[ -~]{0,20}", any::<i64>()), 0..8),
        user in "[a-z]{1,8}@example\\.com",
    ) {
        let mut whole = Map::new();
        whole.insert("server".to_owned(), "keepersecurity.eu".into());
        for (name, text, number) in members {
            whole.insert(format!("{name}t"), text.into());
            whole.insert(format!("{name}n"), number.into());
        }
        whole.insert("user".to_owned(), user.into());
        let config = Config::parse(Value::Object(whole.clone()).to_string().as_bytes()).unwrap();
        let written: Map<String, Value> = serde_json::from_slice(&config.to_json()).unwrap();
        let kept: Vec<_> = written.iter().filter(|(name, _)| *name != "config_storage").collect();
        prop_assert_eq!(kept, whole.iter().collect::<Vec<_>>());
        let again = Config::parse(&config.to_json()).unwrap();
        prop_assert_eq!(again.to_json(), config.to_json());
    }

    /// A plan is made or the URL is refused; a new Automator always begins with its creation.
    #[test]
    fn a_plan_begins_with_create(url in "[ -~]{0,40}", name in "[ -~]{0,10}", enabled: bool, ready: bool) {
        let wanted = Wanted { enabled, ready, ..Wanted::new(7, name, url) };
        if let Ok(steps) = automator::plan(None, &wanted) {
            prop_assert_eq!(steps[0].verb(), "create");
            prop_assert_eq!(steps.iter().any(|step| step.verb() == "enable"), enabled);
            prop_assert_eq!(steps.iter().any(|step| step.verb() == "setup"), ready);
        }
    }

    /// A second factor is never shown.
    #[test]
    fn a_second_factor_shows_nothing(secret in "[A-Z2-7]{16,32}") {
        let shown = format!("{:?}", SecondFactor::Secret(secret.clone().into()));
        prop_assert!(!shown.contains(&secret));
    }
}
