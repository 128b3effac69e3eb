/// Why a device configuration cannot be used. No value is shown, only the field's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is nothing but white space.
    #[error("read the device configuration, because it is empty")]
    Empty,
    /// It is larger than [`MAX_CONFIG`](crate::config::MAX_CONFIG).
    #[error("read the device configuration, because it is larger than {} bytes", super::MAX_CONFIG)]
    TooLarge,
    /// None of the forms.
    #[error("read the device configuration, because it is no {0}")]
    Form(&'static str),
    /// A field that cannot be done without.
    #[error("use the device configuration, because it has no `{0}`")]
    Missing(&'static str),
    /// A field of another kind.
    #[error("use the device configuration, because `{field}` is not {expected}")]
    Wrong {
        /// The field, in the spelling of the JSON form.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A field whose value is damaged.
    #[error("use the device configuration, because `{field}` cannot be read")]
    Value {
        /// The field, in the spelling of the JSON form.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        source: keeper_wire::Error,
    },
    /// There is no such profile in an INI file.
    #[error("find the profile {0:?} in the device configuration")]
    Profile(String),
    /// A file.
    #[error("{action} the device configuration {}", .path.display())]
    File {
        /// `read`, `write` or `create`.
        action: &'static str,
        /// Which file.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A form that is read but not written back.
    #[error("write the device configuration {} back as {form}", .path.display())]
    NotWritten {
        /// Which file.
        path: std::path::PathBuf,
        /// Its form.
        form: &'static str,
    },
}

impl ConfigError {
    /// What a person can do about it; empty where the text says all there is.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Form(_) | Self::Value { .. } | Self::Wrong { .. } => {
                "copy the whole configuration again, without the quotes around it"
            }
            Self::Missing("hostname") => "name the host or the region, such as EU",
            Self::Missing("privateKey") => {
                "this is no whole configuration; a one-time token alone is bound first, and gives one"
            }
            Self::Missing(_) => "take the configuration anew from the vault",
            Self::Profile(_) => "look at the section names in the file",
            Self::NotWritten { .. } => "save it as JSON in another file",
            Self::TooLarge | Self::File { .. } => "",
        }
    }
}
