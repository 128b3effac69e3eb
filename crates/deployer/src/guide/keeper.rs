//! The Keeper half of the guide: K2 to K7, A14 and A15; done by this tool when somebody is signed in, else by a person.

use std::sync::Arc;

use automator_admin::automator::Skill;
use automator_admin::vault::application::Application;
use aws_infra::ecs::Confirmation;
use aws_infra::{ClusterArn, SecretArn};
use keeper_infra::{
    Administrator, Applications, Attachments, CheckedRecord, Device, FolderShare, Home, Record, Records, SharedFolder,
    SharedFolders, WantedAttachment, WantedFile,
};
use keeper_wire::Uid;
use resource_graph::{NodeId, NodeIndex, Ref};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use taskdef::RecordUid;

use super::border::{self, RECORD_UID};
use super::by_hand::{self, ByHand, Commands};
use super::material::Files;
use super::{Guide, Material, Running, Words};
use crate::catalogue::StepId;
use crate::config::{self, KeeperHalf};

/// The Keeper half's own tools: who is signed in, and how a device's calls are made.
pub struct Keeper {
    /// The signed-in administrator; none where a person does the Keeper half, or where it is to be left alone.
    pub session: Option<automator_admin::Session>,
    /// How a device's calls are made.
    pub device: ksm_client::Options,
}

impl Keeper {
    /// Nobody is signed in.
    pub fn by_hand() -> Self {
        Self { session: None, device: ksm_client::Options::new() }
    }
}

/// What the Keeper half gives to the AWS half.
pub(super) struct Vault {
    /// K3: the record with the three files.
    pub(super) record: Ref<RecordUid>,
    /// What a task needs of the vault before it can start, though no value passes: files and share.
    pub(super) ready: Vec<NodeIndex>,
    /// K5, where this tool made it: the device belongs to it.
    pub(super) application: Option<(Home, Ref<Application>)>,
    /// K7, where a person makes it: the secret can be stored only when it is there.
    pub(super) device: Option<NodeIndex>,
}

