//! `keeper.properties` (K4) as the config describes it.

use taskdef::properties::{Properties, Settings, SslMode};

use crate::config::{self, Config};

/// The file's text: the guide's keys in the guide's order, then what the config adds.
pub fn render(config: &Config) -> String {
    let wish = &config.properties;
    let mut extra = Properties::default();
    for (key, value) in &wish.extra {
        extra.set(key, value);
    }
    let settings = Settings {
        ssl_mode: Some(match wish.ssl_mode {
            config::SslMode::Certificate => SslMode::Certificate,
            config::SslMode::SelfSigned => SslMode::SelfSigned,
            config::SslMode::None => SslMode::None,
        }),
        automator_host: Some(wish.automator_host.clone()),
        disable_sni_check: Some(wish.disable_sni_check),
        persist_state: Some(wish.persist_state),
        extra,
        ..Settings::guide()
    };
    settings.to_properties().render()
}
