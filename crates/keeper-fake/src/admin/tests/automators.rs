//! The enterprise's keys and nodes, and the life of an Automator.

use super::super::{Calls, Handed, Pairs, Scripted};
use super::Client;
use keeper_wire::ec::PublicKey;
use keeper_wire::messages::automator as m;
use keeper_wire::messages::automator::{AdminResponse, AutomatorState, SkillType};
use keeper_wire::messages::enterprise as e;
use keeper_wire::messages::enterprise::{BackupKeyType, EnterpriseDataEntity};
use keeper_wire::{crypto::Key, rsa, text};
use prost::Message;
use std::collections::BTreeMap;

const KEYS: &str = "enterprise/get_enterprise_data_keys";
const DATA: &str = "enterprise/get_enterprise_data_for_user";

fn keys(client: &mut Client) -> e::GetEnterpriseDataKeysResponse {
    client.call(KEYS, &e::GetEnterpriseDataKeysRequest::default()).unwrap()
}

fn tree_key(client: &mut Client) -> Key {
    let tree = keys(client).tree_key.unwrap();
    let sealed = text::decode(&tree.tree_key).unwrap();
    let plain = match tree.key_type_id() {
        BackupKeyType::ByDataKey => client.data_key().open_cbc(&sealed).unwrap(),
        BackupKeyType::ByDataKeyGcm => client.data_key().open(&sealed).unwrap(),
        BackupKeyType::ByPublicKey => rsa::open(&client.admin.account.rsa.private, &sealed).unwrap(),
        BackupKeyType::ByPublicKeyEcc => client.admin.account.ec.open(&sealed).unwrap(),
        BackupKeyType::NoKey => panic!("no tree key"),
    };
    Key::from_slice(&plain).unwrap()
}

#[test]
fn the_tree_key_comes_in_every_wrapping() {
    let mut client = Client::logged_in();
    let first = tree_key(&mut client);
    for wrapping in [BackupKeyType::ByDataKey, BackupKeyType::ByPublicKey, BackupKeyType::ByPublicKeyEcc] {
        client.admin.enterprise.wrapping = wrapping;
        assert_eq!(tree_key(&mut client), first, "{wrapping:?}");
    }
}

#[test]
fn key_pairs_may_be_missing() {
    let mut client = Client::logged_in();
    let tree = tree_key(&mut client);
    let pairs = keys(&mut client).enterprise_keys.unwrap();
    let scalar = tree.open(&pairs.ecc_encrypted_private_key).unwrap();
    assert_eq!(
        keeper_wire::ec::PrivateKey::from_scalar(&scalar).unwrap().public().as_bytes()[..],
        pairs.ecc_public_key
    );
    assert!(!tree.open(&pairs.rsa_encrypted_private_key).unwrap().is_empty());

    client.admin.enterprise.pairs = Pairs::OnlyEc;
    let pairs = keys(&mut client).enterprise_keys.unwrap();
    assert!(pairs.rsa_encrypted_private_key.is_empty() && !pairs.ecc_encrypted_private_key.is_empty());
    client.admin.enterprise.pairs = Pairs::Missing;
    assert_eq!(keys(&mut client).enterprise_keys.unwrap(), e::EnterpriseKeys::default());
}

fn pages(client: &mut Client) -> Vec<e::EnterpriseDataResponse> {
    let mut pages: Vec<e::EnterpriseDataResponse> = Vec::new();
    loop {
        let token = pages.last().map_or_else(Vec::new, |page| page.continuation_token.clone());
        let request = e::EnterpriseDataRequest { continuation_token: token };
        let body = client.bytes(DATA, request.encode_to_vec(), 2).unwrap();
        let page = e::EnterpriseDataResponse::decode(body.as_slice()).unwrap();
        let more = page.has_more;
        pages.push(page);
        if !more {
            return pages;
        }
    }
}

