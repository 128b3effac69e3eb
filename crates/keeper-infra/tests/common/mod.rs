//! What the tests of this crate share.

use std::time::Duration;

use automator_admin::config::{Config, ConfigMemory};
use automator_admin::{Login, Options, Session};
use keeper_fake::{Fake, Scheme, World};

/// Long enough for a fake to be asked again.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// A Keeper cloud of this world, and an administrator who is signed in to it.
pub(crate) async fn signed_in(mut world: World) -> (Fake, Session) {
    let device = world.admin.add_resumable();
    let fake = Fake::start(world, Scheme::Https).await.unwrap();
    let json = fake.world().admin.commander_config(fake.origin(), &device).to_string();
    let config = ConfigMemory::new(Config::parse(json.as_bytes()).unwrap());
    let options = Options::new().server_keys(fake.world().server_keys()).authority(fake.ca_pem().unwrap());
    let session = Login::new(config).options(options.retry_pause(PAUSE)).sign_in().await.unwrap();
    (fake, session)
}
