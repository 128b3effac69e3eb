//! What is played before each emulator.

mod drift;
mod faults;
mod guide;
mod keeper;
mod lock;
mod order;
mod table;
mod way;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::harness::{Running, Scene};

/// A flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Flow {
    /// From nothing to nothing: deploy, deploy again, plan, destroy
    Guide,
    /// The same with the Keeper half, signed in to a pretend Keeper cloud
    Keeper,
    /// Each thing deleted by hand
    Drift,
    /// An attribute of each thing changed by hand
    Change,
    /// Nothing is made before what it rests on, and nothing deleted before what uses it
    Order,
    /// The answer of every create lost
    Lost,
    /// Throttling, server errors, slow answers, cut connections, at random
    Faults,
    /// SIGKILL at random moments
    Kills,
    /// Two deploys of one deployment at once
    Lock,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("?", clap::builder::PossibleValue::get_name))
    }
}

/// How much of each flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// How many seeds of faults.
    pub seeds: u64,
    /// How many kills, half of them of a destroy.
    pub kills: u64,
    /// Where the seeds begin.
    pub first_seed: u64,
    /// How much longer every call takes.
    pub latency: Duration,
}

/// What a flow found.
#[derive(Debug, Default)]
pub struct Told {
    /// What was done, in numbers that are the same each time.
    pub did: String,
    /// How each step ended, where a flow sees steps.
    pub steps: BTreeMap<String, String>,
}

impl Told {
    fn did(did: impl Into<String>) -> Self {
        Self { did: did.into(), steps: BTreeMap::new() }
    }
}

impl Flow {
    /// How long it takes, compared with others.
    pub fn length(self) -> u8 {
        match self {
            Self::Guide | Self::Lock => 1,
            Self::Lost | Self::Kills => 3,
            Self::Order | Self::Faults => 5,
            Self::Keeper | Self::Change => 7,
            Self::Drift => 9,
        }
    }

    /// Whether an emulator carries what it needs.
    pub fn is_carried_by(self, running: &Running) -> bool {
        self != Self::Keeper || running.only.is_none()
    }

    /// Plays it, from an empty account and an empty vault.
    ///
    /// # Errors
    ///
    /// What is not as it should be.
    pub async fn play(self, scene: &mut Scene, measure: Measure) -> Result<Told> {
        scene.empty().await?;
        // A flow that failed may have left it full.
        if scene.administrator.census().await?.iter().any(|(_, count)| *count > 0) {
            scene.desk.expect(way::SIGNED_IN.destroy).await.context("empty the vault")?;
        }
        match self {
            Self::Guide => guide::play(scene).await,
            Self::Keeper => keeper::play(scene).await,
            Self::Drift => drift::deleted(scene).await,
            Self::Change => drift::changed(scene).await,
            Self::Order => order::play(scene).await,
            Self::Lost => faults::lost(scene).await,
            Self::Faults => faults::seeds(scene, measure).await,
            Self::Kills => faults::kills(scene, measure).await,
            Self::Lock => lock::play(scene).await,
        }
    }
}