#[test]
fn nodes_come_page_by_page_with_sealed_names() {
    let mut client = Client::logged_in();
    let nodes = client.admin.add_nodes();
    let tree = tree_key(&mut client);
    client.admin.enterprise.page = 3;
    let pages = pages(&mut client);
    assert!(pages.len() > 3);
    let rows = |entity: EnterpriseDataEntity| {
        let of = move |group: &&e::EnterpriseData| group.entity == i32::from(entity);
        pages.iter().flat_map(move |page| page.data.iter().filter(of)).flat_map(|group| group.data.clone())
    };
    let found: BTreeMap<i64, String> = rows(EnterpriseDataEntity::Nodes)
        .map(|row| e::Node::decode(row.as_slice()).unwrap())
        .filter(|node| node.parent_id != 0)
        .map(|node| {
            let plain = tree.open_cbc(&text::decode(&node.encrypted_data).unwrap()).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&plain).unwrap();
            (node.node_id, json["displayname"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(found.get(&nodes.sso.0), Some(&nodes.sso.1));
    assert_eq!(found.values().filter(|name| **name == nodes.ambiguous).count(), 2);
    let services: Vec<_> =
        rows(EnterpriseDataEntity::SsoServices).map(|row| e::SsoService::decode(row.as_slice()).unwrap()).collect();
    assert!(services.iter().any(|service| service.node_id == nodes.sso.0 && service.is_cloud));
    assert!(services.iter().all(|service| service.node_id != nodes.plain.0));
    assert_eq!(rows(EnterpriseDataEntity::Users).count(), 1);
    assert_eq!(rows(EnterpriseDataEntity::Licenses).count(), 1);
}

#[test]
fn privileges_are_told_by_roles_and_on_request_by_themselves() {
    let mut client = Client::logged_in();
    client.admin.add_nodes();
    let root = client.admin.enterprise.nodes[0].id;
    let general = |client: &mut Client| pages(client)[0].general_data.clone().unwrap();
    assert!(general(&mut client).user_privilege.is_none());
    client.admin.account.rules.told_privileges = true;
    let told = general(&mut client).user_privilege.unwrap().user_managed_nodes;
    assert_eq!((told[0].node_id, told[0].cascade_node_management), (root, true));
    client.admin.account.rules.root_administrator = false;
    let told = general(&mut client).user_privilege.unwrap().user_managed_nodes;
    assert!(told[0].node_id != root && !told[0].cascade_node_management);
    let groups = pages(&mut client).remove(0).data;
    let rows = groups.iter().find(|group| group.entity() == EnterpriseDataEntity::ManagedNodes).unwrap();
    let row = e::ManagedNode::decode(rows.data[0].as_slice()).unwrap();
    assert_eq!(row.managed_node_id, told[0].node_id);
}

#[test]
fn who_is_no_administrator_gets_nothing() {
    let mut client = Client::logged_in();
    client.admin.account.rules.administrator = false;
    for endpoint in [KEYS, DATA, "automator/automator_get_all_for_enterprise", "automator/automator_create"] {
        let refused = client.bytes(endpoint, Vec::new(), 2).unwrap_err();
        assert_eq!((refused.status, refused.error.as_str()), (403, "access_denied"));
    }
    assert!(!client.bytes("enterprise/get_enterprise_public_key", Vec::new(), 0).unwrap().is_empty());
}

#[test]
fn enterprise_data_want_their_api_version() {
    assert_eq!(Client::logged_in().bytes(DATA, Vec::new(), 0).unwrap_err().error, "bad_request");
}

/// An Automator with a URL, on the node with SSO.
fn with_automator() -> (Client, i64) {
    let mut client = Client::logged_in();
    let node = client.admin.add_nodes().sso.0;
    let id = create(&mut client, node, "Automator").unwrap().automator_id;
    let request = m::AdminEditAutomatorRequest {
        automator_id: id,
        url: "https://automator.example.com".to_owned(),
        skill_types: [SkillType::TeamApproval, SkillType::DeviceApproval].map(i32::from).to_vec(),
        ..Default::default()
    };
    one(verb(&mut client, "edit", &request)).unwrap();
    (client, id)
}

fn verb(client: &mut Client, verb: &str, request: &impl Message) -> AdminResponse {
    client.call(&format!("automator/automator_{verb}"), request).unwrap()
}

fn one(answer: AdminResponse) -> Result<m::AutomatorInfo, String> {
    if answer.success { Ok(answer.automator_info.into_iter().next().unwrap()) } else { Err(answer.message) }
}

fn create(client: &mut Client, node: i64, name: &str) -> Result<m::AutomatorInfo, String> {
    let request = m::AdminCreateAutomatorRequest { node_id: node, name: name.to_owned(), skill: None };
    one(verb(client, "create", &request))
}

fn by_id(id: i64) -> m::AdminGetAutomatorRequest {
    m::AdminGetAutomatorRequest { automator_id: id }
}

fn setup(client: &mut Client, request: &m::AdminSetupAutomatorRequest) -> m::AdminSetupAutomatorResponse {
    client.call("automator/automator_setup", request).unwrap()
}

fn step_1(client: &mut Client, id: i64) -> m::AdminSetupAutomatorResponse {
    let state = AutomatorState::NeedsCryptoStep1.into();
    setup(client, &m::AdminSetupAutomatorRequest { automator_id: id, automator_state: state, ..Default::default() })
}

fn step_2(client: &mut Client, id: i64, to: &[u8], rsa: bool) -> m::AdminSetupAutomatorRequest {
    let to = PublicKey::from_slice(to).unwrap();
    let tree = tree_key(client);
    let pairs = keys(client).enterprise_keys.unwrap();
    let opened = |sealed: &[u8]| to.seal(&tree.open(sealed).unwrap());
    m::AdminSetupAutomatorRequest {
        automator_id: id,
        automator_state: AutomatorState::NeedsCryptoStep2.into(),
        encrypted_ecc_enterprise_private_key: opened(&pairs.ecc_encrypted_private_key),
        encrypted_rsa_enterprise_private_key: if rsa { opened(&pairs.rsa_encrypted_private_key) } else { Vec::new() },
        encrypted_tree_key: to.seal(tree.expose()),
        ..Default::default()
    }
}

#[test]
fn from_nothing_to_a_running_automator_and_back() {
    let (mut client, id) = with_automator();
    let info = one(verb(&mut client, "get", &by_id(id))).unwrap();
    assert_eq!((info.enabled, info.automator_state()), (false, AutomatorState::NeedsCryptoStep1));
    assert_eq!(info.automator_skills.len(), 2);

    let answer = step_1(&mut client, id);
    assert_eq!((answer.success, answer.automator_ecc_public_key.len()), (true, 65));
    let request = step_2(&mut client, id, &answer.automator_ecc_public_key, true);
    assert_eq!((request.encrypted_ecc_enterprise_private_key.len(), request.encrypted_tree_key.len()), (125, 125));
    let answer = setup(&mut client, &request);
    assert_eq!((answer.success, answer.automator_state()), (true, AutomatorState::NeedsInitialization));
    let automator = client.admin.automators().next().unwrap();
    assert_eq!(automator.keys, Handed { ec: true, rsa: true, tree: true });

    let saved = serde_json::to_string(&client.admin).unwrap();
    client.admin = serde_json::from_str(&saved).unwrap();
    let info = one(verb(&mut client, "initialize", &by_id(id))).unwrap();
    assert!(info.status.unwrap().initialized);
    assert_eq!(AutomatorState::try_from(info.automator_state), Ok(AutomatorState::Running));
    let enable = m::AdminEnableAutomatorRequest { automator_id: id, enabled: true };
    assert!(one(verb(&mut client, "enable", &enable)).unwrap().enabled);
    assert!(!one(verb(&mut client, "enable", &by_id(id))).unwrap().enabled, "an id alone disables");

    let log = one(verb(&mut client, "log_get", &by_id(id))).unwrap().log_entries;
    assert!(log.iter().any(|entry| entry.message == "initialized"));
    assert!(one(verb(&mut client, "log_clear", &by_id(id))).unwrap().log_entries.is_empty());

    let info = one(verb(&mut client, "full_reset", &by_id(id))).unwrap();
    assert_eq!(info.automator_state(), AutomatorState::NeedsCryptoStep1);
    assert_eq!(client.admin.automators().next().unwrap().keys, Handed::default());
    assert!(verb(&mut client, "delete", &by_id(id)).success);
    assert_eq!(client.admin.automators().count(), 0);
    assert!(!verb(&mut client, "delete", &by_id(id)).success);
}

#[test]
fn without_rsa_the_exchange_is_complete_too() {
    let (mut client, id) = with_automator();
    let point = step_1(&mut client, id).automator_ecc_public_key;
    let request = step_2(&mut client, id, &point, false);
    assert!(setup(&mut client, &request).success);
    assert_eq!(client.admin.automators().next().unwrap().keys, Handed { ec: true, rsa: false, tree: true });
}

#[test]
fn keys_for_somebody_else_are_not_taken() {
    let (mut client, id) = with_automator();
    let point = step_1(&mut client, id).automator_ecc_public_key;
    let other = keeper_wire::ec::PrivateKey::generate().public();
    let wrong = step_2(&mut client, id, other.as_bytes(), true);
    assert!(!setup(&mut client, &wrong).success);
    let mut wrong = step_2(&mut client, id, &point, true);
    wrong.encrypted_tree_key = PublicKey::from_slice(&point).unwrap().seal(Key::random().expose());
    assert!(setup(&mut client, &wrong).message.contains("decrypt"));
    assert_eq!(client.admin.automators().next().unwrap().keys, Handed::default());
}

#[test]
fn setup_and_init_call_the_service_and_say_why_it_cannot_be_reached() {
    let (mut client, id) = with_automator();
    client.automator = Err("connection refused".to_owned());
    let answer = step_1(&mut client, id);
    assert!(!answer.success && answer.message.contains("https://automator.example.com"), "{}", answer.message);
    assert!(answer.message.contains("connection refused") && answer.automator_ecc_public_key.is_empty());

    client.automator = Ok(());
    let point = step_1(&mut client, id).automator_ecc_public_key;
    let request = step_2(&mut client, id, &point, true);
    assert!(setup(&mut client, &request).success);
    client.automator = Err("certificate is for another name".to_owned());
    let why = one(verb(&mut client, "initialize", &by_id(id))).unwrap_err();
    assert!(why.contains("another name"));
    assert_eq!(client.admin.automators().next().unwrap().state, AutomatorState::NeedsInitialization);
}

#[test]
fn the_order_of_steps_is_kept() {
    let mut client = Client::logged_in();
    let nodes = client.admin.add_nodes();
    let id = create(&mut client, nodes.sso.0, "A").unwrap().automator_id;
    assert!(step_1(&mut client, id).message.contains("URL"));
    let early = m::AdminSetupAutomatorRequest {
        automator_id: id,
        automator_state: AutomatorState::NeedsCryptoStep2.into(),
        ..Default::default()
    };
    assert!(!setup(&mut client, &early).success);
    assert!(one(verb(&mut client, "initialize", &by_id(id))).unwrap_err().contains("setup"));
}

#[test]
fn an_automator_needs_a_cloud_sso_node_and_a_name_of_its_own() {
    let mut client = Client::logged_in();
    let nodes = client.admin.add_nodes();
    let premises = client.admin.enterprise.add_node("Old", Some(false));
    assert!(create(&mut client, nodes.plain.0, "A").unwrap_err().contains("SSO Connect Cloud"));
    assert!(create(&mut client, premises, "A").unwrap_err().contains("SSO Connect Cloud"));
    assert_eq!(create(&mut client, 1, "A").unwrap_err(), "Node not found");
    assert!(create(&mut client, nodes.sso.0, "").is_err());
    assert_eq!(create(&mut client, nodes.sso.0, "A").unwrap().name, "A");
    assert_eq!(create(&mut client, nodes.sso.0, "A").unwrap().name, "A (1)");
    let here = verb(&mut client, "get_on_node", &m::AdminGetAutomatorsOnNodeRequest { node_id: nodes.sso.0 });
    assert_eq!(here.automator_info.len(), 2);
    let all = m::AdminGetAutomatorsForEnterpriseRequest { enterprise_id: 8560 };
    assert_eq!(verb(&mut client, "get_all_for_enterprise", &all).automator_info.len(), 2);
    let other = m::AdminGetAutomatorsForEnterpriseRequest { enterprise_id: 1 };
    assert!(verb(&mut client, "get_all_for_enterprise", &other).automator_info.is_empty());
}

#[test]
fn an_edit_says_enabled_each_time_and_checks_settings() {
    let (mut client, id) = with_automator();
    let info = one(verb(&mut client, "get", &by_id(id))).unwrap();
    let named =
        |tag: &str| info.automator_setting_values.iter().find(|setting| setting.setting_tag == tag).unwrap().setting_id;
    let setting = |setting_id, value: &str| m::AutomatorSettingValue {
        setting_id,
        setting_value: value.to_owned(),
        ..Default::default()
    };
    let mut request = m::AdminEditAutomatorRequest {
        automator_id: id,
        enabled: true,
        automator_setting_values: vec![
            setting(named("disable_sni_check"), "true"),
            setting(named("polling_seconds"), "5"),
        ],
        ..Default::default()
    };
    let info = one(verb(&mut client, "edit", &request)).unwrap();
    assert!(info.enabled && info.url == "https://automator.example.com" && info.automator_skills.len() == 2);
    assert!(
        info.automator_setting_values
            .iter()
            .any(|setting| setting.setting_tag == "polling_seconds" && setting.setting_value == "5")
    );

    request.automator_setting_values = vec![setting(named("polling_seconds"), "soon")];
    assert!(one(verb(&mut client, "edit", &request)).unwrap_err().contains("polling_seconds"));
    request.automator_setting_values = vec![setting(1, "x")];
    assert!(one(verb(&mut client, "edit", &request)).is_err());
    let by_tag = m::AutomatorSettingValue {
        setting_tag: "ssl_mode".to_owned(),
        setting_value: "none".to_owned(),
        ..Default::default()
    };
    request.automator_setting_values = vec![by_tag];
    assert!(one(verb(&mut client, "edit", &request)).is_ok());
    let skills = m::AdminEditAutomatorRequest { automator_id: id, skill_types: vec![99], ..Default::default() };
    assert!(one(verb(&mut client, "edit", &skills)).is_err());
    let bare = m::AdminEditAutomatorRequest { automator_id: id, ..Default::default() };
    assert!(!one(verb(&mut client, "edit", &bare)).unwrap().enabled);
}

#[test]
fn every_verb_can_be_refused_with_a_text() {
    let (mut client, id) = with_automator();
    let verbs = ["create", "edit", "initialize", "enable", "full_reset", "delete", "log_clear", "get", "log_get"];
    for name in verbs {
        let calls = Calls::Named(format!("automator/automator_{name}"));
        client.admin.script(calls, 1, Scripted::Failed { message: "not today".to_owned() });
        assert_eq!(one(verb(&mut client, name, &by_id(id))).unwrap_err(), "not today");
    }
    client.admin.script(Calls::AutomatorWrites, 1, Scripted::Failed { message: "not today".to_owned() });
    assert!(one(verb(&mut client, "get", &by_id(id))).is_ok(), "reading is no write");
    let answer = step_1(&mut client, id);
    assert_eq!((answer.success, answer.message.as_str()), (false, "not today"));
    assert!(step_1(&mut client, id).success);
}

#[test]
fn skills_are_listed() {
    let (mut client, id) = with_automator();
    let answer: m::AdminAutomatorSkillsResponse =
        client.call("automator/automator_skills_get", &m::AdminAutomatorSkillsRequest { automator_id: id }).unwrap();
    assert_eq!((answer.success, answer.automator_skills.len()), (true, 3));
    let answer: m::AdminAutomatorSkillsResponse =
        client.call("automator/automator_skills_get", &m::AdminAutomatorSkillsRequest { automator_id: 1 }).unwrap();
    assert!(!answer.success);
}
