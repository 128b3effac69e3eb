//! The ECS task definition as a typed, linted, diffable thing.
