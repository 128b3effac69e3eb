//! Every rendering of ours and every good document of the table, for the witnesses of this crate and for those of `aws-infra`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use taskdef::{
    Attachments, Description, Document, GuideValues, Images, Ksm, KsmConfig, PlainConfig, Shape, Simple,
    TaskDefinition, Volume, Volumes,
};

/// Both shapes, the guide's own document, and every good document of the table.
pub(crate) fn definitions() -> BTreeMap<String, TaskDefinition> {
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:automator-AbCdEf";
    let guide = GuideValues {
        ksm_config: PlainConfig("placeholder".into()),
        record_uid: "q1ZBkT0xJ7mW8c2Yd4NfRg".parse().unwrap(),
        config_file_system: "fs-0123456789abcdef0".into(),
        settings_file_system: "fs-0123456789abcdef1".into(),
        execution_role_arn: "arn:aws:iam::111122223333:role/ECSTaskWritetoLogs".into(),
        region: "eu-west-1".into(),
    };
    let simple =
        Simple { image: "keeper/automator:17.1.5".into(), config_key: secret.into(), port: Simple::DEFAULT_PORT };
    let mut definitions = BTreeMap::from([
        ("our ksm".to_owned(), ksm(true, KsmConfig::Secret(secret.into()))),
        ("our ksm without access points".to_owned(), ksm(false, KsmConfig::Plain(PlainConfig("placeholder".into())))),
        ("our simple".to_owned(), describe("simple", Shape::Simple(simple))),
        ("our guide".to_owned(), Description::guide_exact(&guide)),
    ]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/taskdef/good");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let document = Document::read(&fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        definitions.insert(name, document.for_registration().unwrap());
    }
    definitions
}

fn ksm(point: bool, ksm_config: KsmConfig) -> TaskDefinition {
    let volume = |digit: char| Volume {
        file_system_id: format!("fs-0123456789abcdef{digit}"),
        access_point_id: point.then(|| format!("fsap-0123456789abcdef{digit}")),
    };
    describe(
        "ksm",
        Shape::Ksm(Ksm {
            images: Images {
                init: "keeper/keeper-secrets-manager-writer:1.0".into(),
                main: "keeper/automator:17.1.5".into(),
            },
            record_uid: "q1ZBkT0xJ7mW8c2Yd4NfRg".parse().unwrap(),
            attachments: Attachments::generation("03ab7f", "9f2c11d0"),
            ksm_config,
            volumes: Volumes { config: volume('0'), settings: volume('1') },
        }),
    )
}

fn describe(family: &str, shape: Shape) -> TaskDefinition {
    Description {
        family: family.into(),
        region: "eu-west-1".into(),
        log_group: "automator-logs".into(),
        cpu: 2048,
        memory: 5120,
        architecture: Some(taskdef::model::CpuArchitecture::Arm64),
        execution_role_arn: "arn:aws:iam::111122223333:role/execution".into(),
        task_role_arn: Some("arn:aws:iam::111122223333:role/task".into()),
        shape,
    }
    .render()
}
