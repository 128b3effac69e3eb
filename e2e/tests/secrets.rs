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
    // The device was made by the run, so what its secret holds in the end is asked of where it is kept.
    let connection = aws_infra::Connection::to_emulator("eu-west-1", stage.endpoint());
    let aws = aws_infra::Aws::connect(&connection).await.unwrap();
    let secret = aws.secrets.get_secret_value().secret_id("automator/ksm-config").send().await.unwrap();
    let marker = secret.secret_string.unwrap();
    let device = ksm_client::Config::parse(&marker).unwrap().expose_json();
    let device: serde_json::Value = serde_json::from_str(&device).unwrap();
    let password = std::fs::read_to_string(world.join("ssl-certificate-password.txt")).unwrap();
    assert!(marker.len() >= 24 && password.len() >= 24);
    let keys = ["privateKey", "appKey"].map(|name| device[name].as_str().unwrap());
    for secret in [marker.as_str(), &password, "PRIVATE KEY"].into_iter().chain(keys) {
        assert!(!said.contains(secret), "a secret was printed");
    }
    assert_eq!(proxy.bodies_contain(&marker), [("secretsmanager".to_owned(), "PutSecretValue".to_owned())]);
    assert_eq!(proxy.bodies_contain(&password), []);
    let keys: Vec<String> = proxy.bodies_contain("PRIVATE KEY").into_iter().map(|(_, operation)| operation).collect();
    assert_eq!(keys, ["ImportCertificate"]);
    stage.run(proxy.endpoint(), "destroy --sandbox").ended(ExitCode::Done);
}
