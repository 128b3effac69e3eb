//! What a person reads when two definitions differ.

use taskdef::{Document, TaskDefinition, diff, hints};

fn read(text: &str) -> TaskDefinition {
    Document::read(text).unwrap().definition
}

fn ksm() -> TaskDefinition {
    read(include_str!("../../../fixtures/taskdef/good/ksm.json"))
}

/// Applies a change to the good document and says what the diff says.
fn after(change: impl Fn(&mut TaskDefinition)) -> String {
    let mut changed = ksm();
    change(&mut changed);
    diff(&ksm(), &changed).to_string()
}

#[test]
fn places_go_by_names() {
    assert_eq!(
        after(|task| {
            task.container_definitions.reverse();
            task.container_definitions[0].image = "keeper/automator:17.1.6".into();
            task.container_definitions[0].port_mappings.as_mut().unwrap()[0].host_port = None;
            task.cpu = Some("2 vCPU".into());
            task.memory = Some("6 GB".into());
        }),
        "~ /containerDefinitions/main/image: \"keeper/automator:17.1.5\" -> \"keeper/automator:17.1.6\"\n\
         ~ /memory: \"5120\" -> \"6144\"\n"
    );
}

#[test]
fn what_is_new_and_what_is_gone_is_shown() {
    assert_eq!(
        after(|task| {
            task.container_definitions[1].depends_on = Some(vec![]);
            task.container_definitions[1].command = Some(vec!["serve".into()]);
        }),
        "+ /containerDefinitions/main/command: [\"serve\"]\n\
         - /containerDefinitions/main/dependsOn: [{\"condition\":\"SUCCESS\",\"containerName\":\"init\"}]\n"
    );
}

#[test]
fn a_command_is_one_value() {
    let (one, two) = (r#"["a", "b"]"#, r#"["b", "a", "c"]"#);
    let of = |command: &str| read(&format!(r#"{{"containerDefinitions": [{{"name": "x", "command": {command}}}]}}"#));
    assert_eq!(
        diff(&of(one), &of(two)).to_string(),
        "~ /containerDefinitions/x/command: [\"a\",\"b\"] -> [\"b\",\"a\",\"c\"]\n"
    );
}

#[test]
fn secrets_are_hidden_wherever_they_stand() {
    let of = |value: &str| {
        read(&format!(
            r#"{{"tags": [{{"key": "password", "value": "{value}"}}], "containerDefinitions": [{{"name": "x",
                "command": ["run", "--token={value}", "--password", "{value}"], "dockerLabels": {{"api-key": "{value}"}},
                "environment": [{{"name": "NICK", "value": "{value}"}}, {{"name": "SSL_MODE", "value": "none"}}],
                "logConfiguration": {{"logDriver": "splunk", "options": {{"splunk-token": "{value}"}}}}}}]}}"#
        ))
    };
    let diff = diff(&of("hunter2"), &of("hunter3"));
    assert_eq!(diff.differences.len(), 5, "{diff}");
    let shown = format!("{diff}{}", diff.to_value());
    assert!(!shown.contains("hunter"), "{shown}");
    let whole = taskdef::diff(&TaskDefinition::default(), &of("hunter2"));
    assert!(!format!("{whole}{}", whole.to_value()).contains("hunter"), "{whole}");
    assert!(whole.to_string().contains(r#""value":"none""#), "plain settings may be seen: {whole}");
}

#[test]
fn a_secret_in_a_name_or_in_the_place_of_its_reference_is_hidden() {
    let of = |value: &str| {
        read(&format!(
            r#"{{"containerDefinitions": [{{"name": "x", "environment": [{{"name": "DB_PASSWORD=hunter2", "value": "{value}"}},
                {{"name": "NICK=hunter2", "value": "{value}"}}, {{"name": "NICK=hunter2", "value": "{value}"}}],
                "secrets": [{{"name": "B=hunter2", "valueFrom": "hunter&{value}"}}],
                "repositoryCredentials": {{"credentialsParameter": "hunter&{value}"}}}}]}}"#
        ))
    };
    for (from, to) in [(of("1"), of("2")), (TaskDefinition::default(), of("1"))] {
        let diff = diff(&from, &to);
        let shown = format!("{diff}{}{:?}", diff.to_value(), taskdef::lint(&to));
        assert!(!diff.is_empty() && !shown.contains("hunter"), "{shown}");
    }
    let alone = |value: &str| {
        let environment = format!(r#"[{{"name": "NICK=hunter2", "value": "{value}"}}]"#);
        read(&format!(r#"{{"containerDefinitions": [{{"name": "x", "environment": {environment}}}]}}"#))
    };
    assert_eq!(
        diff(&alone("1"), &alone("2")).to_string(),
        "~ /containerDefinitions/x/environment/NICK=(hidden)/value: (hidden) -> (hidden)\n"
    );
}

#[test]
fn as_json_a_difference_has_pointer_from_and_to() {
    let mut changed = ksm();
    changed.task_role_arn = None;
    let role = "arn:aws:iam::111122223333:role/automator-task";
    let value = diff(&ksm(), &changed).to_value();
    assert_eq!(value, serde_json::json!({ "differences": [{ "pointer": "/taskRoleArn", "from": role }] }));
}

#[test]
fn hints_are_about_habits_only() {
    let ids: Vec<&str> = hints(&ksm()).iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["readonly-root", "run-as-user", "nofile"].repeat(2));
    let mut strict = ksm();
    for container in &mut strict.container_definitions {
        container.user = Some("1000:1000".into());
        container.readonly_root_filesystem = Some(true);
        container.ulimits = Some(vec![taskdef::model::Ulimit { name: "nofile".into(), ..Default::default() }]);
    }
    assert_eq!(hints(&strict), []);
}

#[test]
fn a_document_that_cannot_be_read_says_where_and_shows_nothing() {
    for (text, expected) in [
        (
            r#"{"containerDefinitions": [{"cpu": "marker"}]}"#,
            "read task definition at `/containerDefinitions/0/cpu`: invalid type: string, expected i64",
        ),
        (r#"{"cpu": 2048}"#, "read task definition at `/cpu`: invalid type: integer, expected a string"),
        (
            r#"{"taskDefinition": {"family": ["marker"]}}"#,
            "read task definition at `/taskDefinition/family`: invalid type: sequence, expected a string",
        ),
        ("[]", "read task definition: a task definition is a JSON object"),
    ] {
        assert_eq!(Document::read(text).unwrap_err().to_string(), expected);
    }
    let error = Document::read("{\n  \"family\": }").unwrap_err();
    assert_eq!(error.position, Some((2, 13)));
}
