//! Lint runs on every keystroke of an editor, so a large document must take less than a millisecond.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use taskdef::{Document, TaskDefinition, diff, lint};

const DOCUMENT: &str = include_str!("../../../fixtures/taskdef/good/side-car.json");
const CONTAINERS: usize = 64;

/// Many containers, each with what containers have, waiting for one another in a row.
fn large() -> TaskDefinition {
    let mut task = Document::read(DOCUMENT).expect("the fixture reads").definition;
    let pattern =
        Document::read(include_str!("../../../fixtures/taskdef/good/ksm.json")).expect("the fixture reads").definition;
    let containers = (0..CONTAINERS).map(|number| {
        let mut container = pattern.container_definitions[number % 2].clone();
        container.name = format!("container-{number}");
        if let Some(dependency) = container.depends_on.as_mut().and_then(|list| list.first_mut()) {
            dependency.container_name = format!("container-{}", number - 1);
        }
        container
    });
    task.container_definitions = containers.collect();
    task.volumes = pattern.volumes;
    task
}

fn benches(criterion: &mut Criterion) {
    let task = large();
    criterion.bench_function("lint 64 containers", |bencher| bencher.iter(|| lint(black_box(&task))));
    criterion.bench_function("diff 64 containers", |bencher| bencher.iter(|| diff(black_box(&task), black_box(&task))));
}

criterion_group!(group, benches);
criterion_main!(group);
