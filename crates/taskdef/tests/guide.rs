//! The guide's own document: we can say it word for word, and we can say why ours differs.

use serde_json::Value;
use taskdef::{
    Attachments, Description, Document, GuideValues, Images, Ksm, KsmConfig, PlainConfig, Shape, TaskDefinition,
    Volume, Volumes, corrections, diff,
};

const GUIDE: &str = include_str!("../../../fixtures/taskdef/guide.json");
const UID: &str = "q1ZBkT0xJ7mW8c2Yd4NfRg";
const ROLE: &str = "arn:aws:iam::111122223333:role/ECSTaskWritetoLogs";

fn values() -> GuideValues {
    GuideValues {
        ksm_config: PlainConfig("marker-of-a-credential".into()),
        record_uid: UID.parse().unwrap(),
        config_file_system: "fs-0123456789abcdef0".into(),
        settings_file_system: "fs-0123456789abcdef1".into(),
        execution_role_arn: ROLE.into(),
        region: "eu-central-1".into(),
    }
}

fn ours() -> Description {
    let volume = |fs: &str, ap: &str| Volume { file_system_id: fs.into(), access_point_id: Some(ap.into()) };
    Description {
        family: "office".into(),
        region: "eu-central-1".into(),
        log_group: "office-logs".into(),
        cpu: 1024,
        memory: 2048,
        architecture: None,
        execution_role_arn: "arn:aws:iam::111122223333:role/office-execution".into(),
        task_role_arn: Some("arn:aws:iam::111122223333:role/office-task".into()),
        shape: Shape::Ksm(Ksm {
            images: Images {
                init: "keeper/keeper-secrets-manager-writer:1.0".into(),
                main: "keeper/automator:17.1.5".into(),
            },
            record_uid: UID.parse().unwrap(),
            attachments: Attachments::generation("03ab7f", "9f2c11d0"),
            ksm_config: KsmConfig::Secret(
                "arn:aws:secretsmanager:eu-central-1:111122223333:secret:office-AbCdEf".into(),
            ),
            volumes: Volumes {
                config: volume("fs-0123456789abcdef0", "fsap-0123456789abcdef0"),
                settings: volume("fs-0123456789abcdef1", "fsap-0123456789abcdef1"),
            },
        }),
    }
}

/// The guide's text with its placeholders filled in by hand, as the guide tells the reader to.
fn filled() -> Value {
    let text = GUIDE
        .replace("XXXCONFIGXXX", "marker-of-a-credential")
        .replace("XXXXX", UID)
        .replacen("fs-XXX", "fs-0123456789abcdef0", 1)
        .replacen("fs-XXX", "fs-0123456789abcdef1", 1)
        .replace("arn:aws:iam::XXX:role/ECSTaskWritetoLogs", ROLE)
        .replace("eu-west-1", "eu-central-1");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn guide_exact_is_the_guides_document() {
    assert_eq!(Description::guide_exact(&values()).to_value(), filled());
}

#[test]
fn the_guides_document_is_written_as_it_was_read() {
    let document = Document::from_value(filled()).unwrap();
    assert_eq!(document.to_value(), filled());
    assert!(diff(&document.definition, &Description::guide_exact(&values())).is_empty());
}

#[test]
fn every_difference_from_the_guide_has_a_reason() {
    let corrections = corrections(&Description::guide_exact(&values()), &ours().render());
    assert_eq!(corrections.unexplained, []);
    assert_eq!(corrections.ids(), ["C05", "C07", "C14", "C39"]);
}

#[test]
fn another_region_than_the_guides_is_c15() {
    let guide: TaskDefinition = Document::read(GUIDE).unwrap().definition;
    assert!(corrections(&guide, &ours().render()).ids().contains(&"C15"));
}

#[test]
fn a_change_by_hand_has_no_reason() {
    let mut changed = ours().render();
    changed.container_definitions[1].command = Some(vec!["sh".into()]);
    changed.container_definitions[0].essential = Some(true);
    let corrections = corrections(&Description::guide_exact(&values()), &changed);
    let pointers: Vec<&str> = corrections.unexplained.iter().map(|difference| difference.pointer.as_str()).collect();
    assert_eq!(pointers, ["/containerDefinitions/init/essential", "/containerDefinitions/main/command"]);
}

/// What weakens the document is no correction of the guide, even at a place that one is about.
#[test]
fn a_step_backwards_has_no_reason() {
    let guide = Description::guide_exact(&values());
    let unexplained = |change: fn(&mut TaskDefinition)| {
        let mut changed = ours().render();
        change(&mut changed);
        corrections(&guide, &changed).unexplained.into_iter().map(|difference| difference.pointer).collect::<Vec<_>>()
    };
    let open = unexplained(|task| {
        let volume = &mut task.volumes.as_mut().unwrap()[0];
        volume.efs.as_mut().unwrap().transit_encryption = None;
    });
    assert_eq!(open, ["/volumes/automatorconfig/efsVolumeConfiguration/transitEncryption"]);
    let latest = unexplained(|task| task.container_definitions[1].image = "mirror.example/automator:latest".into());
    assert_eq!(latest, ["/containerDefinitions/main/image"]);
    let elsewhere = unexplained(|task| {
        let variable = &mut task.container_definitions[0].environment.as_mut().unwrap()[0];
        variable.value = Some(variable.value.as_ref().unwrap().replace("/usr/mybin/settings", "/tmp"));
    });
    assert_eq!(elsewhere, ["/containerDefinitions/init/environment/SECRETS/value"]);
}

#[test]
fn the_corrections_read_as_a_list() {
    let list = corrections(&Description::guide_exact(&values()), &ours().render()).to_string();
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines.contains(&"- /containerDefinitions/init/environment/KSM_CONFIG: {\"name\":\"KSM_CONFIG\",\"value\":\"(hidden)\"} [C05]"), "{list}");
    assert!(lines.iter().all(|line| line.ends_with(']') && !line.ends_with("[?]")), "{list}");
}

#[test]
fn no_output_shows_the_credential() {
    let guide = Description::guide_exact(&values());
    let ours = ours().render();
    let shown = format!(
        "{:?} {:?} {} {} {:?}",
        guide,
        values(),
        diff(&guide, &ours),
        diff(&TaskDefinition::default(), &guide).to_value(),
        corrections(&guide, &ours),
    );
    assert!(!shown.contains("marker-of-a-credential"), "{shown}");
}