impl Guide<'_> {
    /// K2 to K6, and K7 where a person does it.
    pub(super) fn vault(&mut self, material: &Material) -> Vault {
        match &self.keeper.session {
            Some(session) => {
                let home = Home::new(session.clone(), self.config.name.as_str());
                self.vault_signed_in(material, home)
            }
            None => self.vault_by_hand(material),
        }
    }

    /// K2 to K6.
    fn vault_signed_in(&mut self, material: &Material, home: Home) -> Vault {
        let (title, node) = (self.names.folder(), NodeId::from("vault-folder"));
        let folder = SharedFolder { home: home.clone(), node: node.clone(), title: title.clone() };
        let folder = self.add(StepId::K2, &[], |_, _, _| folder);
        self.graph.inventory(SharedFolders { home: home.clone(), node, title });

        let (title, node) = (self.names.record(), NodeId::from("vault-record"));
        let record = Record { home: home.clone(), node: node.clone(), title, folder: folder.clone() };
        let record = self.add(StepId::K3, &[], |_, _, _| record);
        self.graph.inventory(Records { home: home.clone(), node });
        let [certificate, properties] = files(material);
        let node = NodeId::from("vault-certificate");
        let certificate = Attachments { home: home.clone(), node, record: record.clone(), files: certificate };
        let certificate = self.add(StepId::K3, &["C20", "C39"], |_, _, _| certificate);
        let node = NodeId::from("vault-properties");
        let properties = Attachments { home: home.clone(), node, record: record.clone(), files: properties };
        let properties = self.add(StepId::K4, &["C34", "C35", "C36", "C39"], |_, _, _| properties);
        // Both write the same record: one after the other, or the second finds it changed.
        self.graph.after(properties.node(), certificate.node());

        let (title, node) = (self.names.application(), NodeId::from("ksm-application"));
        let application = keeper_infra::Application { home: home.clone(), node: node.clone(), title: title.clone() };
        let application = self.add(StepId::K5, &[], |_, _, _| application);
        self.graph.inventory(Applications { home: home.clone(), node, title });
        let share = FolderShare {
            home: home.clone(),
            node: NodeId::from("ksm-share"),
            folder,
            application: application.clone(),
            editable: false,
        };
        let share = self.add(StepId::K6, &[], |_, _, _| share);
        Vault {
            record: record.field(RECORD_UID),
            ready: vec![certificate.node(), properties.node(), share.node()],
            application: Some((home, application)),
            device: None,
        }
    }

    /// K7: the device, whose configuration goes into the secret.
    pub(super) fn device(&mut self, vault: &Vault, secret: &Ref<SecretArn>) -> Option<NodeIndex> {
        let (home, application) = vault.application.as_ref()?;
        let host = self.config.keeper.endpoint.host.clone();
        let device = Device {
            home: home.clone(),
            node: NodeId::from("ksm-device"),
            name: self.names.device(),
            application: application.clone(),
            place: secret.clone(),
            store: Arc::new(border::Secrets(self.home.clone())),
            host: host.unwrap_or_else(|| home.session.host()),
            options: self.keeper.device.clone(),
        };
        Some(self.add(StepId::K7, &["C05", "C12"], |_, _, _| device).node())
    }

    /// K2 to K7, where a person does them and writes into the config what came of it.
    pub(super) fn vault_by_hand(&mut self, material: &Material) -> Vault {
        let commands = Commands::of(&self.names, &material.attachments);
        let (record, device, check) = match &self.config.keeper.half {
            KeeperHalf::Manual { record_uid, ksm_config, check } => (record_uid.as_ref(), ksm_config.as_ref(), *check),
            KeeperHalf::Login { .. } => (None, None, false),
        };
        let uid = record.and_then(|uid| uid.as_str().parse().ok());
        let record: Option<RecordUid> =
            record.map(|uid| uid.as_str().parse().expect("the config has checked it by the same rule"));
        let (made, bound) = (record.as_ref().map(|_| ()), device.map(|_| ()));

        let folder = self.by_hand(StepId::K2, &[], "vault-folder", made, commands.folder);
        let record = self.by_hand(StepId::K3, &["C39"], "vault-record", record, commands.record);
        let properties =
            self.by_hand(StepId::K4, &["C34", "C35", "C36"], "vault-properties", made, commands.properties);
        let application = self.by_hand(StepId::K5, &[], "ksm-application", bound, commands.application);
        let share = self.by_hand(StepId::K6, &[], "ksm-share", bound, commands.share);
        let device = self.by_hand(StepId::K7, &["C05", "C12"], "ksm-device", bound, commands.device);
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
        let mut ready = vec![properties.node(), device.node()];
        if let (true, Some(uid), Some(config)) = (check, uid, &material.ksm_config) {
            let checks = self.checks(material, uid, config);
            ready.extend(checks);
        }
        Vault { record, ready, application: None, device: Some(device.node()) }
    }

    /// What a person made, seen with the device's own eyes: that it may read (K7), and the files (K3, K4).
    fn checks(&mut self, material: &Material, record: Uid, device: &SecretString) -> Vec<NodeIndex> {
        let [certificate, properties] = files(material).map(|files| {
            let wanted = |file: WantedAttachment| Some(WantedFile::new(file.name, &file.bytes?));
            files.into_iter().filter_map(wanted).collect::<Vec<_>>()
        });
        let parts = [
            (StepId::K7, "device", vec![]),
            (StepId::K3, "certificate", certificate),
            (StepId::K4, "properties", properties),
        ];
        let mut nodes: Vec<NodeIndex> = Vec::new();
        for (step, part, files) in parts {
            let check = CheckedRecord {
                node: NodeId::new(format!("vault-check/{part}")),
                device: device.clone(),
                options: self.keeper.device.clone(),
                record,
                files,
            };
            let check = self.read(step, &[], check);
            if let Some(first) = nodes.first() {
                // A device that cannot read would be told once for each file.
                self.graph.after(check.node(), *first);
            }
            nodes.push(check.node());
        }
        nodes
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

    /// A14 to A17.
    pub(super) fn automator(&mut self, running: &Running, words: &Words) {
        match &self.keeper.session {
            Some(session) => {
                let home = Home::new(session.clone(), self.config.name.as_str());
                let automator = self.automator_signed_in(running, home);
                let tested = self.test(running, automator.node(), words);
                self.count(running, automator, tested);
            }
            None => {
                let automator = self.automator_by_hand(running, words);
                let tested = self.test(running, automator.node(), words);
                self.count(running, automator, tested);
            }
        }
    }

    /// A14, that somebody may do it, and A15.
    fn automator_signed_in(&mut self, running: &Running, home: Home) -> Ref<i64> {
        let KeeperHalf::Login { node, .. } = &self.config.keeper.half else {
            unreachable!("nobody signs in without it")
        };
        let (node, config) = (node.clone(), self.config);
        let may = Administrator { home: home.clone(), node: NodeId::from("administrator") };
        let may = self.read(StepId::A14, &["C25"], may);
        let automator = keeper_infra::Automator {
            home,
            node: NodeId::from("automator"),
            name: config.automator.name.clone(),
            enterprise_node: node,
            url: format!("https://{}", config.host),
            skills: config
                .automator
                .skills
                .iter()
                .map(|skill| match skill {
                    config::Skill::Device => Skill::DeviceApproval,
                    config::Skill::Team => Skill::TeamApproval,
                    config::Skill::TeamForUser => Skill::TeamForUserApproval,
                })
                .collect(),
            service: running.service.clone(),
            tasks: Arc::new(border::Tasks { home: self.home.clone(), cluster: ClusterArn::new(self.names.cluster()) }),
        };
        let automator = self.add(StepId::A15, &["C26", "C27", "C30"], |_, _, _| automator);
        self.graph.after(automator.node(), may.node());
        // Keeper's cloud must reach the service to hand over its keys.
        self.graph.after(automator.node(), running.reached);
        automator
    }

    /// A15, where a person does it.
    fn automator_by_hand(&mut self, running: &Running, words: &Words) -> Ref<()> {
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

/// The files of K3 and of K4, with what their generations have in common.
fn files(material: &Material) -> [Vec<WantedAttachment>; 2] {
    let names = &material.attachments;
    // A password may be empty; a PFX never is, so without one nothing is known and all is to go.
    let known = !material.files.pfx.is_empty();
    let file = |name: &str, stem, end, bytes: &[u8]| WantedAttachment {
        name: name.to_owned(),
        stem,
        end,
        bytes: known.then(|| Zeroizing::new(bytes.to_vec())),
    };
    let Files { pfx, password, properties } = &material.files;
    let password = password.expose_secret().as_bytes();
    [
        vec![
            file(names.pfx.as_str(), "ssl-certificate", ".pfx", pfx),
            file(names.password.as_str(), "ssl-certificate-password", ".txt", password),
        ],
        vec![file(names.properties.as_str(), "keeper", ".properties", properties.as_bytes())],
    ]
}
