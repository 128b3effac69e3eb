//! The vault's verbs against keeper-fake.

mod common;

use automator_admin::vault::{Marker, VaultError, application, attachment, device, folder, record, share};
use automator_admin::{Error, Login, Session};
use common::{Stage, TITLE, apply, files, state, undo};
use keeper_wire::OneTimeToken;
use keeper_wire::crypto::sha256;

#[tokio::test]
async fn a_second_apply_makes_no_write_and_undo_leaves_nothing() {
    let stage = Stage::with_service().await;
    let (empty, node) = (state(&stage.fake), stage.nodes.sso.0);
    let session = stage.sign_in().await;
    apply(&session, &stage.marker, &stage.token, node).await.unwrap();
    let done = state(&stage.fake);
    assert!(
        done.starts_with("folders 1 records 1 files 3 applications 1 links 3 shares [true] devices [(\"ecs\", false)]")
    );
    assert!(done.contains("true, Running"), "{done}");
    drop(session);

    let from = stage.requests();
    let session = stage.sign_in().await;
    apply(&session, &stage.marker, &stage.token, node).await.unwrap();
    assert_eq!(stage.writes(from), Vec::<String>::new());
    assert_eq!(state(&stage.fake), done);

    undo(&session, &stage.marker, node).await.unwrap();
    assert_eq!(state(&stage.fake), empty);
    undo(&session, &stage.marker, node).await.unwrap();
}

#[tokio::test]
async fn a_stranger_of_the_same_title_is_an_error_and_is_left_alone() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let other = Marker::new("green");
    let theirs = folder::create(&session, TITLE, &other).await.unwrap();
    let before = state(&stage.fake);
    let error = folder::create(&session, TITLE, &stage.marker).await.unwrap_err();
    assert!(matches!(&error, Error::Vault(VaultError::Stranger { uids, .. }) if *uids == [theirs.uid]), "{error}");
    assert_eq!(error.code(), "keeper-stranger");
    assert_eq!(state(&stage.fake), before);

    let app = application::create(&session, TITLE, &other).await.unwrap();
    assert_eq!(application::create(&session, TITLE, &stage.marker).await.unwrap_err().code(), "keeper-stranger");
    let ours = application::create(&session, "another", &stage.marker).await.unwrap();
    assert_eq!(application::owned(&session.vault().await.unwrap(), &stage.marker).len(), 1);

    // Whoever holds a thing of others under our name cannot remove it.
    let mut forged = theirs.clone();
    forged.marker = Some(stage.marker.clone());
    assert_eq!(folder::remove(&session, &forged).await.unwrap_err().code(), "keeper-not-ours");
    let mut forged = app.clone();
    forged.marker = Some(stage.marker.clone());
    assert_eq!(application::remove(&session, &forged).await.unwrap_err().code(), "keeper-not-ours");
    application::remove(&session, &ours).await.unwrap();
}

#[tokio::test]
async fn ours_is_found_again_by_its_marker_whatever_it_is_called() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let folder = folder::create(&session, "before", &stage.marker).await.unwrap();
    let app = application::create(&session, "before", &stage.marker).await.unwrap();
    let record = record::create(&session, &folder, "before", &stage.marker).await.unwrap();
    record::change(&session, &record, "by hand").await.unwrap();
    assert_eq!(folder::create(&session, TITLE, &stage.marker).await.unwrap().uid, folder.uid);
    assert_eq!(application::create(&session, TITLE, &stage.marker).await.unwrap().uid, app.uid);
    let found = record::create(&session, &folder, TITLE, &stage.marker).await.unwrap();
    assert_eq!((found.uid, found.title.as_str()), (record.uid, "by hand"));

    // A stranger who took the name since is no reason to make another one, and none to stop.
    folder::create(&session, TITLE, &Marker::new("green")).await.unwrap();
    let vault = session.vault().await.unwrap();
    assert_eq!(folder::find(&vault, TITLE, &stage.marker).unwrap().unwrap().uid, folder.uid);
}

#[tokio::test]
async fn a_folder_with_something_in_it_stays() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let ours = folder::create(&session, TITLE, &stage.marker).await.unwrap();
    let inside = record::create(&session, &ours, "x", &Marker::new("green")).await.unwrap();
    let error = folder::remove(&session, &ours).await.unwrap_err();
    assert!(error.to_string().contains(&inside.uid.to_string()), "{error}");
    record::remove(&session, &inside).await.unwrap();
    folder::remove(&session, &ours).await.unwrap();
    folder::remove(&session, &ours).await.unwrap();
}

async fn record_of(session: &Session, stage: &Stage) -> record::Record {
    let folder = folder::create(session, TITLE, &stage.marker).await.unwrap();
    record::create(session, &folder, TITLE, &stage.marker).await.unwrap()
}

#[tokio::test]
async fn a_new_generation_is_linked_and_the_old_one_unlinked_in_one_write() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let record = record_of(&session, &stage).await;
    let old = attachment::put(&session, record.uid, &files("one"), &[]).await.unwrap();
    let old: Vec<_> = old.iter().map(|file| file.uid).collect();
    let from = stage.requests();
    let new = attachment::put(&session, record.uid, &files("two"), &old).await.unwrap();
    let updates = stage.calls(from).iter().filter(|call| *call == "vault/records_update").count();
    assert_eq!(updates, 1);

    let vault = session.vault().await.unwrap();
    let listed = attachment::list(&vault, record.uid);
    assert_eq!(
        listed.iter().map(|file| file.uid).collect::<Vec<_>>(),
        new.iter().map(|file| file.uid).collect::<Vec<_>>()
    );
    for (found, wanted) in listed.iter().zip(files("two")) {
        assert_eq!(
            (&found.name, attachment::digest(&session, found).await.unwrap()),
            (&wanted.name, sha256(&wanted.bytes))
        );
    }
    // The old files are not only unlinked.
    assert!(state(&stage.fake).starts_with("folders 1 records 1 files 3 "));
    attachment::unlink(&session, record.uid, &[new[0].uid]).await.unwrap();
    attachment::unlink(&session, record.uid, &[new[0].uid]).await.unwrap();
    assert_eq!(attachment::list(&session.vault().await.unwrap(), record.uid).len(), 2);
}

