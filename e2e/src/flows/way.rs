//! How a person runs the product: with the Keeper half done by hand, or signed in.

use crate::harness::Scene;
use crate::harness::desk::DEPLOY;

/// The words of the command line.
pub(super) struct Way {
    deploy: &'static str,
    /// `destroy` of all that this way makes.
    pub(super) destroy: &'static str,
    /// What a `plan` has besides.
    pub(super) config: &'static str,
}

pub(super) const BY_HAND: Way = Way { deploy: DEPLOY, destroy: "destroy --yes", config: "" };

/// The person's word is only for the human test: everything else is done and looked at.
pub(super) const SIGNED_IN: Way = Way {
    deploy: "deploy --config keeper.toml --yes --acknowledge-a16",
    destroy: "destroy --config keeper.toml --yes --keeper",
    config: "--config keeper.toml",
};

impl Way {
    /// `deploy`, as far as the emulator carries it.
    pub(super) fn deploy(&self, scene: &Scene) -> String {
        format!("{} {}", self.deploy, scene.only())
    }
}
