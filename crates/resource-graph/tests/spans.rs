//! One node's story can be filtered out of a concurrent run's log: whatever is logged while a node is looked at, applied or
//! destroyed lies in a span that names it.

mod toy;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use resource_graph::*;
use toy::{Op, Toy, World, apply, destroy, story};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Remembers each logged line with the node of the span around it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    spans: Vec<String>,
    entered: Vec<usize>,
    lines: Vec<(String, String)>,
}

struct Named<'a>(&'static str, &'a mut String);

impl Visit for Named<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == self.0 {
            *self.1 = format!("{value:?}");
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut node = String::new();
        attributes.record(&mut Named("node", &mut node));
        let mut log = self.0.lock().unwrap();
        log.spans.push(node);
        Id::from_u64(log.spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut called = String::new();
        event.record(&mut Named("called", &mut called));
        let mut log = self.0.lock().unwrap();
        let around = log.entered.last().map(|&span| log.spans[span].clone()).unwrap_or_default();
        log.lines.push((around, called));
    }

    fn enter(&self, span: &Id) {
        let span = usize::try_from(span.into_u64()).unwrap() - 1;
        self.0.lock().unwrap().entered.push(span);
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().entered.pop();
    }
}

#[test]
fn whatever_is_logged_about_a_node_lies_in_a_span_that_names_it() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        story(async {
            let world = World::default();
            let mut graph = Graph::new();
            for name in ["a", "b"] {
                for op in [Op::Look, Op::Create, Op::Destroy] {
                    world.slow(name, op, 10);
                }
                graph.add(Label::step("T"), Toy::new(&world, name));
            }
            assert!(apply(&graph, &world.cx()).await.is_done());
            assert!(destroy(&graph, &world.cx()).await.is_done());
        });
    });
    let log = log.0.lock().unwrap();
    // Each of two nodes: two looks, create, finish; look, destroy.
    assert_eq!(log.lines.len(), 12);
    for (around, called) in &log.lines {
        assert_eq!(around, called);
    }
    assert!(log.entered.is_empty());
}
