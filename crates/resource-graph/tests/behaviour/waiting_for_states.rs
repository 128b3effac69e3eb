//! Waiting until something is in a state.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use resource_graph::*;

use crate::toy::{Moment, World, sleep, story};

#[test]
fn a_wait_that_runs_out_names_the_last_state() {
    story(async {
        let world = World::default();
        let looks = AtomicUsize::new(0);
        let pace = Pace::new(Duration::from_secs(1), Duration::from_secs(10));
        let error = world
            .cx()
            .wait_until("toy `t-1` to become available", pace, || async {
                let state = if looks.fetch_add(1, Ordering::Relaxed) < 3 { "creating" } else { "starting" };
                Ok(Progress::<()>::Pending(state.into()))
            })
            .await
            .unwrap_err();
        assert_eq!(error.code(), "wait-timeout");
        assert_eq!(error.to_string(), "wait for toy `t-1` to become available; last seen: starting");
        let (diary, _) = world.turn_page();
        let told: Vec<String> = diary
            .into_iter()
            .filter_map(|moment| match moment {
                Moment::Told(event) => match event.what {
                    What::Progress { text } => Some(text),
                    _ => None,
                },
                Moment::Began(..) => None,
            })
            .collect();
        assert_eq!(
            told,
            [
                "waiting for toy `t-1` to become available: creating",
                "waiting for toy `t-1` to become available: starting"
            ]
        );
    });
}

#[test]
fn a_wait_looks_often_at_first_and_then_at_its_pace() {
    story(async {
        let start = tokio::time::Instant::now();
        let looks = std::sync::Mutex::new(Vec::new());
        let pace = Pace::new(Duration::from_secs(1), Duration::from_secs(4));
        let cx = Cx::quiet();
        let waited = cx.wait_until("rain", pace, || async {
            looks.lock().unwrap().push(start.elapsed().as_millis());
            Ok(Progress::<()>::Pending("dry".into()))
        });
        assert_eq!(waited.await.unwrap_err().code(), "wait-timeout");
        assert_eq!(looks.into_inner().unwrap(), [0, 200, 600, 1400, 2400, 3400]);
    });
}

#[test]
fn a_wait_ends_when_the_run_is_stopped() {
    story(async {
        let cx = Cx::quiet();
        let pace = Pace::new(Duration::from_secs(5), Duration::from_secs(600));
        let stop = async {
            sleep(10_000).await;
            cx.cancellation().cancel();
        };
        let wait = cx.wait_until("rain", pace, || async { Ok(Progress::<()>::Pending("dry".into())) });
        let (waited, ()) = tokio::join!(wait, stop);
        let error = waited.unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("cancelled", "wait for rain; last seen: dry"));
    });
}

#[test]
fn a_wait_goes_on_while_the_other_side_is_busy_and_ends_at_once_on_an_unknown_state() {
    story(async {
        let cx = Cx::quiet();
        let pace = Pace::new(Duration::from_secs(1), Duration::from_secs(600));
        let looks = AtomicUsize::new(0);
        let waited = cx.wait_until("rain", pace, || async {
            match looks.fetch_add(1, Ordering::Relaxed) {
                0 => Err(Error::new("busy", "ask").certainty(Certainty::NotDone)),
                1 => Err(Error::new("lost", "ask").certainty(Certainty::MaybeDone)),
                2 => Ok(Progress::Pending("cloudy".into())),
                _ => Ok(Progress::Ready("wet")),
            }
        });
        assert_eq!(waited.await.unwrap(), "wet");
        for end in ["refused", "snow"] {
            let waited = cx.wait_until("rain", pace, || async {
                match end {
                    "snow" => Ok(Progress::<()>::Failed(Error::new("snow", "see rain"))),
                    _ => Err(Error::new("refused", "ask")),
                }
            });
            assert_eq!(waited.await.unwrap_err().code(), end);
        }
    });
}

#[test]
fn a_wait_ends_with_the_run_and_a_pace_of_nothing_still_lets_time_pass() {
    story(async {
        let start = tokio::time::Instant::now();
        let cx = Cx::quiet().within(Duration::from_secs(3)).within(Duration::from_secs(600));
        let pace = Pace::new(Duration::ZERO, Duration::from_secs(600));
        let waited = cx.wait_until("rain", pace, || async { Ok(Progress::<()>::Pending("dry".into())) });
        assert_eq!(waited.await.unwrap_err().code(), "wait-timeout");
        assert!(start.elapsed() <= Duration::from_secs(3));
    });
}

#[test]
fn of_two_who_want_the_same_lock_one_waits() {
    story(async {
        let cx = Cx::quiet();
        let start = tokio::time::Instant::now();
        let work = |key: &'static str| {
            let cx = cx.clone();
            async move {
                let _held = cx.lock(key).await;
                sleep(100).await;
            }
        };
        tokio::join!(work("one"), work("one"), work("two"));
        let millis = start.elapsed().as_millis();
        assert!((200..=205).contains(&millis), "{millis}");
    });
}
