//! Where the two halves meet: AWS keeps the device's configuration, and AWS has the one task that Keeper sets up.

use aws_infra::secretsmanager::Versions;
use aws_infra::{ClusterArn, Home, SecretArn, ServiceArn};
use keeper_infra::{BoxFuture, CredentialStore, OneTask};
use resource_graph::{Cx, Field, Result};
use secrecy::SecretString;

/// The tag that says which device's configuration a secret holds, and how far the device is.
const DEVICE_TAG: &str = "keeper-automator:device";

/// The record's UID, as the task definition names it.
pub(super) const RECORD_UID: Field<keeper_infra::RecordUid, taskdef::RecordUid> =
    Field::new("uid", |uid| uid.to_string().parse().expect("both crates write a UID with the same 22 characters"));

/// Secrets Manager, as a place for a device's configuration.
pub(super) struct Secrets(pub(super) Home);

impl Secrets {
    fn versions(&self, place: &SecretArn) -> Versions {
        Versions { home: self.0.clone(), secret: place.clone() }
    }
}

impl CredentialStore<SecretArn> for Secrets {
    fn read<'a>(&'a self, place: &'a SecretArn) -> BoxFuture<'a, Result<Option<SecretString>>> {
        Box::pin(async move { self.versions(place).read().await })
    }

    fn write<'a>(&'a self, place: &'a SecretArn, config: &'a SecretString) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.versions(place).write(config).await })
    }

    fn aside<'a>(&'a self, place: &'a SecretArn) -> BoxFuture<'a, Result<Option<SecretString>>> {
        Box::pin(async move { self.versions(place).aside().await })
    }

    fn set_aside<'a>(&'a self, place: &'a SecretArn, config: &'a SecretString) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.versions(place).set_aside(config).await })
    }

    fn note<'a>(&'a self, place: &'a SecretArn) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move { self.versions(place).note(DEVICE_TAG).await })
    }

    fn set_note<'a>(&'a self, place: &'a SecretArn, note: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.versions(place).set_note(DEVICE_TAG, note).await })
    }
}

/// ECS, which can bring a service to one task.
pub(super) struct Tasks {
    pub(super) home: Home,
    pub(super) cluster: ClusterArn,
}

impl OneTask<ServiceArn> for Tasks {
    fn one<'a>(&'a self, cx: &'a Cx, service: &'a ServiceArn) -> BoxFuture<'a, Result<()>> {
        Box::pin(aws_infra::ecs::scale(&self.home, cx, &self.cluster, service, 1))
    }
}
