//! Automators on the wire (spec 4): the verbs, and `apply` through every mishap.

mod common;

use std::future::Future;
use std::sync::{Arc, Mutex};

use automator_admin::automator::{self, AutomatorError, AutomatorState, Info, KeyOffer, Skill, Step, Wanted};
use automator_admin::enterprise::EnterpriseError;
use automator_admin::{Error, Session};
use common::{HOST, Stage};
use keeper_fake::admin::{Calls, Handed, Pairs, Scripted};
use keeper_fake::faults::{Fault, On};

const NAME: &str = "automator";

fn wanted(stage: &Stage) -> Wanted {
    Wanted {
        skills: Some([Skill::DeviceApproval, Skill::TeamApproval].into()),
        settings: vec![("Disable SNI Check".to_owned(), "on".to_owned().into())],
        ..Wanted::new(stage.nodes.sso.0, NAME, HOST)
    }
}

async fn apply(session: &Session, wanted: &Wanted) -> Result<(Info, Vec<Step>), Error> {
    automator::apply(session, wanted, &|_| true).await
}

/// What the fake has of Automators.
fn held(stage: &Stage) -> Vec<(String, String, bool, AutomatorState, Handed, Vec<Skill>)> {
    let world = stage.fake.world();
    let mut all: Vec<_> = world
        .admin
        .automators()
        .map(|one| (one.name.clone(), one.url.clone(), one.enabled, one.state, one.keys, one.skills.clone()))
        .collect();
    all.iter_mut().for_each(|one| one.5.sort());
    all
}

fn done() -> Vec<(String, String, bool, AutomatorState, Handed, Vec<Skill>)> {
    let keys = Handed { ec: true, rsa: true, tree: true };
    let skills = vec![Skill::DeviceApproval, Skill::TeamApproval];
    vec![(NAME.to_owned(), format!("https://{HOST}"), true, AutomatorState::Running, keys, skills)]
}

fn verbs(calls: &[String]) -> Vec<&str> {
    calls.iter().filter_map(|call| call.strip_prefix("automator/automator_")).collect()
}

fn refusing(stage: &Stage, call: &str, message: &str) {
    let calls = Calls::Named(format!("automator/{call}"));
    stage.fake.world().admin.script(calls, 1, Scripted::Failed { message: message.to_owned() });
}

/// A refusal as a person sees it.
#[track_caller]
fn says(failed: &Error, parts: &[&str]) {
    let hint = failed.hint().unwrap_or_default();
    let text = format!("{}: {failed}; hint: {hint}", failed.code());
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[tokio::test]
async fn apply_makes_what_is_wanted_and_then_leaves_it_alone() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    let (info, steps) = apply(&session, &wanted(&stage)).await.unwrap();
    assert_eq!(steps.iter().map(Step::verb).collect::<Vec<_>>(), ["create", "edit", "setup", "init", "enable"]);
    assert!(info.is_ready() && info.enabled && info.node == stage.nodes.sso.0);
    assert_eq!(held(&stage), done());

    let before = stage.requests();
    let (_, steps) = apply(&session, &wanted(&stage)).await.unwrap();
    assert!(steps.is_empty());
    assert_eq!(verbs(&stage.calls(before)), ["get_all_for_enterprise"], "one list, and no change");
}

#[tokio::test]
async fn the_fewest_calls_and_a_second_look_after_each() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    apply(&session, &wanted(&stage)).await.unwrap();
    let before = stage.requests();
    let moved = Wanted { enabled: false, url: format!("{HOST}:8089"), ..wanted(&stage) };
    apply(&session, &moved).await.unwrap();
    assert_eq!(verbs(&stage.calls(before)), ["get_all_for_enterprise", "edit", "get"]);
    assert_eq!(held(&stage)[0].1, format!("https://{HOST}:8089"));
    assert!(!held(&stage)[0].2);
}

#[tokio::test]
async fn an_edit_never_disables_by_accident() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    let (info, _) = apply(&session, &wanted(&stage)).await.unwrap();
    let skills = Some([Skill::DeviceApproval].into());
    let step = Step::Edit { url: None, skills, settings: Vec::new(), enabled: info.enabled };
    let now = automator::edit(&session, &info, &step).await.unwrap();
    assert!(now.enabled && now.url == info.url && now.skills == [Skill::DeviceApproval].into());
}

