//! The secret's value is in the one request that stores it, and nowhere else.

use deployer::exit_codes::ExitCode;
use e2e::Stage;
use e2e::proxy::RecordingProxy;

#[tokio::test]
async fn the_device_configuration_is_only_in_the_request_that_stores_it() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();
    let mut said = String::new();
    for line in ["deploy --sandbox --keep", "deploy --sandbox --keep --format json", "plan --sandbox --format json"] {
        let mut command = stage.command(proxy.endpoint(), line);
        let ran: e2e::Ran = command.env("KEEPER_AUTOMATOR_LOG", "trace").output().unwrap().into();
        said.push_str(&ran.ended(ExitCode::Done).said());
    }
    let world = stage.directory().join("sandbox/world");
    let marker = std::fs::read_to_string(world.join("ksm-config.txt")).unwrap();
    let password = std::fs::read_to_string(world.join("ssl-certificate-password.txt")).unwrap();
    assert!(marker.len() >= 24 && password.len() >= 24);
    for secret in [&marker, &password, &"PRIVATE KEY".to_owned()] {
        assert!(!said.contains(secret.as_str()), "a secret was printed");
    }
    // Its letters and digits alone: JSON escapes what else there may be.
    assert_eq!(proxy.bodies_contain(&marker), [("secretsmanager".to_owned(), "CreateSecret".to_owned())]);
    assert_eq!(proxy.bodies_contain(&password), []);
    let keys: Vec<String> =
        proxy.bodies_contain("UFJJVkFURSBLRVk").into_iter().map(|(_, operation)| operation).collect();
    assert!(keys.iter().all(|operation| operation == "ImportCertificate"), "{keys:?}");
    stage.run(proxy.endpoint(), "destroy --sandbox").ended(ExitCode::Done);
}
