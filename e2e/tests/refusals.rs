//! What ends before the first change: each with its step, its field, what to do, and the documented exit code.

use std::net::TcpListener;

use aws_sdk_ec2::operation::create_route::builders::CreateRouteFluentBuilder;
use certs::make::{Authority, KeyType};
use deployer::exit_codes::ExitCode;
use e2e::proxy::RecordingProxy;
use e2e::{CONFIG_HEAD, Ran, Stage};
use jiff::{Timestamp, ToSpan};
use secrecy::SecretString;

/// A directory as a person would have it: config, certificate, password, device configuration; all in order.
struct Desk<'a> {
    stage: &'a Stage,
    endpoint: String,
    config: String,
}

impl<'a> Desk<'a> {
    fn new(stage: &'a Stage, endpoint: &str) -> Self {
        let config = format!(
            r#"{CONFIG_HEAD}
[keeper]
region = "EU"
record_uid = "AAAAAAAAAAAAAAAAAAAAAA"
ksm_config = {{ env = "KSM_CONFIG_VALUE" }}
check = false

[endpoint]
url = "{endpoint}"
"#
        );
        let desk = Self { stage, endpoint: endpoint.to_owned(), config };
        desk.certificate(&["automator.example.com"], -1, 100);
        desk.file("password.txt", b"the-password");
        desk
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.stage.directory().join(name), bytes).unwrap();
    }

    /// A PFX valid from and until so many days from now.
    fn certificate(&self, hosts: &[&str], from: i64, until: i64) {
        let now = Timestamp::now();
        let authority = Authority::throw_away("Test", now.checked_sub((24 * 400).hours()).unwrap()).unwrap();
        let day = |days: i64| now.checked_add((24 * days).hours()).unwrap();
        let bundle = authority.issue(hosts, KeyType::P256, day(from), day(until)).unwrap();
        self.file("ssl-certificate.pfx", &bundle.to_pfx(&SecretString::from("the-password")).unwrap());
    }

    fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.config.contains(from), "{from}");
        self.config = self.config.replace(from, to);
        self
    }

    fn run(&self, keys: bool, more: &str) -> Ran {
        self.file("automator.toml", self.config.as_bytes());
        let mut command = self.stage.command(&self.endpoint, &format!("deploy --yes {more}"));
        let device = keeper_wire::OneTimeToken::random();
        let device = ksm_client::Config::from_token(&device, Some("EU".parse().unwrap())).unwrap();
        command.env("KSM_CONFIG_VALUE", device.expose_base64().as_str());
        if keys {
            command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        }
        command.output().unwrap().into()
    }
}

fn refused(ran: Ran, code: ExitCode, words: &[&str]) {
    let said = ran.ended(code).said();
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

fn nothing_changed(proxy: &RecordingProxy) {
    let changed: Vec<_> = proxy.calls().into_iter().filter(|call| call.mutating).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    proxy.clear();
}

#[tokio::test]
async fn certificates_that_cannot_work_are_refused() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();
    let desk = Desk::new(&stage, proxy.endpoint());

    desk.certificate(&["automator.example.com"], -100, -1);
    refused(desk.run(true, ""), ExitCode::Refused, &["K1", "expired", "certificate.pfx", "hint"]);
    nothing_changed(&proxy);

    desk.certificate(&["other.example.com"], -1, 100);
    refused(desk.run(true, ""), ExitCode::Refused, &["K1", "host-not-covered", "automator.example.com", "hint"]);
    nothing_changed(&proxy);

    desk.certificate(&["automator.example.com"], -1, 100);
    desk.file("password.txt", b"another-password");
    refused(desk.run(true, ""), ExitCode::Refused, &["K1", "pfx-wrong-password", "certificate.pfx", "hint"]);
    nothing_changed(&proxy);

    // The key of one certificate beside another one; with a newline after the password, which is no part of it.
    desk.file("password.txt", b"correct-horse\n");
    desk.file("ssl-certificate.pfx", include_bytes!("../../crates/certs/tests/fixtures/pfx/hand-other-leaf.pfx"));
    refused(desk.run(true, ""), ExitCode::Refused, &["K1", "pfx-key-does-not-match", "certificate.pfx", "hint"]);
    nothing_changed(&proxy);

    desk.file("ssl-certificate.pfx", b"not a PFX");
    refused(desk.run(true, ""), ExitCode::Refused, &["K1", "pfx-corrupt", "certificate.pfx", "hint"]);
    nothing_changed(&proxy);
}