#[tokio::test]
async fn the_key_is_shown_before_anything_is_handed_over() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    let seen: Arc<Mutex<Vec<KeyOffer>>> = Arc::default();
    let kept = seen.clone();
    let refuse = move |offer: &KeyOffer| {
        kept.lock().unwrap().push(offer.clone());
        false
    };
    let failed = automator::apply(&session, &wanted(&stage), &refuse).await.unwrap_err();
    let offer = seen.lock().unwrap()[0].clone();
    says(&failed, &["keeper-automator-not-confirmed", &offer.fingerprint]);
    assert_eq!((offer.name.as_str(), offer.url.as_str()), (NAME, "https://automator.example.com"));
    assert_eq!(held(&stage)[0].4, Handed::default(), "nothing was handed over");
    apply(&session, &wanted(&stage)).await.unwrap();
    assert_eq!(held(&stage), done());
}

#[tokio::test]
async fn an_enterprise_without_rsa_hands_over_the_rest() {
    let stage = Stage::with_service().await;
    stage.fake.world().admin.account.rules.forbid_rsa = true;
    let session = stage.sign_in().await;
    apply(&session, &wanted(&stage)).await.unwrap();
    assert_eq!(held(&stage)[0].4, Handed { ec: true, rsa: false, tree: true });
}

#[tokio::test]
async fn missing_keys_of_the_enterprise_are_refused_and_never_made() {
    for (pairs, which) in [(Pairs::Missing, "P-256"), (Pairs::OnlyEc, "RSA")] {
        let stage = Stage::with_service().await;
        stage.fake.world().admin.enterprise.pairs = pairs;
        let session = stage.sign_in().await;
        let before = stage.requests();
        let failed = apply(&session, &wanted(&stage)).await.unwrap_err();
        says(&failed, &["keeper-enterprise-keys-missing", which, "Admin Console"]);
        let calls = stage.calls(before);
        assert!(!calls.iter().any(|call| call.contains("set_enterprise_key_pair")), "{calls:?}");
        assert!(!verbs(&calls).contains(&"setup"), "refused before Keeper calls the service: {calls:?}");
    }
}

#[tokio::test]
async fn an_account_that_is_no_administrator_is_told_so() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.administrator = false;
    let session = stage.sign_in().await;
    let failed = automator::list(&session).await.unwrap_err();
    says(&failed, &["keeper-not-administrator", "administrator@example.com", "root node"]);
    assert!(matches!(failed, Error::Enterprise(EnterpriseError::NotAdministrator { .. })));
}

#[tokio::test]
async fn one_who_is_not_root_administrator_is_warned_and_refused_with_the_servers_text() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.root_administrator = false;
    let session = stage.sign_in().await;
    let findings = session.preflight().await.unwrap();
    assert!(findings.iter().any(|finding| finding.code == "not-root-administrator"), "{findings:?}");
    refusing(&stage, "automator_create", "You do not have the privilege to manage this node");
    let failed = apply(&session, &wanted(&stage)).await.unwrap_err();
    says(&failed, &["keeper-automator-refused", "do not have the privilege", "root node"]);
}

#[tokio::test]
async fn a_node_without_sso_is_named_with_the_remedy() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let failed = apply(&session, &Wanted::new(stage.nodes.plain.0, NAME, HOST)).await.unwrap_err();
    says(&failed, &["keeper-automator-refused", "SSO Connect Cloud is not configured", "choose that node"]);
    // Also when the server says nothing of the kind.
    refusing(&stage, "automator_create", "Internal error");
    let failed = apply(&session, &Wanted::new(stage.nodes.plain.0, NAME, HOST)).await.unwrap_err();
    says(&failed, &["Internal error", "SSO Connect Cloud"]);
    assert!(held(&stage).is_empty());
}

#[tokio::test]
async fn nodes_are_found_by_name_or_id_and_ambiguity_lists_them() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let enterprise = session.enterprise().await.unwrap();
    let (id, name) = stage.nodes.sso.clone();
    assert_eq!(enterprise.node(&name.to_uppercase()).unwrap().id, id);
    assert_eq!(enterprise.node(&id.to_string()).unwrap().name, name);
    assert_eq!(enterprise.node(&enterprise.name).unwrap().parent, 0);
    let ambiguous = enterprise.node(&stage.nodes.ambiguous).unwrap_err();
    let text = ambiguous.to_string();
    let twins = enterprise.nodes.iter().filter(|node| node.name == stage.nodes.ambiguous);
    assert!(twins.clone().count() == 2 && twins.clone().all(|node| text.contains(&node.id.to_string())), "{text}");
    let none = enterprise.node("nowhere").unwrap_err().to_string();
    assert!(none.contains(&name) && none.contains(&id.to_string()), "{none}");
}

