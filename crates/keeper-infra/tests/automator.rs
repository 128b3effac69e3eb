//! An Automator that changes between the plan and the act: the keys are handed over only where one task answers.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use automator_admin::automator::{AutomatorState, Skill};
use common::signed_in;
use keeper_fake::{Responder, World};
use keeper_infra::{Automator, BoxFuture, Home, OneTask};
use resource_graph::{Action, Cx, Fixed, Graph, Label, Resource, Result};

const HOST: &str = "automator.example.com";

/// Counts how often it was asked to see to it.
#[derive(Default)]
struct Tasks(AtomicUsize);

impl OneTask<()> for Tasks {
    fn one<'a>(&'a self, _: &'a Cx, (): &'a ()) -> BoxFuture<'a, Result<()>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn keys_are_handed_over_only_after_one_task_was_seen_to() {
    let mut world = World::new();
    let _responder = Responder::at(HOST, &mut world.contacts).await.unwrap();
    let nodes = world.admin.add_nodes();
    let (fake, session) = signed_in(world).await;

    let tasks = Arc::new(Tasks::default());
    let automator = Automator {
        home: Home::new(session, "blue"),
        node: "automator".into(),
        name: "automator".to_owned(),
        enterprise_node: nodes.sso.1,
        url: format!("https://{HOST}"),
        skills: [Skill::DeviceApproval].into(),
        service: Graph::new().add(Label::step("A12"), Fixed::new("service", ())),
        tasks: tasks.clone(),
    };
    let cx = Cx::quiet();
    automator.apply(&cx, Action::Create, ((),)).await.unwrap();
    let seen_to = || tasks.0.load(Ordering::Relaxed);
    assert_eq!(seen_to(), 1);

    let become_state = |state| fake.world().admin.automators_mut().for_each(|one| one.state = state);
    become_state(AutomatorState::NeedsInitialization);
    let (found, _) = automator.look(&cx, &(None,)).await.unwrap().current.unwrap();
    // And since that look it needs new keys.
    become_state(AutomatorState::NeedsCryptoStep1);
    let failed = automator.apply(&cx, Action::Update { found, adopt: false }, ((),)).await.unwrap_err();
    assert_eq!(failed.code(), "plan-got-worse");
    let state = fake.world().admin.automators().next().unwrap().state;
    assert_eq!((state, seen_to()), (AutomatorState::NeedsCryptoStep1, 1), "not even its public key was asked for");

    let (found, _) = automator.look(&cx, &(None,)).await.unwrap().current.unwrap();
    automator.apply(&cx, Action::Update { found, adopt: false }, ((),)).await.unwrap();
    assert_eq!(seen_to(), 2);
}
