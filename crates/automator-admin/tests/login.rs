//! From a configuration to a session (spec 2), and each state that needs a person.

mod common;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use automator_admin::config::{Config, ConfigFile, ConfigMemory, ConfigStore};
use automator_admin::login::{Prompter, Question, SecondFactor, settle};
use automator_admin::{Error, Event, Login, Options, Session};
use common::Stage;
use keeper_fake::admin::{Calls, Home, Scripted};
use keeper_fake::faults::{Fault, On};
use keeper_fake::{Fake, Scheme, World};
use keeper_wire::messages::authentication::{LoginState, SessionTokenType};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

fn password(stage: &Stage) -> SecretString {
    stage.fake.world().admin.account.expose_password().to_owned().into()
}

/// A refusal as a person sees it: code, text and hint in one.
fn told(failed: &Error) -> String {
    format!("{}: {failed}; hint: {}", failed.code(), failed.hint().expect("every refusal of a login has a hint"))
}

#[track_caller]
fn says(failed: &Error, parts: &[&str]) {
    let text = told(failed);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

async fn refused(login: Login) -> Error {
    login.sign_in().await.map(|session| panic!("signed in as {}", session.user())).unwrap_err()
}

/// Answers from a list, and keeps the questions.
#[derive(Clone, Default)]
struct Person(Arc<Mutex<(VecDeque<String>, Vec<Question>)>>);

impl Person {
    fn who_says(answers: &[&str]) -> Self {
        let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        Self(Arc::new(Mutex::new((answers, Vec::new()))))
    }

    fn asked(&self) -> Vec<Question> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Prompter for Person {
    fn answer(&self, question: &Question) -> Option<SecretString> {
        let mut inner = self.0.lock().unwrap();
        inner.1.push(question.clone());
        inner.0.pop_front().map(SecretString::from)
    }
}

/// Reads the newest code from the fake's mail.
struct Mailbox(Arc<Fake>, String);

impl Prompter for Mailbox {
    fn answer(&self, question: &Question) -> Option<SecretString> {
        match question {
            Question::DeviceCode { .. } => self.0.world().admin.account.mail.last().cloned().map(SecretString::from),
            Question::Password { .. } => Some(self.1.clone().into()),
            _ => None,
        }
    }
}

#[tokio::test]
async fn a_session_is_resumed_and_its_next_code_is_in_the_file() {
    let stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = ConfigFile::at(folder.path().join("config.json"));
    file.store(&stage.config.config()).unwrap();
    let before = stage.requests();
    for _ in 0..3 {
        let session = Login::new(file.clone()).options(stage.options()).sign_in().await.unwrap();
        assert_eq!(session.user(), "administrator@example.com");
    }
    let start = "authentication/start_login";
    assert_eq!(stage.calls(before), [start, start, start], "one request each, and no question");
}

#[tokio::test]
async fn the_code_is_written_before_the_rest_of_the_answer_is_looked_at() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.session = SessionTokenType::AccountRecovery;
    let failed = refused(stage.login()).await;
    says(&failed, &["keeper-login-restricted", "ACCOUNT_RECOVERY", "change it"]);
    stage.fake.world().admin.account.rules.session = SessionTokenType::NoRestriction;
    stage.login().sign_in().await.expect("the code of the restricted login was kept");
}

#[tokio::test]
async fn a_stale_clone_code_is_named_and_the_password_helps() {
    let stage = Stage::new().await;
    let copy = ConfigMemory::new(stage.config.config());
    drop(stage.sign_in().await);
    let login = || Login::new(copy.clone()).options(stage.options());
    let failed = refused(login()).await;
    says(&failed, &["keeper-login-not-resumed", "clone code", "keeper login", "password"]);
    login().password(password(&stage)).sign_in().await.unwrap();
    login().sign_in().await.expect("the password's login brought a new code");
}

#[tokio::test]
async fn an_expired_persistent_login_is_named() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.restrict_persistent_login = true;
    says(&refused(stage.login()).await, &["keeper-login-not-resumed", "timer", "role"]);
}

#[tokio::test]
async fn a_lost_answer_to_the_one_time_code_is_named_by_the_next_run() {
    let stage = Stage::new().await;
    stage.fake.world().faults.next(On::Admin, Fault::CutAfter);
    let failed = refused(stage.login()).await;
    assert_eq!(failed.code(), "keeper-answer-lost");

    let failed = refused(stage.login()).await;
    says(&failed, &["keeper-login-not-resumed", "an earlier run sent this code", "keeper login", "password"]);
    stage.login().password(password(&stage)).sign_in().await.unwrap();
    stage.login().sign_in().await.expect("nothing else was harmed");
}

/// What a configuration says about a clone code that was sent and not answered.
fn noted(config: &ConfigMemory) -> bool {
    String::from_utf8_lossy(&config.config().to_json()).contains("keeper_automator_resuming")
}

