//! The world that the facts file describes: an administrator, a tree of nodes, and one record with the guide's three attachments.

use super::{App, Device, Terms, attach, rewrite};
use crate::admin::{Nodes, Resumable};
use crate::world::World;
use keeper_wire::crypto::Key;
use keeper_wire::{OneTimeToken, Uid, crypto, text};
use serde_json::{Value, json};
use std::fmt;

/// What those know who made the world.
#[derive(Debug)]
pub struct Guide {
    /// The application with its keys.
    pub app: App,
    /// The one record.
    pub record: Uid,
    /// Its key.
    pub record_key: Key,
    /// Its title.
    pub title: String,
    /// Its attachments.
    pub files: Vec<RecordFile>,
    /// A device that may do everything.
    pub device: Device,
    /// Unused.
    pub tokens: Vec<OneTimeToken>,
    /// Devices that are refused, and why.
    pub refused: Vec<Refused>,
    /// The administrator's device that resumes.
    pub resumable: Resumable,
    /// Nodes by role.
    pub nodes: Nodes,
}

/// An attachment in clear text.
#[derive(Clone)]
pub struct RecordFile {
    /// Its name; also its title.
    pub name: String,
    /// Its UID.
    pub uid: Uid,
    /// Its bytes.
    pub content: Vec<u8>,
}

impl fmt::Debug for RecordFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordFile").field("name", &self.name).field("uid", &self.uid).finish_non_exhaustive()
    }
}

/// A device that is refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// `read_only`, `expired`, `ip_locked` or `revoked`.
    pub why: &'static str,
    /// The device.
    pub device: Device,
}

/// Label of the custom field: two of its characters need an escape in notation.
pub const LABEL: &str = "Host/Port [public]";
const VALUE: &str = "automator.example.com:443";
const TOKENS: usize = 5;

/// An address for documentation (RFC 5737): no client of a fake has it.
const ELSEWHERE: &str = "203.0.113.9";

const PROPERTIES: &str = "ssl_mode=certificate\nssl_certificate_file=/config/ssl-certificate.pfx\n\
                          ssl_certificate_file_password=\nssl_certificate_key_password=\nautomator_debug=false\n\
                          automator_port=443\nautomator_host=localhost\ndisable_sni_check=true\n\
                          email_domains=example.com\nfilter_by_email_domains=false\nenabled=true\n";

impl World {
    /// The world of the facts file, and what its makers know.
    #[must_use]
    pub fn guide() -> (Self, Guide) {
        let mut world = Self::new();
        let (resumable, nodes) = (world.admin.add_resumable(), world.admin.add_nodes());
        let app = App::new(&mut world, "Automator");
        let title = "Keeper Automator".to_owned();
        let (record, record_key) = app.record(&mut world, &content(&title, &[]));
        let mut files = Vec::new();
        for (name, content) in guide_files() {
            let uid = attach(&mut world, record, &record_key, name, &content);
            files.push(RecordFile { name: name.to_owned(), uid, content });
        }
        rewrite(&mut world, record, &record_key, &content(&title, &files));
        let none = Terms::default();
        let device = app.device(&mut world, "automator", &none);
        let tokens = (1..=TOKENS).map(|number| app.token(&mut world, &format!("token {number}"), &none)).collect();
        let reader = app.another(&mut world, "Automator, read only", false);
        let expired = Terms { access_until: 1_700_000_000_000, ..none.clone() };
        let locked = Terms { locked_to: Some(ELSEWHERE.to_owned()), ..none.clone() };
        let mut refused = vec![
            Refused { why: "read_only", device: reader.device(&mut world, "reader", &none) },
            Refused { why: "expired", device: app.device(&mut world, "expired", &expired) },
            Refused { why: "ip_locked", device: app.device(&mut world, "locked", &locked) },
        ];
        let gone = app.device(&mut world, "revoked", &none);
        app.revoke(&mut world, &gone);
        refused.push(Refused { why: "revoked", device: gone });
        let guide = Guide { app, record, record_key, title, files, device, tokens, refused, resumable, nodes };
        (world, guide)
    }
}

fn guide_files() -> [(&'static str, Vec<u8>); 3] {
    let (mut pfx, mut password) = (vec![0; 4200], [0; 24]);
    crypto::fill_random(&mut pfx);
    crypto::fill_random(&mut password);
    [
        ("ssl-certificate.pfx", pfx),
        ("ssl-certificate-password.txt", text::url(&password).into_bytes()),
        ("keeper.properties", PROPERTIES.as_bytes().to_vec()),
    ]
}

fn content(title: &str, files: &[RecordFile]) -> Value {
    let uids: Vec<_> = files.iter().map(|file| file.uid).collect();
    json!({
        "title": title, "type": "login", "notes": "",
        "fields": [
            { "type": "login", "value": ["automator"] },
            { "type": "password", "value": [] },
            { "type": "url", "value": ["https://automator.example.com"] },
            { "type": "fileRef", "value": uids },
        ],
        "custom": [{ "type": "text", "label": LABEL, "value": [VALUE] }],
    })
}

impl Guide {
    /// Notations with what they give: text, or the SHA-256 of a file in hexadecimal.
    #[must_use]
    pub fn notations(&self) -> Vec<Value> {
        let record = self.record;
        let escaped: String = LABEL
            .chars()
            .flat_map(|c| ['\\', c].into_iter().skip(usize::from(!matches!(c, '/' | '[' | ']' | '\\'))))
            .collect();
        let mut all = vec![
            json!({ "notation": format!("keeper://{record}/title"), "value": self.title }),
            json!({ "notation": format!("keeper://{record}/type"), "value": "login" }),
            json!({ "notation": format!("keeper://{record}/field/url"), "value": "https://automator.example.com" }),
            json!({ "notation": format!("keeper://{record}/custom_field/{escaped}"), "value": VALUE }),
            json!({ "notation": format!("keeper://{}/field/login", self.title), "value": "automator" }),
        ];
        all.extend(self.files.iter().map(|file| {
            let (name, sum) = (&file.name, hex(&crypto::sha256(&file.content)));
            json!({ "notation": format!("keeper://{record}/file/{name}"), "sha256": sum })
        }));
        all
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
