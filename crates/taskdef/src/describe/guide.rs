//! The guide's document, placeholders filled in.

use super::ksm::{Images, Ksm, KsmConfig, PlainConfig, Volume, Volumes};
use super::{Attachments, Description, Shape};
use crate::model::TaskDefinition;
use crate::record_uid::RecordUid;

/// What the guide asks to put in place of its placeholders.
#[derive(Clone, Debug, PartialEq)]
pub struct GuideValues {
    /// For `XXXCONFIGXXX`: the device configuration, in the open.
    pub ksm_config: PlainConfig,
    /// For `XXXXX`, three times.
    pub record_uid: RecordUid,
    /// For the first `fs-XXX`.
    pub config_file_system: String,
    /// For the second `fs-XXX`.
    pub settings_file_system: String,
    /// For `XXX` in the ARN of the role: that whole ARN.
    pub execution_role_arn: String,
    /// For `eu-west-1`, twice.
    pub region: String,
}

pub(super) fn render(values: &GuideValues) -> TaskDefinition {
    let volume = |id: &String| Volume { file_system_id: id.clone(), access_point_id: None };
    Description {
        family: "automator".to_owned(),
        region: values.region.clone(),
        log_group: "automator-logs".to_owned(),
        cpu: 2048,
        memory: 5120,
        architecture: None,
        execution_role_arn: values.execution_role_arn.clone(),
        task_role_arn: None,
        shape: Shape::Ksm(Ksm {
            images: Images {
                init: "keeper/keeper-secrets-manager-writer:latest".to_owned(),
                main: "keeper/automator:latest".to_owned(),
            },
            record_uid: values.record_uid.clone(),
            attachments: Attachments::guide(),
            ksm_config: KsmConfig::Plain(values.ksm_config.clone()),
            volumes: Volumes {
                config: volume(&values.config_file_system),
                settings: volume(&values.settings_file_system),
            },
        }),
    }
    .render()
}
