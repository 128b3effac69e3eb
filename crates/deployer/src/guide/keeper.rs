//! The Keeper half of the guide: K2 to K7, A14 and A15.

use aws_infra::ecs::Confirmation;
use resource_graph::{NodeId, NodeIndex, Ref};
use taskdef::RecordUid;

use super::by_hand::{self, ByHand, Commands};
use super::{Guide, Material, Running, Words};
use crate::catalogue::StepId;
use crate::config::KeeperHalf;

/// What the Keeper half gives to the AWS half.
pub(super) struct Vault {
    /// K3: the record with the three files.
    pub(super) record: Ref<RecordUid>,
    /// What a task needs of the vault before it can start, though no value passes: files, share, device.
    pub(super) ready: Vec<NodeIndex>,
    /// K7, where a person makes it: the secret can be stored only when it is there.
    pub(super) device: Option<NodeIndex>,
}

impl Guide<'_> {
    /// K2 to K7, where a person does them and writes into the config what came of it.
    pub(super) fn vault_by_hand(&mut self, material: &Material) -> Vault {
        let commands = Commands::of(&self.names, &material.attachments);
        let (record, device) = match &self.config.keeper.half {
            KeeperHalf::Manual { record_uid, ksm_config } => (record_uid.as_ref(), ksm_config.as_ref()),
            KeeperHalf::Login { .. } => (None, None),
        };
        let record: Option<RecordUid> =
            record.map(|uid| uid.as_str().parse().expect("the config has checked it by the same rule"));
        let (made, bound) = (record.as_ref().map(|_| ()), device.map(|_| ()));

        let folder = self.by_hand(StepId::K2, &[], "vault-folder", made, commands.folder);
        let record = self.by_hand(StepId::K3, &["C39"], "vault-record", record, commands.record);
        let properties =
            self.by_hand(StepId::K4, &["C34", "C35", "C36"], "vault-properties", made, commands.properties);
        let application = self.by_hand(StepId::K5, &[], "ksm-application", bound, commands.application);
        let share = self.by_hand(StepId::K6, &[], "ksm-share", bound, commands.share);
        let device = self.by_hand(StepId::K7, &["C05"], "ksm-device", bound, commands.device);
        let (folder, application, share) = (folder.node(), application.node(), share.node());
        for (later, earlier) in [
            (record.node(), folder),
            (properties.node(), record.node()),
            (share, folder),
            (share, application),
            (device.node(), share),
        ] {
            self.graph.after(later, earlier);
        }
        Vault { record, ready: vec![properties.node(), device.node()], device: Some(device.node()) }
    }

    fn by_hand<T: Clone + Send + Sync + 'static>(
        &mut self,
        step: StepId,
        corrections: &[&str],
        node: &str,
        result: Option<T>,
        task: String,
    ) -> Ref<T> {
        self.add(step, corrections, |_, _, _| ByHand { node: NodeId::new(node), result, task })
    }

    /// A15, where a person does it.
    pub(super) fn automator_by_hand(&mut self, running: &Running, words: &Words) -> Ref<()> {
        let confirmed = self.add(StepId::A15, &["C26", "C27", "C30"], |home, config, _| Confirmation {
            home,
            node: NodeId::from("automator"),
            step: StepId::A15.to_string(),
            service: running.service.clone(),
            task: by_hand::automator(config),
            word: words.a15.clone(),
        });
        // Keeper's cloud must reach the service to hand over its keys.
        self.graph.after(confirmed.node(), running.reached);
        confirmed
    }
}
