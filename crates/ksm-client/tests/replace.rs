//! Replacing an attachment, with everything that can come between.

mod common;

use std::time::Duration;

use common::vault::{FAULTS, Fault, Served, Vault};
use ksm_client::{Client, Error, Event, NewFile, Replaced};
use serde_json::json;

const NAME: &str = "ssl-certificate.pfx";
const OLD: &[u8] = b"old bytes";
const NEW: &[u8] = b"new bytes, and more of them";

/// What is there before: old ones, and leftovers of runs that were cut.
const STARTS: [&[Option<&[u8]>]; 6] = [
    &[],
    &[Some(OLD)],
    &[Some(OLD), None],
    &[Some(OLD), Some(NEW)],
    &[Some(OLD), Some(b"older bytes"), None],
    &[Some(NEW), Some(NEW)],
];

async fn served(start: &[Option<&[u8]>]) -> Served {
    let served = Served::start(NAME).await;
    let mut vault = served.vault.lock().unwrap();
    vault.attach("other.txt", Some(b"not concerned"));
    for content in start {
        vault.attach(NAME, *content);
    }
    drop(vault);
    served
}

async fn replace(client: &Client, served: &Served) -> Result<Replaced, Error> {
    let record = served.vault.lock().unwrap().record;
    client.replace_file(record, &NewFile::new(NAME, NEW)).await
}

/// Exactly one attachment of the name, with the new bytes; the other one and the record's fields as they were.
fn check(vault: &Vault, what: &str) {
    let all = vault.attachments();
    let named: Vec<_> = all.iter().filter(|(name, _)| name == NAME).collect();
    assert_eq!(named, [&(NAME.to_owned(), Some(NEW.to_vec()))], "{what}");
    assert!(all.contains(&("other.txt".to_owned(), Some(b"not concerned".to_vec()))), "{what}");
    assert_eq!(all.len(), 2, "{what}");
    let content = vault.content();
    assert_eq!(content["fields"][0], json!({ "type": "text", "value": ["kept"] }), "{what}");
    let refs: Vec<String> = serde_json::from_value(content["fields"][1]["value"].clone()).unwrap();
    assert_eq!(refs, vault.files.iter().map(|file| file.uid.to_string()).collect::<Vec<_>>(), "{what}");
}

#[tokio::test]
async fn one_remains_whatever_was_there() {
    for start in STARTS {
        let served = served(start).await;
        let client = served.client();
        let done = replace(&client, &served).await.unwrap();
        check(&served.vault.lock().unwrap(), &format!("{start:?}"));
        assert_eq!(done.uploaded, !start.contains(&Some(NEW)), "{start:?}");
        assert_eq!(done.removed.len(), start.len() - usize::from(!done.uploaded), "{start:?}");
        // The second time there is nothing to do, and nothing is written.
        served.plan(None);
        let again = replace(&client, &served).await.unwrap();
        assert_eq!(again, Replaced { uid: done.uid, uploaded: false, removed: Vec::new() });
        let calls: Vec<String> = served.service.seen().into_iter().rev().take(3).map(|seen| seen.path).collect();
        assert!(
            served.requests() == 3
                && calls.iter().all(|path| path.ends_with("get_secret") || path.starts_with("/get/")),
            "{calls:?}"
        );
    }
}

#[tokio::test]
async fn one_remains_after_a_fault_at_any_request_and_one_more_run() {
    let mut runs = 0;
    for start in STARTS {
        let length = {
            let served = served(start).await;
            replace(&served.client(), &served).await.unwrap();
            served.requests()
        };
        for fault in FAULTS {
            for at in 0..length {
                runs += 1;
                let what = format!("{start:?} {fault:?} at {at} of {length}");
                let served = served(start).await;
                served.plan(Some((at, fault)));
                let first = served.client();
                let ended = served.until_killed(replace(&first, &served)).await;
                drop(first);
                match (fault, &ended) {
                    (Fault::KillBefore | Fault::KillAfter, None) => {}
                    // One lost request is made good on the way.
                    (Fault::CutBefore | Fault::CutAfter, Some(Ok(_))) => {}
                    (Fault::DownBefore | Fault::DownAfter, Some(Err(_))) => {}
                    // The last request was a read that had nothing more to say.
                    (Fault::DownAfter, Some(Ok(_))) if at + 1 == length => {}
                    _ => panic!("{what}: {ended:?}"),
                }
                served.plan(None);
                replace(&served.client(), &served).await.unwrap_or_else(|error| panic!("{what}: {error}"));
                let vault = served.vault.lock().unwrap();
                check(&vault, &what);
                // A look-up by name found one at any time, one with content, if there was one to begin with.
                if !start.is_empty() {
                    let least = |counts: &[usize]| counts.iter().min().copied().unwrap_or_default();
                    assert!(least(&vault.counts) >= 1 && least(&vault.whole) >= 1, "{what}: {:?}", vault.counts);
                }
            }
        }
    }
    println!("{runs} faults");
    assert!(runs > 150);
}

#[tokio::test]
async fn two_have_the_name_from_the_announcement_to_the_removal_and_only_then() {
    let served = served(&[Some(OLD)]).await;
    replace(&served.client(), &served).await.unwrap();
    let calls: Vec<String> =
        served.service.seen().iter().map(|seen| seen.path.rsplit('/').next().unwrap().to_owned()).collect();
    let vault = served.vault.lock().unwrap();
    let (from, to) = (
        calls.iter().position(|call| call == "add_file").unwrap(),
        calls.iter().position(|call| call == "update_secret").unwrap(),
    );
    for (at, count) in vault.counts.iter().enumerate() {
        assert_eq!(*count, if (from..to).contains(&at) { 2 } else { 1 }, "at {at}: {calls:?}");
    }
    // The call itself returns after the window has closed.
    assert_eq!(vault.counts.last(), Some(&1));
}