#[tokio::test]
async fn each_verb_keeps_the_text_of_its_refusal() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    let (info, _) = apply(&session, &wanted(&stage)).await.unwrap();
    let edit = Step::Edit { url: None, skills: None, settings: Vec::new(), enabled: true };
    let text = "a reason in words";
    macro_rules! refused {
        ($call:literal, $verb:expr) => {{
            refusing(&stage, $call, text);
            let failed = $verb.await.map(|_| ()).unwrap_err();
            says(&failed, &["keeper-automator-refused", text]);
            assert_eq!(failed.server_text(), Some(text), $call);
            assert!(matches!(failed, Error::Automator(AutomatorError::Refused { .. })), $call);
        }};
    }
    refused!("automator_get_all_for_enterprise", automator::list(&session));
    refused!("automator_get", automator::view(&session, info.id));
    refused!("automator_create", automator::create(&session, stage.nodes.sso.0, "other"));
    refused!("automator_edit", automator::edit(&session, &info, &edit));
    refused!("automator_setup", automator::setup(&session, &info, &|_| true));
    refused!("automator_initialize", automator::init(&session, info.id));
    refused!("automator_enable", automator::enable(&session, info.id));
    refused!("automator_enable", automator::disable(&session, info.id));
    refused!("automator_full_reset", automator::reset(&session, info.id));
    refused!("automator_log_get", automator::log(&session, info.id));
    refused!("automator_log_clear", automator::clear_log(&session, info.id));
    refused!("automator_skills_get", automator::skills_offered(&session, info.id));
    refused!("automator_delete", automator::delete(&session, info.id));
}

#[tokio::test]
async fn a_service_that_keeper_cannot_call_is_told_with_the_remedy() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let mut contacts = stage.fake.world().contacts.clone();
    let service = keeper_fake::Responder::at("other.example.com", &mut contacts).await.unwrap();
    contacts.names.insert(HOST.to_owned(), service.address());
    stage.fake.world().contacts = contacts;
    let failed = apply(&session, &wanted(&stage)).await.unwrap_err();
    says(&failed, &["another host name", "openssl s_client"]);

    let by_other_name = Wanted { url: "other.example.com".to_owned(), ..wanted(&stage) };
    service.answer_with(400);
    says(&apply(&session, &by_other_name).await.unwrap_err(), &["400", "disable_sni_check"]);
    drop(service);
    says(&apply(&session, &by_other_name).await.unwrap_err(), &["security group", "DNS"]);
    assert_eq!(held(&stage)[0].4, Handed::default());
}

#[tokio::test]
async fn log_reset_and_skills() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    let (info, _) = apply(&session, &wanted(&stage)).await.unwrap();
    let told = automator::log(&session, info.id).await.unwrap();
    assert!(told.iter().any(|line| line.message.contains("keys received")), "{told:?}");
    automator::clear_log(&session, info.id).await.unwrap();
    assert!(automator::log(&session, info.id).await.unwrap().is_empty());
    assert!(automator::skills_offered(&session, info.id).await.unwrap().contains(&Skill::TeamForUserApproval));
    let now = automator::reset(&session, info.id).await.unwrap();
    assert!(!now.is_set_up());
    apply(&session, &wanted(&stage)).await.unwrap();
    assert_eq!(held(&stage), done(), "apply sets it up again");
}

#[tokio::test]
async fn a_name_of_another_node_is_refused_before_it_becomes_another_name() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let twins: Vec<i64> = {
        let enterprise = session.enterprise().await.unwrap();
        enterprise.nodes.iter().filter(|node| node.name == stage.nodes.ambiguous).map(|node| node.id).collect()
    };
    automator::create(&session, twins[0], NAME).await.unwrap();
    let failed = apply(&session, &wanted(&stage)).await.unwrap_err();
    says(&failed, &["keeper-automator-name-taken", &twins[0].to_string()]);
    assert_eq!(held(&stage).len(), 1);
}

#[tokio::test]
async fn removal_disables_first_and_may_be_said_twice() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    let (info, _) = apply(&session, &wanted(&stage)).await.unwrap();
    let before = stage.requests();
    automator::remove(&session, &info).await.unwrap();
    let calls = stage.calls(before);
    let writes: Vec<_> = verbs(&calls).into_iter().filter(|verb| ["enable", "delete"].contains(verb)).collect();
    assert_eq!(writes, ["enable", "delete"]);
    assert!(held(&stage).is_empty());
    automator::remove(&session, &info).await.unwrap();
    automator::delete(&session, info.id).await.unwrap();
}

