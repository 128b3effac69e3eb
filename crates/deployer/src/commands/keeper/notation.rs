//! `keeper notation`: what a `keeper://` notation points at.

use clap::Args;
use ksm_client::Notation;

use super::device::Device;
use super::documents::{KeeperDocument, SCHEMA};
use super::fail;
use super::get::Out;
use super::place::Place;
use crate::catalogue::Lang;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    device: Device,
    /// `keeper://RECORD/file/NAME`, `…/field/LABEL[0][property]`, `…/custom_field/LABEL`, `…/notes` and their kin.
    #[arg(value_name = "NOTATION")]
    notation: String,
    #[command(flatten)]
    out: Out,
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.device.place
    }
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let notation = options.notation.parse::<Notation>();
    let notation = notation.map_err(|error| fail::device(error, "K3").exit(ExitCode::Usage))?;
    options.out.check(options.place())?;
    let client = options.device.open(host, lang)?;
    let value = client.value(&notation).await.map_err(|error| fail::device(error, "K3"))?;
    let document =
        |bytes, out| KeeperDocument::Notation { schema: SCHEMA, notation: options.notation.clone(), bytes, out };
    options.out.write(host, options.place(), &value, document)
}
