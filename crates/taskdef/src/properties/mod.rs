//! `keeper.properties`: the settings of the service.

mod settings;
mod text;

pub use settings::{Settings, SettingsError, SslMode};
pub use text::{Properties, PropertiesError};