#[tokio::test]
async fn a_record_that_others_changed_meanwhile_is_read_again() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let record = record_of(&session, &stage).await;
    stage.fake.world().vault.change();
    let revision = stage.fake.world().vault.revision;
    stage.fake.world().vault.records.get_mut(&record.uid).unwrap().revision = revision;
    record::change(&session, &record, "renamed").await.unwrap();
    assert_eq!(session.vault().await.unwrap().unreadable(), 0);
    let folder = folder::owned(&session.vault().await.unwrap(), &stage.marker).remove(0);
    let vault = session.vault().await.unwrap();
    let found = record::find(&vault, &folder, TITLE, &stage.marker).unwrap().unwrap();
    assert_eq!((found.uid, found.title.as_str()), (record.uid, "renamed"));
}

#[tokio::test]
async fn a_share_changes_by_removing_and_adding() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let folder = folder::create(&session, TITLE, &stage.marker).await.unwrap();
    let app = application::create(&session, TITLE, &stage.marker).await.unwrap();
    assert!(share::find(&session, &app, folder.uid).await.unwrap().is_none());
    assert!(!share::create(&session, &app, &folder, false).await.unwrap().editable);
    assert!(share::change(&session, &app, &folder, true).await.unwrap().editable);
    let from = stage.requests();
    share::change(&session, &app, &folder, true).await.unwrap();
    assert_eq!(stage.calls(from), ["vault/get_app_info"]);
    share::remove(&session, &app, folder.uid).await.unwrap();
    share::remove(&session, &app, folder.uid).await.unwrap();
    assert_eq!(share::list(&session, &app).await.unwrap(), []);
}

#[tokio::test]
async fn a_device_is_known_by_its_token_and_not_by_its_name() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    let app = application::create(&session, TITLE, &stage.marker).await.unwrap();
    let (one, two) = (OneTimeToken::random(), OneTimeToken::random());
    let made = device::create(&session, &app, "ecs", &one).await.unwrap();
    assert!(!made.ip_lock && !made.is_bound() && !made.is_dead() && made.access_until == 0);
    device::create(&session, &app, "ecs", &one).await.unwrap();
    device::create(&session, &app, "ecs", &two).await.unwrap();
    assert_eq!(device::list(&session, &app).await.unwrap().len(), 2);
    device::remove(&session, &app, &one.client_id()).await.unwrap();
    device::remove(&session, &app, &one.client_id()).await.unwrap();
    let left = device::list(&session, &app).await.unwrap();
    assert_eq!(left.iter().map(|device| device.client_id).collect::<Vec<_>>(), [two.client_id()]);
    assert!(device::find(&session, &app, &two.client_id()).await.unwrap().is_some());
}

#[tokio::test]
async fn those_who_ask_at_the_same_time_share_one_answer() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    session.vault().await.unwrap();
    session.look_again();
    let from = stage.requests();
    let (one, two, three) = tokio::join!(session.vault(), session.vault(), session.vault());
    assert_eq!(stage.calls(from), ["vault/sync_down"]);
    assert!(std::ptr::eq(&*one.unwrap(), &*two.unwrap()) && three.is_ok());
}

#[tokio::test]
async fn pages_and_pauses_between_them_make_no_difference() {
    let stage = Stage::new().await;
    stage.fake.world().admin.page = 1;
    let session = stage.sign_in().await;
    let record = record_of(&session, &stage).await;
    attachment::put(&session, record.uid, &files("one"), &[]).await.unwrap();
    let vault = session.vault().await.unwrap();
    assert_eq!((attachment::list(&vault, record.uid).len(), vault.unreadable()), (3, 0));
    assert_eq!(attachment::orphans(&vault, record.uid), []);
}

#[tokio::test]
async fn what_somebody_else_made_meanwhile_is_found_and_not_made_again() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    session.vault().await.unwrap();
    let other = Login::new(common::resumable(&stage.fake)).options(stage.options()).sign_in().await.unwrap();
    let theirs = folder::create(&other, TITLE, &stage.marker).await.unwrap();
    assert_eq!(folder::create(&session, TITLE, &stage.marker).await.unwrap().uid, theirs.uid);
    let record = record::create(&other, &theirs, TITLE, &stage.marker).await.unwrap();
    assert_eq!(record::create(&session, &theirs, TITLE, &stage.marker).await.unwrap().uid, record.uid);
    let app = application::create(&other, TITLE, &stage.marker).await.unwrap();
    assert_eq!(application::create(&session, TITLE, &stage.marker).await.unwrap().uid, app.uid);
}

#[tokio::test]
async fn too_many_files_are_told_from_too_large_ones() {
    let stage = Stage::new().await;
    let session = stage.login().options(stage.options().max_file(3)).sign_in().await.unwrap();
    let record = record_of(&session, &stage).await;
    let refused = async |count, size| {
        let file = attachment::NewFile { name: "x".to_owned(), bytes: vec![0; size].into() };
        attachment::put(&session, record.uid, &vec![file; count], &[]).await.unwrap_err().to_string()
    };
    assert!(refused(101, 1).await.ends_with("it has more than 100 files"));
    assert!(refused(1, 4).await.ends_with("it has more than 3 bytes"));
}