#[tokio::test]
async fn another_enabled_one_on_the_node_is_told() {
    let stage = Stage::with_service().await;
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = told.clone();
    let options = stage.options().on_event(move |event| kept.lock().unwrap().push(event.to_string()));
    let session = stage.login().options(options).sign_in().await.unwrap();
    apply(&session, &Wanted { name: "first".to_owned(), ..wanted(&stage) }).await.unwrap();
    assert!(told.lock().unwrap().is_empty());
    apply(&session, &wanted(&stage)).await.unwrap();
    let told = told.lock().unwrap();
    assert!(told.len() == 1 && told[0].contains("\"first\"") && told[0].contains("asks it first"), "{told:?}");
}

/// Ends a future when the fake has got so many requests: what a kill looks like from outside.
async fn killed_at<T>(stage: &Stage, requests: usize, work: impl Future<Output = T>) -> Option<T> {
    let reached = async {
        while stage.requests() < requests {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = reached => None,
        done = work => Some(done),
    }
}

/// Whatever happens at each single request of a first `apply`, the next one completes it.
#[tokio::test]
async fn every_interruption_is_completed_by_the_next_run() {
    let total = {
        let stage = Stage::with_service().await;
        let session = stage.sign_in().await;
        let before = stage.requests();
        apply(&session, &wanted(&stage)).await.unwrap();
        stage.requests() - before
    };
    assert!(total > 10, "{total}");
    for index in 0..total {
        for fault in [Some(Fault::CutBefore), Some(Fault::CutAfter), None] {
            let stage = Stage::with_service().await;
            let session = stage.sign_in().await;
            let at = stage.requests() + index;
            match &fault {
                Some(fault) => {
                    stage.fake.world().faults.nth(index as u64, On::Admin, fault.clone());
                    // Reads are repeated, so not every one of these fails.
                    drop(apply(&session, &wanted(&stage)).await);
                    assert_eq!(stage.fake.world().faults.waiting(), 0);
                }
                None => assert!(killed_at(&stage, at + 1, apply(&session, &wanted(&stage))).await.is_none()),
            }
            stage.fake.world().faults.clear();
            drop(session);
            let session = stage.sign_in().await;
            apply(&session, &wanted(&stage)).await.unwrap_or_else(|error| panic!("{index} {fault:?}: {error}"));
            assert_eq!(held(&stage), done(), "request {index}, {fault:?}");
        }
    }
}

/// The same for the way back.
#[tokio::test]
async fn every_interruption_of_a_removal_is_completed_by_the_next_run() {
    for index in 0..6 {
        for fault in [Fault::CutBefore, Fault::CutAfter] {
            let stage = Stage::with_service().await;
            let session = stage.sign_in().await;
            let (info, _) = apply(&session, &wanted(&stage)).await.unwrap();
            stage.fake.world().faults.nth(index, On::Admin, fault.clone());
            drop(automator::remove(&session, &info).await);
            stage.fake.world().faults.clear();
            automator::remove(&session, &info).await.unwrap_or_else(|error| panic!("{index} {fault:?}: {error}"));
            assert!(held(&stage).is_empty(), "request {index}, {fault:?}");
        }
    }
}

#[tokio::test]
async fn one_that_does_not_start_is_told_and_gets_the_keys_once() {
    let stage = Stage::with_service().await;
    stage.fake.world().admin.let_automators_fail_to_start();
    let session = stage.sign_in().await;
    let before = stage.requests();
    let failed = apply(&session, &wanted(&stage)).await.unwrap_err();
    says(&failed, &["keeper-automator-not-taken", "init", "ERROR"]);
    let calls = stage.calls(before);
    assert_eq!(verbs(&calls).iter().filter(|verb| **verb == "setup").count(), 2, "one exchange of keys: {calls:?}");
}

#[tokio::test]
async fn a_setup_that_nobody_planned_is_not_begun() {
    let stage = Stage::with_service().await;
    let session = stage.sign_in().await;
    apply(&session, &wanted(&stage)).await.unwrap();
    let within = Wanted { may_set_up: false, ..wanted(&stage) };
    assert!(apply(&session, &within).await.unwrap().1.is_empty());
    stage.fake.world().admin.automators_mut().for_each(|one| one.state = AutomatorState::Error);
    let before = stage.requests();
    let failed = apply(&session, &within).await.unwrap_err();
    says(&failed, &["plan-got-worse", "ERROR", "run again"]);
    assert_eq!(verbs(&stage.calls(before)), ["get_all_for_enterprise"]);
}