#[tokio::test]
async fn a_device_of_another_region_or_of_none_is_refused() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();
    let elsewhere = Desk::new(&stage, proxy.endpoint()).replace("region = \"EU\"", "region = \"US\"");
    refused(elsewhere.run(true, ""), ExitCode::Refused, &["K7", "keeper-region-mismatch", "keeper.ksm_config", "hint"]);
    let none = Desk::new(&stage, proxy.endpoint()).replace("env = \"KSM_CONFIG_VALUE\"", "file = \"password.txt\"");
    let ran = none.run(true, "");
    assert!(!ran.said().contains("the-password"), "{}", ran.said());
    refused(ran, ExitCode::Refused, &["K7", "ksm-config-invalid", "keeper.ksm_config", "hint"]);
    nothing_changed(&proxy);
}

#[tokio::test]
async fn configs_that_cannot_work_are_refused() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();
    let desk = || Desk::new(&stage, proxy.endpoint());

    let unknown = desk().replace("region = \"eu-west-1\"", "regoin = \"eu-west-1\"");
    refused(unknown.run(true, ""), ExitCode::Usage, &["config-unknown-key", "regoin", "region", "automator.toml:2:1"]);
    let wrong = desk().replace("name = \"automator\"", "name = 7");
    refused(wrong.run(true, ""), ExitCode::Usage, &["config-wrong-type", "name", "automator.toml:1:8"]);
    let one = desk()
        .replace("[endpoint]", "[network]\nvpc = \"vpc-12345678\"\nsubnets = [\"subnet-12345678\"]\n\n[endpoint]");
    refused(one.run(true, ""), ExitCode::Usage, &["network.subnets", "automator.toml:"]);
    let literal = desk().replace("{ file = \"password.txt\" }", "\"the-password\"");
    let ran = literal.run(true, "");
    assert!(!ran.said().contains("the-password"), "{}", ran.said());
    refused(ran, ExitCode::Usage, &["config-literal-secret", "certificate.password"]);
    let size = desk().replace("[endpoint]", "[task]\ncpu = 300\n\n[endpoint]");
    refused(size.run(true, ""), ExitCode::Refused, &["task-definition-invalid", "A8", "/cpu", "300", "[task]"]);
    assert!(proxy.calls().is_empty(), "nobody is asked about a config that is wrong");
}

#[tokio::test]
async fn two_subnets_in_one_zone_are_refused() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();
    let net = Network::with(&stage, ["eu-west-1a", "eu-west-1a"]).await;
    let network = format!("[network]\nvpc = \"{}\"\nsubnets = {:?}\n", net.vpc, net.public);
    let desk = Desk::new(&stage, proxy.endpoint());
    let desk = desk.replace("[endpoint]", &format!("{network}\n[dns]\nmode = \"manual\"\n\n[endpoint]"));
    refused(desk.run(true, ""), ExitCode::Blocked, &["one-zone", "A1", "network.subnets"]);
    nothing_changed(&proxy);
}

#[tokio::test]
async fn a_balancer_that_faces_the_internet_stands_where_the_internet_reaches_it() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();
    let net = Network::with(&stage, ["eu-west-1a", "eu-west-1b"]).await;
    let private = net.behind_a_nat(["eu-west-1a", "eu-west-1b"]).await;
    let desk = |more: &str| {
        let network = format!("[network]\nvpc = \"{}\"\nsubnets = {private:?}\n{more}", net.vpc);
        Desk::new(&stage, proxy.endpoint()).replace("[endpoint]", &format!("{network}\n[endpoint]"))
    };
    refused(
        desk("").run(true, "--until A11"),
        ExitCode::Blocked,
        &["subnet-not-public", "A11", "network.balancer_subnets", &private[0]],
    );
    nothing_changed(&proxy);
    let elsewhere = desk(&format!("balancer_subnets = {:?}\n", net.public));
    elsewhere.run(true, "--until A11").ended(ExitCode::Done);
    let balancers = net.aws.elb.describe_load_balancers().send().await.unwrap();
    let zones = balancers.load_balancers()[0].availability_zones();
    let mut stands: Vec<&str> = zones.iter().filter_map(|zone| zone.subnet_id()).collect();
    stands.sort_unstable();
    let mut public = net.public.clone();
    public.sort_unstable();
    assert_eq!(stands, public);
}

