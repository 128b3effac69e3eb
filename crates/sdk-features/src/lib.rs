//! Nothing but features: see the manifest. The AWS SDK is compiled once because of this crate.