#[tokio::test]
async fn a_code_that_was_not_sent_or_was_refused_is_not_taken_for_a_lost_one() {
    let stage = Stage::new().await;
    let nobody = stage.options().host("localhost:1".parse().unwrap()).deadline(Duration::from_millis(300));
    assert_eq!(refused(stage.login().options(nobody)).await.code(), "keeper-unreachable");
    assert!(!noted(&stage.config), "nothing was sent");

    stage.fake.world().admin.account.rules.restrict_clients = true;
    refused(stage.login()).await;
    assert!(!noted(&stage.config), "Keeper refused it");
    stage.fake.world().admin.account.rules.restrict_clients = false;

    stage.fake.world().admin.account.rules.restrict_persistent_login = true;
    for _ in 0..2 {
        let failed = refused(stage.login()).await;
        assert!(!failed.to_string().contains("an earlier run"), "Keeper answered: {failed}");
    }
    stage.fake.world().admin.account.rules.restrict_persistent_login = false;

    stage.fake.world().faults.next(On::Admin, Fault::CutBefore);
    refused(stage.login()).await;
    assert!(noted(&stage.config), "nobody knows whether it arrived");
    stage.fake.world().admin.account.rules.keeps_clone_code = true;
    stage.login().sign_in().await.unwrap();
    assert!(!noted(&stage.config), "there was an answer, though without another code");
}

#[tokio::test]
async fn a_sign_in_that_is_dropped_keeps_the_code_that_comes() {
    let stage = Stage::new().await;
    let before = stage.config.config().to_json();
    stage.fake.world().faults.next(On::Admin, Fault::Slow(Duration::from_millis(300)));
    {
        let sent = async {
            while stage.requests() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = sent => {}
            _ = stage.login().sign_in() => panic!("it was answered at once"),
        }
    }
    assert_eq!(refused(stage.login()).await.code(), "keeper-config-locked", "it is still under way");
    settle(Duration::from_secs(60)).await;
    assert!(stage.config.config().to_json() != before && !noted(&stage.config));
    stage.login().sign_in().await.expect("the next run resumes with the code that came");
}

#[tokio::test]
async fn a_program_does_not_wait_for_ever_for_a_sign_in_that_was_dropped() {
    let stage = Stage::new().await;
    stage.fake.world().faults.next(On::Admin, Fault::Slow(Duration::from_secs(3600)));
    let dropped = tokio::time::timeout(Duration::from_millis(300), stage.login().sign_in()).await;
    assert!(dropped.is_err());
    settle(Duration::from_millis(10)).await;
}

#[tokio::test]
async fn a_clone_code_is_sent_again_with_the_name_that_keeper_asks_for() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.name_beside_clone_code = true;
    let before = stage.requests();
    stage.login().sign_in().await.unwrap();
    let start = "authentication/start_login";
    assert_eq!(stage.calls(before), [start, start]);
}

#[tokio::test]
async fn a_configuration_that_wants_no_check_of_certificates_is_told_that_they_are_checked() {
    let stage = Stage::new().await;
    let text = String::from_utf8(stage.config.config().to_json().to_vec()).unwrap();
    let text = text.replacen('{', "{\"certificate_check\": false,", 1);
    let config = ConfigMemory::new(Config::parse(text.as_bytes()).unwrap());
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let tells = move |options: Options| options.on_event(move |event| heard.lock().unwrap().push(event.clone()));

    // Nobody vouches for the server, so nothing is said to it.
    let untrusting = Options::new().server_keys(stage.fake.world().server_keys()).deadline(Duration::from_millis(300));
    let failed = refused(Login::new(config.clone()).options(tells.clone()(untrusting))).await;
    says(&failed, &["keeper-unreachable", "who issued the certificate"]);
    assert_eq!((said.lock().unwrap().first(), stage.requests()), (Some(&Event::StillChecking), 0));
    assert!(Event::StillChecking.to_string().contains("\"certificate_check\": false"));

    Login::new(config.clone()).options(tells(stage.options())).sign_in().await.unwrap();
    let kept = String::from_utf8(config.config().to_json().to_vec()).unwrap();
    assert!(kept.contains("\"certificate_check\": false"), "the member is Commander's, and stays");
}

#[tokio::test]
async fn a_request_that_never_arrived_costs_nothing() {
    let stage = Stage::new().await;
    stage.fake.world().faults.next(On::Admin, Fault::CutBefore);
    assert_eq!(refused(stage.login()).await.code(), "keeper-answer-lost");
    stage.login().sign_in().await.expect("the code is still good");
}

#[tokio::test]
async fn two_runs_never_share_one_configuration() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let failed = refused(stage.login()).await;
    says(&failed, &["keeper-config-locked", "another run"]);
    drop(session);
    stage.sign_in().await;
}