/// A network that exists: subnets that lead to an internet gateway.
struct Network {
    aws: aws_infra::Aws,
    vpc: String,
    public: Vec<String>,
}

impl Network {
    async fn with(stage: &Stage, zones: [&str; 2]) -> Self {
        let connection = aws_infra::Connection::to_emulator("eu-west-1", stage.endpoint());
        let aws = aws_infra::Aws::connect(&connection).await.unwrap();
        let ec2 = &aws.ec2;
        let vpc = ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
        let on = || aws_sdk_ec2::types::AttributeBooleanValue::builder().value(true).build();
        ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_support(on()).send().await.unwrap();
        ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(on()).send().await.unwrap();
        let gateway = ec2.create_internet_gateway().send().await.unwrap();
        let gateway = gateway.internet_gateway.unwrap().internet_gateway_id.unwrap();
        ec2.attach_internet_gateway().vpc_id(&vpc).internet_gateway_id(&gateway).send().await.unwrap();
        let mut net = Self { aws, vpc, public: Vec::new() };
        net.public = net.subnets(zones, 0, |route| route.gateway_id(&gateway)).await;
        net
    }

    async fn behind_a_nat(&self, zones: [&str; 2]) -> Vec<String> {
        let made = self.aws.ec2.create_nat_gateway().subnet_id(&self.public[0]).send().await.unwrap();
        let gateway = made.nat_gateway.unwrap().nat_gateway_id.unwrap();
        self.subnets(zones, 2, |route| route.nat_gateway_id(&gateway)).await
    }

    /// Subnets with a route table of their own.
    async fn subnets(
        &self,
        zones: [&str; 2],
        first: usize,
        way_out: impl FnOnce(CreateRouteFluentBuilder) -> CreateRouteFluentBuilder,
    ) -> Vec<String> {
        let (ec2, vpc) = (&self.aws.ec2, &self.vpc);
        let table =
            ec2.create_route_table().vpc_id(vpc).send().await.unwrap().route_table.unwrap().route_table_id.unwrap();
        let route = ec2.create_route().route_table_id(&table).destination_cidr_block("0.0.0.0/0");
        way_out(route).send().await.unwrap();
        let mut subnets = Vec::new();
        for (index, zone) in zones.iter().enumerate() {
            let cidr = format!("10.1.{}.0/24", first + index);
            let made = ec2.create_subnet().vpc_id(vpc).cidr_block(cidr).availability_zone(*zone).send().await.unwrap();
            let subnet = made.subnet.unwrap().subnet_id.unwrap();
            ec2.associate_route_table().route_table_id(&table).subnet_id(&subnet).send().await.unwrap();
            subnets.push(subnet);
        }
        subnets
    }
}

#[tokio::test]
async fn without_credentials_the_ways_to_sign_in_are_named() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();
    let desk = Desk::new(&stage, proxy.endpoint());
    refused(
        desk.run(false, "--patience 5"),
        ExitCode::Refused,
        &["no-credentials", "sign in to AWS", "AWS_PROFILE", "hint"],
    );
    assert!(proxy.calls().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_refuses_or_hangs_is_said() {
    let stage = Stage::open().await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let desk = Desk::new(&stage, &format!("http://{closed}"));
    refused(desk.run(true, "--patience 2"), ExitCode::Refused, &["endpoint-unreachable", "sign in to AWS", "hint"]);

    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let desk = Desk::new(&stage, &format!("http://{}", silent.local_addr().unwrap()));
    refused(desk.run(true, "--patience 2"), ExitCode::Refused, &["endpoint-timeout", "sign in to AWS", "hint"]);
}
