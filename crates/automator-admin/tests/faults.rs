//! A whole Keeper-side apply, broken at each of its requests in three ways, and run once more.

mod common;

use std::time::Duration;

use automator_admin::Error;
use automator_admin::login::LoginError;
use common::{Stage, apply, state, undo};
use keeper_fake::faults::{Fault, On};
use keeper_wire::OneTimeToken;

/// Signs in and applies.
fn run(stage: &Stage) -> impl Future<Output = Result<(), Error>> + Send + use<> {
    let token: OneTimeToken = stage.token.expose_text().parse().unwrap();
    let (login, marker, node) = (stage.login(), stage.marker.clone(), stage.nodes.sso.0);
    async move { apply(&login.sign_in().await?, &marker, &token, node).await }
}

/// An undisturbed run: how many requests it has, what it leaves, and which request is the login.
async fn undisturbed() -> (usize, String) {
    let stage = Stage::with_service().await;
    run(&stage).await.unwrap();
    assert_eq!(stage.calls(0)[0], "authentication/start_login");
    (stage.requests(), state(&stage.fake))
}

/// The next run completes it, or names the one cause that no client can mend: the answer to the login itself was lost together
/// with a clone code that is good once.
async fn complete(stage: &mut Stage, index: usize, used_up: bool, expected: &str) {
    stage.fake.world().faults.clear();
    if used_up {
        match run(stage).await.unwrap_err() {
            Error::Login(error @ LoginError::NotResumed { .. }) => {
                let hint = Error::from(error).hint().unwrap();
                assert!(
                    hint.contains("keeper-automator keeper login")
                        && hint.contains("answer to the last login was lost")
                );
            }
            other => panic!("request {index}: {other}"),
        }
        stage.config = common::resumable(&stage.fake);
    }
    if let Err(error) = run(stage).await {
        panic!("request {index} ({}): {error}", stage.calls(index)[0]);
    }
    assert_eq!(state(&stage.fake), expected, "request {index}");
}

async fn cut(fault: &Fault) {
    let (requests, expected) = undisturbed().await;
    assert!(requests > 30, "{requests}");
    for index in 0..requests {
        let mut stage = Stage::with_service().await;
        stage.fake.world().faults.nth(index as u64, On::Any, fault.clone());
        let broken = run(&stage).await;
        assert_eq!(stage.fake.world().faults.waiting(), 0, "request {index} never came: {broken:?}");
        complete(&mut stage, index, index == 0 && *fault == Fault::CutAfter, &expected).await;
    }
}

#[tokio::test]
async fn cut_before_any_request_the_next_run_completes_it() {
    cut(&Fault::CutBefore).await;
}

#[tokio::test]
async fn cut_after_any_request_the_next_run_completes_it() {
    cut(&Fault::CutAfter).await;
}

#[tokio::test]
async fn refused_by_a_proxy_at_any_request_the_next_run_completes_it() {
    cut(&Fault::Html502).await;
}

/// Killed while it waits for the answer to a request whose effect is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_up_at_any_request_the_next_run_completes_it() {
    let (requests, expected) = undisturbed().await;
    for index in 0..requests {
        let mut stage = Stage::with_service().await;
        stage.fake.world().faults.nth(index as u64, On::Any, Fault::Slow(Duration::from_secs(3600)));
        {
            // A runtime of its own is what a process is: nothing that it has begun goes on.
            let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let run = process.spawn(run(&stage));
            let reached = async {
                while stage.requests() <= index {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                biased;
                () = reached => {}
                done = run => panic!("request {index} was answered: {done:?}"),
            }
            let ended = tokio::task::spawn_blocking(move || process.shutdown_timeout(Duration::from_secs(60)));
            ended.await.unwrap();
        }
        complete(&mut stage, index, index == 0, &expected).await;
    }
}

/// The way back, broken at each of its requests: once more leads to an empty vault and no Automator.
async fn cut_undo(fault: &Fault) {
    let run_undo = async |stage: &Stage| -> Result<(), Error> {
        let session = stage.login().sign_in().await?;
        undo(&session, &stage.marker, stage.nodes.sso.0).await
    };
    let applied = async || {
        let stage = Stage::with_service().await;
        let empty = state(&stage.fake);
        run(&stage).await.unwrap();
        (stage, empty)
    };
    let (stage, _) = applied().await;
    let before = stage.requests();
    run_undo(&stage).await.unwrap();
    let requests = stage.requests() - before;
    assert!(requests > 20, "{requests}");
    // The login was broken often enough above.
    for index in 1..requests {
        let (stage, empty) = applied().await;
        stage.fake.world().faults.nth(index as u64, On::Any, fault.clone());
        let broken = run_undo(&stage).await;
        assert_eq!(stage.fake.world().faults.waiting(), 0, "request {index} never came: {broken:?}");
        if let Err(error) = run_undo(&stage).await {
            panic!("request {index}: {error}");
        }
        assert_eq!(state(&stage.fake), empty, "request {index}");
    }
}

#[tokio::test]
async fn cut_before_any_request_of_the_way_back_the_next_run_completes_it() {
    cut_undo(&Fault::CutBefore).await;
}

#[tokio::test]
async fn cut_after_any_request_of_the_way_back_the_next_run_completes_it() {
    cut_undo(&Fault::CutAfter).await;
}

#[tokio::test]
async fn a_throttled_apply_waits_and_goes_on() {
    let (_, expected) = undisturbed().await;
    let stage = Stage::with_service().await;
    stage.fake.world().faults.nth(8, On::Admin, Fault::Throttle { retry_after: 1 });
    run(&stage).await.unwrap();
    assert_eq!(state(&stage.fake), expected);
}