#[tokio::test]
async fn a_stored_form_whose_answer_is_lost_is_not_stored_twice() {
    let served = served(&[Some(OLD)]).await;
    // get_secret, download of the old one is spared by its size, get_secret, add_file, form.
    served.plan(Some((3, Fault::CutAfter)));
    replace(&served.client(), &served).await.unwrap();
    let forms = served.service.seen().iter().filter(|seen| seen.path.starts_with("/post/")).count();
    assert_eq!(forms, 1);
    check(&served.vault.lock().unwrap(), "lost answer");
}

#[tokio::test]
async fn a_new_file_that_never_gets_an_address_is_waited_for_and_taken_back_by_the_next_run() {
    let served = served(&[Some(OLD)]).await;
    let record = served.vault.lock().unwrap().record;
    let broken = served.vault.lock().unwrap().attach("slow.txt", None);
    let (options, events) = common::overheard(served.service.options());
    let client = served.client_with(options);
    let read = client.record(record).await.unwrap();
    let file = read.files.iter().find(|file| file.uid == broken).unwrap();
    assert!(!file.is_stored());
    let error = client.download(&read, file).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let waits = events.lock().unwrap().iter().filter(|event| matches!(event, Event::NotStoredYet { .. })).count();
    assert_eq!(waits, 6);
    client.replace_file(record, &NewFile::new("slow.txt", NEW)).await.unwrap();
    let all = served.vault.lock().unwrap().attachments();
    assert_eq!(
        all.iter().filter(|(name, _)| name == "slow.txt").collect::<Vec<_>>(),
        [&("slow.txt".to_owned(), Some(NEW.to_vec()))]
    );
}

#[tokio::test]
async fn an_address_that_has_expired_is_asked_for_again() {
    let served = served(&[Some(OLD)]).await;
    let record = served.vault.lock().unwrap().record;
    let client = served.client();
    let read = client.record(record).await.unwrap();
    served.vault.lock().unwrap().expire();
    assert_eq!(client.download(&read, read.file(NAME).unwrap()).await.unwrap().as_slice(), OLD);
}

#[tokio::test]
async fn two_writers_at_once_end_with_one() {
    let served = served(&[Some(OLD)]).await;
    let (one, two) = (served.client(), served.client());
    let (first, second) = tokio::join!(replace(&one, &served), replace(&two, &served));
    // One of them may be told that the other took its file away; nothing worse.
    for ended in [&first, &second] {
        assert!(matches!(ended, Ok(_) | Err(Error::NotFound { .. } | Error::Contended { .. })), "{ended:?}");
    }
    let left = served.vault.lock().unwrap().attachments();
    assert!(left.iter().any(|(name, _)| name == NAME), "each took the other's away: {left:?}");
    replace(&one, &served).await.unwrap();
    check(&served.vault.lock().unwrap(), "two writers");
}

#[tokio::test]
async fn limits_hold_before_anything_is_sent() {
    let served = served(&[]).await;
    let record = served.vault.lock().unwrap().record;
    let client = served.client_with(served.service.options().max_file(10));
    let error = client.replace_file(record, &NewFile::new(NAME, NEW)).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 10, .. }), "{error}");
    assert!(client.upload(record, &NewFile::new("", b"x".as_slice())).await.is_err());
    assert!(client.upload(record, &NewFile::new("a\nb", b"x".as_slice())).await.is_err());
    assert_eq!(served.requests(), 0);
    // And what is there already is not read beyond the limit.
    served.vault.lock().unwrap().attach("big", Some(&[0; 100]));
    let read = client.record(record).await.unwrap();
    let error = client.download(&read, read.file("big").unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 10, .. }), "{error}");
}

#[tokio::test]
async fn an_update_is_applied_to_what_others_wrote_meanwhile() {
    let served = served(&[]).await;
    let record = served.vault.lock().unwrap().record;
    let client = served.client();
    // Others change the record twice, each time right after it was read.
    let vault = served.vault.clone();
    let rounds = std::sync::atomic::AtomicUsize::new(0);
    client
        .update_record(record, |content| {
            if rounds.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
                vault.lock().unwrap().attach("theirs.txt", Some(b"x"));
                vault.lock().unwrap().touch();
            }
            content.set_notes("ours");
        })
        .await
        .unwrap();
    {
        let vault = served.vault.lock().unwrap();
        assert_eq!(vault.content()["notes"], "ours");
        assert_eq!(vault.attachments().iter().filter(|(name, _)| name == "theirs.txt").count(), 2);
        assert_eq!(vault.content()["fields"][1]["value"].as_array().unwrap().len(), 3);
    }
    // The same again changes nothing and sends nothing but the question.
    served.plan(None);
    client.update_record(record, |content| content.set_notes("ours")).await.unwrap();
    assert_eq!(served.requests(), 1);
    // Others are always faster: it ends.
    let vault = served.vault.clone();
    let error = client
        .update_record(record, |content| {
            vault.lock().unwrap().touch();
            content.set_notes("never");
        })
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Contended { attempts: 5, .. }), "{error}");
}

#[tokio::test]
async fn a_deadline_ends_a_replacement_and_the_next_run_finishes_it() {
    let served = served(&[Some(OLD)]).await;
    served.plan(Some((2, Fault::KillAfter)));
    let client = served.client_with(served.service.options().deadline(Duration::from_millis(300)));
    let error = replace(&client, &served).await.unwrap_err();
    assert!(matches!(error, Error::Upload { taken_back: false, .. } | Error::Deadline { .. }), "{error}");
    served.plan(None);
    replace(&served.client(), &served).await.unwrap();
    check(&served.vault.lock().unwrap(), "deadline");
}
