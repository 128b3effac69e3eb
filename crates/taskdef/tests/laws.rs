//! What holds for every input.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use taskdef::properties::{Properties, Settings};
use taskdef::secrets::{Destination, Entry, Notation, Pick, Secrets, Selector};
use taskdef::{
    Attachments, Description, Document, Images, Ksm, KsmConfig, PlainConfig, RecordUid, Shape, Simple, TaskDefinition,
    Volume, Volumes, check_settings, corrections, diff, hints, lint, normalise, sarif,
};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 128, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((member(), inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Names the model knows, so that values land where they are read, and names it does not.
fn member() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "family",
        "containerDefinitions",
        "volumes",
        "cpu",
        "memory",
        "name",
        "image",
        "environment",
        "value",
        "secrets",
        "valueFrom",
        "portMappings",
        "containerPort",
        "hostPort",
        "dependsOn",
        "containerName",
        "condition",
        "options",
        "logConfiguration",
        "efsVolumeConfiguration",
        "tags",
        "key",
        "taskDefinition",
        "linuxParameters",
        "runtimePlatform",
    ];
    prop_oneof![4 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn word() -> impl Strategy<Value = String> {
    "[a-c]{1,2}"
}

fn maybe<S: Strategy<Value = Value>>(name: &'static str, value: S) -> impl Strategy<Value = Option<(String, Value)>> {
    proptest::option::of(value.prop_map(move |value| (name.to_owned(), value)))
}

fn object(members: Vec<Option<(String, Value)>>) -> Value {
    Value::Object(members.into_iter().flatten().collect())
}

/// Few names and values, so that duplicates, defaults and order matter.
fn container() -> impl Strategy<Value = Value> {
    let pair = (word(), word()).prop_map(|(name, value)| json!({ "name": name, "value": value }));
    let port = (1..3_i64, proptest::option::of(0..3_i64), proptest::option::of(Just("tcp"))).prop_map(
        |(inner, outer, protocol)| {
            let mut port = json!({ "containerPort": inner });
            outer.into_iter().for_each(|outer| port["hostPort"] = outer.into());
            protocol.into_iter().for_each(|protocol| port["protocol"] = protocol.into());
            port
        },
    );
    let wait = (word(), word()).prop_map(|(name, condition)| json!({ "containerName": name, "condition": condition }));
    (
        maybe("name", word().prop_map(Value::from)),
        maybe("essential", any::<bool>().prop_map(Value::from)),
        maybe("cpu", (0..2_i64).prop_map(Value::from)),
        maybe("environment", vec(pair, 0..4).prop_map(Value::from)),
        maybe("portMappings", vec(port, 0..3).prop_map(Value::from)),
        maybe("dependsOn", vec(wait, 0..3).prop_map(Value::from)),
        maybe("command", vec(word().prop_map(Value::from), 0..3).prop_map(Value::from)),
        maybe("x-unknown", any_json().prop_filter("null is absence", |value| !value.is_null())),
    )
        .prop_map(|(a, b, c, d, e, f, g, h)| object(vec![a, b, c, d, e, f, g, h]))
}

fn definition() -> impl Strategy<Value = Value> {
    let volume = word().prop_map(|name| json!({ "name": name, "host": {} }));
    (
        maybe("family", word().prop_map(Value::from)),
        vec(container(), 0..4),
        maybe("volumes", vec(volume, 0..3).prop_map(Value::from)),
        maybe("networkMode", proptest::sample::select(&["awsvpc", "bridge"][..]).prop_map(Value::from)),
        maybe("cpu", proptest::sample::select(&["2048", "2 vCPU", "x"][..]).prop_map(Value::from)),
        maybe("revision", (1..3_i64).prop_map(Value::from)),
        maybe("requiresCompatibilities", vec(word().prop_map(Value::from), 0..3).prop_map(Value::from)),
    )
        .prop_map(|(family, containers, volumes, mode, cpu, revision, compatibilities)| {
            let mut value = object(vec![family, volumes, mode, cpu, revision, compatibilities]);
            value["containerDefinitions"] = containers.into();
            value
        })
}

fn read(value: &Value) -> TaskDefinition {
    TaskDefinition::from_value(value.clone()).unwrap()
}

fn uid() -> impl Strategy<Value = RecordUid> {
    "[A-Za-z0-9_-]{22}".prop_map(|text| text.parse().unwrap())
}

fn description() -> impl Strategy<Value = Description> {
    let size =
        proptest::sample::select(&[(256_u32, 512_u32), (512, 1024), (1024, 2048), (2048, 5120), (16384, 122_880)][..]);
    let id = || "[0-9a-f]{17}".prop_map(|hex| format!("fs-{hex}"));
    let volume = move || (id(), proptest::option::of("[0-9a-f]{17}".prop_map(|hex| format!("fsap-{hex}"))));
    let secret =
        "[a-z]{1,9}".prop_map(|name| format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}-AbCdEf"));
    let config = prop_oneof![
        secret.clone().prop_map(KsmConfig::Secret),
        Just(KsmConfig::Plain(PlainConfig("placeholder".into())))
    ];
    let volume_of = |(file_system_id, access_point_id)| Volume { file_system_id, access_point_id };
    let ksm = (uid(), "[0-9a-f]{2,40}", config, volume(), volume()).prop_map(
        move |(record_uid, serial, ksm_config, one, two)| {
            Shape::Ksm(Ksm {
                images: Images {
                    init: "keeper/keeper-secrets-manager-writer:1.0".into(),
                    main: "keeper/automator:17.1.5".into(),
                },
                record_uid,
                attachments: Attachments::generation(&serial, &serial),
                ksm_config,
                volumes: Volumes { config: volume_of(one), settings: volume_of(two) },
            })
        },
    );
    let simple = (secret, 1..u16::MAX).prop_map(|(config_key, port)| {
        Shape::Simple(Simple { image: "keeper/automator:17.1.5".into(), config_key, port })
    });
    ("[a-z][a-z0-9-]{0,20}", size, prop_oneof![ksm, simple]).prop_map(|(family, (cpu, memory), shape)| Description {
        log_group: format!("{family}-logs"),
        family,
        region: "eu-west-1".into(),
        cpu,
        memory,
        architecture: None,
        execution_role_arn: "arn:aws:iam::111122223333:role/execution".into(),
        task_role_arn: Some("arn:aws:iam::111122223333:role/task".into()),
        shape,
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![r"[ -~]{0,20}", r"[\\=:#! \t\r\n\x0c]{0,8}", ".{0,12}"]
}

fn notation() -> impl Strategy<Value = Notation> {
    let name = || r"[A-Za-z0-9_/\[\]\\.-][A-Za-z0-9_/\[\]\\. -]{0,10}[A-Za-z0-9\]]";
    let pick = (proptest::option::of(any::<u32>()), proptest::option::of(name()));
    let field =
        (any::<bool>(), name(), proptest::option::of(pick.prop_map(|(index, property)| Pick { index, property })));
    let selector = prop_oneof![
        Just(Selector::Type),
        Just(Selector::Title),
        Just(Selector::Notes),
        name().prop_map(Selector::File),
        field.prop_map(|(custom, label, value)| Selector::Field { custom, label, value }),
    ];
    (name(), selector).prop_map(|(record, selector)| Notation { record, selector })
}

fn secrets() -> impl Strategy<Value = Secrets> {
    let destination =
        prop_oneof!["(/[a-z.]{1,8}){1,3}".prop_map(Destination::File), "[A-Z_]{1,12}".prop_map(Destination::Variable)];
    vec((notation(), destination).prop_map(|(notation, destination)| Entry { notation, destination }), 0..5)
        .prop_map(Secrets)
}

/// Up to the 64 KiB that ECS takes.
fn large_json() -> impl Strategy<Value = Value> {
    (vec(any_json(), 1..16), 0..64_usize * 1024, any::<bool>()).prop_map(|(parts, length, containers)| {
        let (mut values, mut room) = (Vec::new(), length);
        for part in parts.iter().cycle() {
            let Some(left) = room.checked_sub(part.to_string().len() + 1) else { break };
            values.push(part.clone());
            room = left;
        }
        if containers { json!({ "containerDefinitions": values }) } else { Value::from(values) }
    })
}

/// Everything that is done with a document.
fn use_up(value: Value) -> Result<(), TestCaseError> {
    let text = value.to_string();
    if let Ok(document) = Document::from_value(value) {
        let task = &document.definition;
        let findings: Vec<_> = lint(task).into_iter().chain(hints(task)).collect();
        sarif::log(&findings, "x.json", document.pointer_prefix(), Some(&text));
        check_settings(&Settings::guide(), task, None);
        prop_assert!(diff(task, task).is_empty());
        let _ = (corrections(&TaskDefinition::default(), task), document.for_registration());
    }
    Ok(())
}

proptest! {
    // One of these takes as long as a hundred of the others.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_json_value_up_to_64_kib_is_read_or_refused(value in large_json()) {
        use_up(value)?;
    }
}

proptest! {
    #[test]
    fn any_json_value_is_read_or_refused(value in any_json()) {
        use_up(value)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = (Document::read(&text), text.parse::<Secrets>(), text.parse::<Notation>(), Properties::parse(text.as_bytes()));
    }

    #[test]
    fn a_definition_is_written_as_it_was_read(value in definition()) {
        prop_assert_eq!(read(&value).to_value(), value);
    }

    #[test]
    fn normalising_twice_is_normalising_once(value in definition()) {
        let once = normalise(&read(&value));
        prop_assert_eq!(normalise(&read(&once)), once);
    }

    #[test]
    fn nothing_differs_from_itself(value in definition()) {
        prop_assert!(diff(&read(&value), &read(&value)).is_empty());
    }

    #[test]
    fn a_diff_is_empty_exactly_when_the_normal_forms_are_equal(one in definition(), two in definition()) {
        let (one, two) = (read(&one), read(&two));
        prop_assert_eq!(diff(&one, &two).is_empty(), normalise(&one) == normalise(&two));
        prop_assert_eq!(diff(&one, &two).differences.len(), diff(&two, &one).differences.len());
    }

    #[test]
    fn order_and_defaults_do_not_count(value in definition(), reverse in any::<bool>()) {
        let mut other = read(&value);
        let mut names: Vec<&str> = other.container_definitions.iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if reverse && names.len() == other.container_definitions.len() {
            other.container_definitions.reverse();
        }
        for container in &mut other.container_definitions {
            container.essential.get_or_insert(true);
            container.volumes_from.get_or_insert_default();
        }
        other.extra.0.insert("status".into(), "ACTIVE".into());
        prop_assert!(diff(&read(&value), &other).is_empty());
    }

    #[test]
    fn what_we_render_reads_back(description in description()) {
        let task = description.render();
        let read = Document::read(&task.to_json()).unwrap();
        prop_assert_eq!(&read.definition, &task);
        let errors: Vec<_> = lint(&task).into_iter().filter(|finding| finding.severity == taskdef::Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{:?}", errors);
    }

    #[test]
    fn properties_read_what_they_write(pairs in vec((text(), text()), 0..6)) {
        let properties = Properties::from_iter(pairs);
        let rendered = properties.render();
        prop_assert!(rendered.is_ascii());
        prop_assert_eq!(Properties::parse(rendered.as_bytes()).unwrap(), properties);
    }

    #[test]
    fn secrets_read_what_they_write(secrets in secrets()) {
        prop_assert_eq!(secrets.to_string().parse::<Secrets>().unwrap(), secrets);
    }

    #[test]
    fn no_output_shows_a_marked_secret(name in "[A-Z]{1,8}", value in definition()) {
        let marker = "MARKER-5f0c";
        let mut task = read(&value);
        let variable = json!({ "name": name, "value": marker });
        task.container_definitions.push(serde_json::from_value(json!({ "name": "marked", "environment": [variable] })).unwrap());
        let plain = read(&value);
        let mut other = task.clone();
        other.container_definitions.last_mut().unwrap().environment.as_mut().unwrap()[0].value = Some("other".into());
        for (one, two) in [(&plain, &task), (&task, &plain), (&other, &task)] {
            let diff = diff(one, two);
            let shown = format!("{diff} {:?} {} {:?} {:?}", diff, diff.to_value(), lint(two), one);
            prop_assert!(!shown.contains(marker), "{}", shown);
        }
    }
}

#[test]
fn a_document_of_64_kib_is_read() {
    let mut deep = Value::Null;
    for _ in 0..100 {
        deep = Value::Array(vec![deep]);
    }
    let mut members = Map::new();
    members.insert(
        "containerDefinitions".into(),
        json!([{ "name": "x".repeat(32 * 1024), "command": ["y".repeat(32 * 1024)] }]),
    );
    members.insert("deep".into(), deep);
    let text = Value::Object(members).to_string();
    assert!(!lint(&Document::read(&text).unwrap().definition).is_empty());
    assert!(Document::read(&"[".repeat(64 * 1024)).is_err());
}
