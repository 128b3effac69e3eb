//! No bytes make the administrator side panic, whether they come outside or inside the envelope; and no secret is printed.

use super::{Client, Transmission};
use keeper_wire::messages::authentication::{ApiRequest, ApiRequestPayload};
use proptest::prelude::*;
use prost::Message;

const ENDPOINTS: &[&str] = &[
    "authentication/register_device",
    "authentication/register_device_in_region",
    "authentication/start_login",
    "authentication/validate_auth_hash",
    "authentication/2fa_validate",
    "authentication/request_device_verification",
    "authentication/validate_device_verification_code",
    "authentication/register_encrypted_data_key_for_device",
    "setting/set_user_setting",
    "login/account_summary",
    "enterprise/get_enterprise_data_keys",
    "enterprise/get_enterprise_data_for_user",
    "enterprise/set_enterprise_key_pair",
    "automator/automator_get_all_for_enterprise",
    "automator/automator_create",
    "automator/automator_edit",
    "automator/automator_setup",
    "automator/automator_initialize",
    "automator/automator_enable",
    "automator/automator_delete",
    "vault/sync_down",
    "vault/execute_v2_command",
    "vault/records_add",
    "vault/records_update",
    "vault/get_records_details",
    "vault/files_add",
    "vault/files_download",
    "vault/application_add",
    "vault/app_share_add",
    "vault/app_share_remove",
    "vault/app_client_add",
    "vault/app_client_remove",
    "vault/get_app_info",
    "vault/shared_folder_update_v3",
    "vault/restore_deleted_shared_folders_and_records",
    "nothing",
    "",
];

const COMMANDS: &[&str] = &[
    "folder_add",
    "folder_update",
    "pre_delete",
    "delete",
    "record_update",
    "undelete_record",
    "move",
    "get_shared_folders",
    "execute",
    "get_deleted_records",
    "purge_deleted_records",
    "other",
];

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[A-Za-z0-9_-]{0,24}".prop_map(Into::into),
    ];
    let names = prop::sample::select(vec![
        "objects",
        "object_uid",
        "object_type",
        "delete_resolution",
        "from_uid",
        "folder_uid",
        "folder_type",
        "key",
        "name",
        "data",
        "parent_uid",
        "move",
        "transition_keys",
        "uid",
        "to_uid",
        "to_type",
        "requests",
        "delete_records",
        "shared_folders",
    ]);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn outside_the_envelope(endpoint in prop::sample::select(ENDPOINTS), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut client = Client::new();
        prop_assert!(client.raw(endpoint, &bytes).status >= 400);
        // And a well-formed envelope with other bytes in its fields.
        let request = ApiRequest { public_key_id: 7, encrypted_transmission_key: bytes.clone(), encrypted_payload: bytes, ..Default::default() };
        prop_assert!(client.raw(endpoint, &request.encode_to_vec()).status >= 400);
    }

    #[test]
    fn inside_the_envelope(bytes in prop::collection::vec(any::<u8>(), 0..120), version in 0..3) {
        let mut client = Client::logged_in();
        for endpoint in ENDPOINTS {
            let _ = client.bytes(endpoint, bytes.clone(), version);
        }
        let key = Transmission::new();
        let inside = ApiRequestPayload { payload: bytes, ..Default::default() }.encode_to_vec();
        let request = ApiRequest {
            public_key_id: 7,
            encrypted_transmission_key: key.wrap(&client.table.get(7).unwrap()),
            encrypted_payload: key.seal(&inside[..inside.len() / 2]),
            ..Default::default()
        };
        let _ = client.raw("vault/sync_down", &request.encode_to_vec());
    }

    #[test]
    fn in_commands(command in prop::sample::select(COMMANDS), mut value in json()) {
        if !value.is_object() {
            value = serde_json::json!({ "requests": value });
        }
        value["command"] = command.into();
        let (mut client, _) = Client::made();
        let answer = client.command(value);
        prop_assert!(answer["result"].is_string());
    }
}

#[test]
fn nothing_secret_is_printed() {
    let (mut client, made) = Client::made();
    client.add_file(b"content");
    let (application, key) = client.add_application();
    client.share(application, made.folder, key.seal(made.folder_key.expose())).unwrap();
    client.admin.account.mail.push("123456".to_owned());
    let printed = format!("{:?} {:?} {:?} {:?}", client.admin, client.device, client.admin.account, client.vault);
    let account = &client.admin.account;
    let mut secrets: Vec<Vec<u8>> = vec![
        client.session.clone(),
        client.device.clone_code.clone(),
        client.device.private_key.expose_scalar().to_vec(),
        account.data_key().expose().to_vec(),
        client.vault.folder_keys[&(made.folder, made.record)].key.clone(),
        client.vault.applications[&application].shares[&made.folder].key.clone(),
    ];
    secrets.extend(client.vault.records.values().flat_map(|record| [record.key.clone(), record.data.clone()]));
    secrets.extend(client.vault.folders.values().map(|folder| folder.key.clone()));
    let stored = client.vault.records.values().find_map(|record| record.file.as_ref()).unwrap();
    let mut texts = vec![account.expose_password().to_owned(), stored.ticket.clone(), "123456".to_owned()];
    texts.extend(secrets.iter().flat_map(|bytes| [keeper_wire::text::url(bytes), format!("{bytes:?}")]));
    for secret in texts {
        assert!(!printed.contains(&secret), "{printed}");
    }
}
