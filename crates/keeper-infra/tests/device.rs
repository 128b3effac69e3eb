//! A device, from nothing to bound, replaced, and finished after each way to die half-way: what tasks read is never half a device.

mod common;

use std::sync::{Arc, Mutex};

use automator_admin::Session;
use common::{PAUSE, signed_in};
use keeper_fake::faults::{Fault, On};
use keeper_fake::{Fake, World};
use keeper_infra::{Application, BoxFuture, CredentialStore, Device, Home};
use resource_graph::{Cx, Error, Fixed, Graph, Label, Limits, Result};
use secrecy::{ExposeSecret, SecretString};

/// A place in memory that remembers everything that tasks could ever have read.
#[derive(Default)]
struct Store(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    current: Vec<String>,
    aside: Option<String>,
    note: Option<String>,
    /// So many writes are made before one is not.
    until_lost: Option<usize>,
}

impl Store {
    fn keep(&self, how: impl FnOnce(&mut Kept)) -> Result<()> {
        let mut kept = self.0.lock().unwrap();
        match kept.until_lost {
            Some(0) => {
                kept.until_lost = None;
                return Err(Error::new("lost", "keep it"));
            }
            Some(more) => kept.until_lost = Some(more - 1),
            None => {}
        }
        how(&mut kept);
        Ok(())
    }

    fn current(&self) -> Vec<ksm_client::Config> {
        let kept = self.0.lock().unwrap();
        kept.current.iter().map(|text| ksm_client::Config::parse(text).unwrap()).collect()
    }
}

impl CredentialStore<()> for Store {
    fn read<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, Result<Option<SecretString>>> {
        Box::pin(async { Ok(self.0.lock().unwrap().current.last().cloned().map(SecretString::from)) })
    }

    fn write<'a>(&'a self, (): &'a (), config: &'a SecretString) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { self.keep(|kept| kept.current.push(config.expose_secret().to_owned())) })
    }

    fn aside<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, Result<Option<SecretString>>> {
        Box::pin(async { Ok(self.0.lock().unwrap().aside.clone().map(SecretString::from)) })
    }

    fn set_aside<'a>(&'a self, (): &'a (), config: &'a SecretString) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { self.keep(|kept| kept.aside = Some(config.expose_secret().to_owned())) })
    }

    fn note<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async { Ok(self.0.lock().unwrap().note.clone()) })
    }

    fn set_note<'a>(&'a self, (): &'a (), note: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { self.keep(|kept| kept.note = Some(note.to_owned())) })
    }
}

struct Stage {
    fake: Fake,
    session: Session,
    store: Arc<Store>,
    graph: Graph,
}

impl Stage {
    async fn new() -> Self {
        let (fake, session) = signed_in(World::new()).await;
        let (home, store) = (Home::new(session.clone(), "blue"), Arc::new(Store::default()));
        let mut graph = Graph::new();
        let place = graph.add(Label::step("X1"), Fixed::new("secret", ()));
        let application = Application { home: home.clone(), node: "ksm-application".into(), title: "blue".to_owned() };
        let application = graph.add(Label::step("K5"), application);
        let device = Device {
            home,
            node: "ksm-device".into(),
            name: "ecs".to_owned(),
            application,
            place,
            store: store.clone(),
            host: session.host(),
            options: ksm_client::Options::new()
                .server_keys(fake.world().server_keys())
                .authority(fake.ca_pem().unwrap())
                .retry_pause(PAUSE)
                .throttle_pause(PAUSE),
        };
        graph.add(Label::step("K7"), device);
        Self { fake, session, store, graph }
    }

    /// The same with a device, which somebody then revoked.
    async fn revoked() -> Self {
        use automator_admin::vault::{Marker, application, device};
        let stage = Self::new().await;
        assert!(stage.apply().await);
        stage.is_whole();
        let vault = stage.session.vault().await.unwrap();
        let application = application::owned(&vault, &Marker::new("blue")).pop().unwrap();
        for id in stage.devices() {
            device::remove(&stage.session, &application, &id).await.unwrap();
        }
        stage
    }

    /// One run, in which nothing is tried twice; whether it was done.
    async fn apply(&self) -> bool {
        let cx = Cx::quiet();
        let Ok(found) = self.graph.discover(&cx, &self.graph.everything()).await else { return false };
        let limits = Limits { attempts: 1, ..Limits::default() };
        self.graph.apply(&cx, limits, &found, &self.graph.plan(&found)).await.is_done()
    }

    /// The devices that Keeper has.
    fn devices(&self) -> Vec<keeper_wire::ClientId> {
        let world = self.fake.world();
        world.vault.applications.values().flat_map(|app| app.devices.iter().map(|device| device.client_id)).collect()
    }

    #[track_caller]
    fn is_whole(&self) {
        let current = self.store.current();
        assert!(current.iter().all(ksm_client::Config::is_bound), "a task could have read half a device");
        assert_eq!(self.devices(), [*current.last().unwrap().client_id()]);
    }
}

#[tokio::test]
async fn tasks_never_read_a_device_that_is_not_bound() {
    let stage = Stage::revoked().await;
    assert!(stage.apply().await);
    stage.is_whole();
    assert_eq!(stage.store.current().len(), 2, "the new device took the place of the old one in one write");
    assert!(stage.apply().await);
    assert_eq!(stage.store.current().len(), 2, "nothing is left to do");
}

/// The writes of a replacement are: aside, note, current, note.
#[tokio::test]
async fn a_replacement_that_loses_a_write_of_its_own_is_finished_by_the_next_run() {
    for lost in 0..4 {
        let stage = Stage::revoked().await;
        stage.store.0.lock().unwrap().until_lost = Some(lost);
        assert!(!stage.apply().await, "write {lost}");
        assert!(stage.apply().await, "after write {lost}");
        stage.is_whole();
    }
}

#[tokio::test]
async fn a_device_that_was_begun_stays_when_only_its_place_refuses() {
    let stage = Stage::new().await;
    stage.fake.world().faults.next(On::Device, Fault::CutBefore);
    assert!(!stage.apply().await);
    let begun = stage.devices();
    // It is bound now, and what tasks read is not written.
    stage.store.0.lock().unwrap().until_lost = Some(0);
    assert!(!stage.apply().await);
    assert_eq!(stage.devices(), begun, "nothing is wrong with the device");
    assert!(stage.apply().await);
    stage.is_whole();
}

#[tokio::test]
async fn a_device_that_was_begun_stays_when_keeper_is_busy() {
    let stage = Stage::new().await;
    stage.fake.world().faults.next(On::Device, Fault::CutBefore);
    assert!(!stage.apply().await);
    let begun = stage.devices();
    assert_eq!(begun.len(), 1);
    for _ in 0..9 {
        stage.fake.world().faults.next(On::Device, Fault::Http429);
    }
    assert!(!stage.apply().await);
    assert_eq!(stage.devices(), begun, "its token is good still");
    stage.fake.world().faults.clear();
    assert!(stage.apply().await);
    stage.is_whole();
    assert_eq!(stage.devices(), begun);
}

#[tokio::test]
async fn a_replacement_that_loses_an_answer_of_keeper_is_finished_by_the_next_run() {
    let mut broken = 0;
    for index in 0.. {
        let stage = Stage::revoked().await;
        stage.fake.world().faults.nth(index, On::Any, Fault::CutAfter);
        broken += usize::from(!stage.apply().await);
        if stage.fake.world().faults.waiting() > 0 {
            break;
        }
        assert!(stage.apply().await, "after request {index}");
        stage.is_whole();
    }
    assert!(broken > 0, "every run mended itself");
}