#[tokio::test]
async fn a_wrong_password_is_told_with_the_servers_text() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.restrict_persistent_login = true;
    let failed = refused(stage.login().password("wrong".to_owned().into())).await;
    says(&failed, &["keeper-login-wrong-password", "Invalid email or password"]);
    assert_eq!(failed.server_text(), Some("Invalid email or password combination, please re-enter."));
}

#[tokio::test]
async fn a_second_factor_is_given_from_its_secret() {
    let fake = Arc::new(Fake::start(World::new(), Scheme::Https).await.unwrap());
    fake.world().admin.account.totp = Zeroizing::new(b"12345678901234567890".to_vec());
    let right = fake.world().admin.account.expose_password().to_owned();
    let store = ConfigMemory::new(Config::new(fake.origin().parse().unwrap(), "administrator@example.com"));
    let login = || Login::new(store.clone()).options(common::options(&fake)).password(right.clone().into());
    let failed = refused(login().prompter(Mailbox(fake.clone(), right.clone()))).await;
    says(&failed, &["keeper-login-second-factor", "REQUIRES_2FA", "TOTP"]);
    // The device is approved by now, so nobody needs to be asked.
    says(&refused(login()).await, &["keeper-login-second-factor", "secret of the authenticator"]);
    let failed = refused(login().second_factor(SecondFactor::Secret("12345".to_owned().into()))).await;
    says(&failed, &["keeper-login-bad-second-factor", "no base32", "authenticator app"]);
    let wrong = SecondFactor::Code("000000".to_owned().into());
    let failed = refused(login().second_factor(wrong)).await;
    says(&failed, &["keeper-login-wrong-second-factor", "Invalid two factor code"]);
    let secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".to_owned();
    login().second_factor(SecondFactor::Secret(secret.into())).sign_in().await.unwrap();
}

#[tokio::test]
async fn a_person_is_asked_again_after_a_wrong_answer_and_not_for_ever() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.restrict_persistent_login = true;
    let right = password(&stage);
    let person = Person::who_says(&["wrong", right.expose_secret()]);
    stage.login().prompter(person.clone()).sign_in().await.unwrap();
    let question = |again| Question::Password { user: "administrator@example.com".to_owned(), again };
    assert_eq!(person.asked(), [question(false), question(true)]);

    let person = Person::who_says(&["wrong"; 9]);
    assert_eq!(refused(stage.login().prompter(person.clone())).await.code(), "keeper-login-wrong-password");
    assert_eq!(person.asked().len(), 3);
}

#[tokio::test]
async fn a_new_device_is_registered_and_approved_by_mail() {
    let fake = Arc::new(Fake::start(World::new(), Scheme::Https).await.unwrap());
    let server = fake.origin().parse().unwrap();
    let store = ConfigMemory::new(Config::new(server, "Administrator@example.com"));
    let login = || Login::new(store.clone()).options(common::options(&fake));
    says(&refused(login()).await, &["keeper-login-no-device", "keeper login"]);

    let right = fake.world().admin.account.expose_password().to_owned();
    let session = login().prompter(Mailbox(fake.clone(), right)).sign_in().await.unwrap();
    session.stay_signed_in(60).await.unwrap();
    session.stay_signed_in(60).await.expect("once more is no harm");
    drop(session);
    login().sign_in().await.expect("the next run needs nobody");
}

#[tokio::test]
async fn every_state_that_needs_a_person_is_named_with_what_to_do() {
    let states = [
        (LoginState::LoggedOut, "web vault"),
        (LoginState::DeviceApprovalRequired, "keeper login"),
        (LoginState::DeviceLocked, "unlock this device"),
        (LoginState::AccountLocked, "unlock the account"),
        (LoginState::DeviceAccountLocked, "unlock this device"),
        (LoginState::Upgrade, "update"),
        (LoginState::LicenseExpired, "renew"),
        (LoginState::RedirectCloudSso, "manual mode"),
        (LoginState::RedirectOnsiteSso, "manual mode"),
        (LoginState::AfterCloudSsoLogin, "web vault"),
        (LoginState::RequiresAccountCreation, "invitation"),
        (LoginState::RequiresDeviceEncryptedDataKey, "approve this device"),
        (LoginState::LoginTokenExpired, "run again"),
        (LoginState::PasskeyAuthRequired, "master password"),
    ];
    for (state, remedy) in states {
        let stage = Stage::new().await;
        stage.fake.world().admin.account.rules.state = Some(state);
        says(&refused(stage.login()).await, &[state.name(), remedy]);
    }
}

