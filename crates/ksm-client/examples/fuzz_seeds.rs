//! Writes the seeds of the fuzz targets `ksm_config`, `ksm_notation` and `ksm_response` into `fuzz/corpus`:
//! `cargo run -p ksm-client --example fuzz_seeds`. Keys and nonces are random; what the seeds show does not depend on them.

use std::fs;
use std::path::Path;

use keeper_wire::crypto::Key;
use keeper_wire::{Uid, text};
use ksm_client::Config;
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(corpus.join(target))?;
        fs::write(corpus.join(target).join(name), bytes)
    };

    let token = format!("EU:{}", text::url(&[1; 32])).parse().expect("a token");
    let config = Config::from_token(&token, None).expect("a configuration");
    write("ksm_config", "plain.json", config.expose_json().as_bytes())?;
    write("ksm_config", "base64.txt", config.expose_base64().as_bytes())?;
    write("ksm_config", "secret.yaml", config.expose_kubernetes("ksm", None).expect("a name").as_bytes())?;
    write("ksm_config", "keeper.ini", config.expose_ini("_default").expect("a name").as_bytes())?;
    let block = format!("kind: Secret\ndata:\n  config: |\n    {}\n", *config.expose_base64());
    write("ksm_config", "block.yaml", block.as_bytes())?;

    for (name, notation) in [
        ("file", "AAECAwQFBgcICQoLDA0ODw/file/ssl-certificate.pfx"),
        ("field", "keeper://A title/field/name[0][first]"),
        ("custom", r"a\/b/custom_field/x\[1\][]"),
        ("base64", "VS9maWxlL2E"),
        ("secrets", "U/file/a > file:/a\nU/custom_field/Ip Address > IP_ADDR\n"),
    ] {
        write("ksm_notation", name, notation.as_bytes())?;
    }

    // `read_anything` opens answers with the key of 32 zeros.
    let app = Key::from_slice(&[0; 32]).expect("32 bytes");
    let sealed = |key: &Key, value: &Value| text::standard(&key.seal(value.to_string().as_bytes()));
    let wrapped = |outer: &Key, key: &Key| text::standard(&outer.seal(key.expose()));
    let (folder_key, record_key, file_key) = (Key::random(), Key::random(), Key::random());
    let (folder, child) = (Uid::random(), Uid::random());
    let content =
        json!({ "type": "login", "title": "t", "fields": [{ "type": "login", "value": ["x"] }], "custom": [] });
    let file = json!({
        "fileUid": Uid::random(), "fileKey": wrapped(&record_key, &file_key), "url": "https://127.0.0.1/x",
        "data": sealed(&file_key, &json!({ "name": "a.pfx", "title": "a.pfx", "size": 3, "lastModified": 1.7e12 })),
    });
    let record = |outer: &Key| {
        json!({
            "recordUid": Uid::random(), "recordKey": wrapped(outer, &record_key), "revision": 7, "isEditable": true,
            "data": sealed(&record_key, &content), "files": [file], "innerFolderUid": folder,
        })
    };
    let whole = json!({
        "appData": sealed(&app, &json!({ "title": "app", "type": "app" })), "expiresOn": 0, "warnings": null,
        "folders": [{ "folderUid": folder, "folderKey": wrapped(&app, &folder_key), "records": [record(&folder_key)] }],
        "records": [record(&folder_key), { "recordUid": "x", "recordKey": 7 }],
    });
    write("ksm_response", "get_secret", whole.to_string().as_bytes())?;
    let child_key = Key::random();
    let folders = json!({ "folders": [
        { "folderUid": folder, "folderKey": wrapped(&app, &folder_key), "data": text::url(&folder_key.seal_cbc(br#"{"name":"a"}"#)) },
        {
            "folderUid": child, "parent": folder, "folderKey": text::url(&folder_key.seal_cbc(child_key.expose())),
            "data": text::url(&child_key.seal_cbc(br#"{"name":"b"}"#)),
        },
    ] });
    write("ksm_response", "get_folders", folders.to_string().as_bytes())?;
    let bound = json!({ "encryptedAppKey": wrapped(&app, &record_key), "appOwnerPublicKey": "" });
    write("ksm_response", "bound", bound.to_string().as_bytes())?;
    for (name, text) in [
        ("add_file", r#"{"url":"https://h/x","parameters":"{\"key\":\"a\",\"n\":1}","successStatusCode":201}"#),
        (
            "deleted",
            r#"{"records":[{"recordUid":"a","responseCode":"ok"},{"recordUid":"b","responseCode":"denied","errorMessage":"x"}]}"#,
        ),
        ("throttled", r#"{"error":"throttled","retry_after":"3"}"#),
        ("key", r#"{"path":"x","error":"key","key_id":9}"#),
        ("denied", r#"{"result_code":"access_denied","message":"Record is out of sync","additional_info":{}}"#),
        ("page", "<html>502"),
    ] {
        write("ksm_response", name, text.as_bytes())?;
    }
    Ok(())
}