#[tokio::test]
async fn a_login_that_goes_in_circles_ends() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.state = Some(LoginState::RequiresUsername);
    let before = stage.requests();
    let failed = refused(stage.login()).await;
    says(&failed, &["keeper-login-stopped", "REQUIRES_USERNAME"]);
    assert_eq!(stage.requests() - before, 2, "the same question a second time is one too many");
}

#[tokio::test]
async fn restricted_sessions_are_named_with_what_to_do() {
    use SessionTokenType as Kind;
    let kinds = [
        (Kind::AccountRecovery, "change"),
        (Kind::ShareAccount, "transfer"),
        (Kind::Purchase, "renew"),
        (Kind::Restrict, "renew"),
        (Kind::AcceptInvite, "invitation"),
    ];
    for (kind, remedy) in kinds {
        let stage = Stage::new().await;
        stage.fake.world().admin.account.rules.session = kind;
        says(&refused(stage.login()).await, &["keeper-login-restricted", kind.name(), remedy]);
    }
}

#[tokio::test]
async fn a_role_that_forbids_this_client_is_named_with_the_policy() {
    let stage = Stage::new().await;
    stage.fake.world().admin.account.rules.restrict_clients = true;
    let failed = refused(stage.login()).await;
    says(&failed, &["keeper-restricted-client", "Restricted client type", "Commander SDK", "Admin Console"]);
}

#[tokio::test]
async fn a_device_that_keeper_forgot_is_named() {
    let stage = Stage::new().await;
    let error = "device_not_registered".to_owned();
    let script = Scripted::Error { status: 401, error, message: "unknown".to_owned() };
    stage.fake.world().admin.script(Calls::Named("authentication/start_login".to_owned()), 1, script);
    says(&refused(stage.login()).await, &["keeper-login-unknown-device", "unknown", "keeper login"]);
}

#[tokio::test]
async fn a_login_that_is_throttled_says_so() {
    let stage = Stage::new().await;
    let script = Scripted::Error { status: 403, error: "throttled".to_owned(), message: "in 1 minute".to_owned() };
    stage.fake.world().admin.script(Calls::Any, 9, script);
    says(&refused(stage.login()).await, &["keeper-throttled", "in 1 minute", "wait"]);
}

/// Another region that has the same account and, as in production, the same server keys.
async fn other_region(stage: &Stage) -> Fake {
    let copy = serde_json::to_vec(&*stage.fake.world()).unwrap();
    Fake::start(serde_json::from_slice(&copy).unwrap(), Scheme::Https).await.unwrap()
}

#[tokio::test]
async fn an_account_of_another_region_is_followed_there() {
    for by_state in [true, false] {
        let stage = Stage::new().await;
        let there = other_region(&stage).await;
        stage.fake.world().admin.account.rules.home = Some(Home { host: there.origin().to_owned(), by_state });
        let login = || stage.login().options(stage.options().authority(there.ca_pem().unwrap()));
        // A clone code is good in its own region only.
        assert_eq!(refused(login()).await.code(), "keeper-login-no-password", "{by_state}");
        let session = login().password(password(&stage)).sign_in().await.unwrap();
        assert_eq!(session.host().port(), Some(there.address().port()));
        drop(session);

        let before = stage.requests();
        login().sign_in().await.expect("the new region and its clone code were kept");
        assert_eq!(stage.requests(), before);
    }
}

#[tokio::test]
async fn two_regions_that_name_each_other_are_no_circle() {
    let stage = Stage::new().await;
    let there = other_region(&stage).await;
    let home = |host: &Fake| Some(Home { host: host.origin().to_owned(), by_state: true });
    stage.fake.world().admin.account.rules.home = home(&there);
    there.world().admin.account.rules.home = home(&stage.fake);
    let options = stage.options().authority(there.ca_pem().unwrap());
    let failed = refused(stage.login().options(options)).await;
    assert!(failed.to_string().contains("region"), "{failed}");
    assert!(stage.requests() + there.world().journal.len() < 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_session_is_renewed_once_for_all_who_ask() {
    let stage = Stage::new().await;
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = events.clone();
    let options = stage.options().on_event(move |event| kept.lock().unwrap().push(event.clone()));
    let session: Session = stage.login().options(options).sign_in().await.unwrap();
    session.account().await.unwrap();
    stage.fake.world().admin.account.end_sessions();
    let before = stage.requests();
    let (vault, enterprise) = tokio::join!(session.vault(), session.enterprise());
    vault.unwrap();
    enterprise.unwrap();
    let logins = stage.calls(before).iter().filter(|call| call.ends_with("start_login")).count();
    assert_eq!(logins, 1, "{:?}", stage.calls(before));
    assert_eq!(*events.lock().unwrap(), [Event::SignedInAgain]);
    // Commands have their token in the text.
    stage.fake.world().admin.account.end_sessions();
    automator_admin::vault::folder::create(&session, "x", &stage.marker).await.unwrap();
}
