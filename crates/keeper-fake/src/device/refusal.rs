//! What a device is refused with: JSON in clear text, with the members of the recorded refusal (spec mark F).

use crate::machine::Reply;
use serde_json::json;

/// An error of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    key: Option<i32>,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), key: None }
    }

    /// Another server key is in use; this one (spec mark T for status 401).
    pub(super) fn other_key(active: i32) -> Self {
        Self { key: Some(active), ..Self::new(401, "key", "invalid key id") }
    }

    /// Most of them, told apart by the text alone.
    pub(super) fn denied(message: &str) -> Self {
        Self::new(403, "access_denied", message)
    }

    /// No such device: never made, or removed. The service says the same of both.
    pub(super) fn unknown() -> Self {
        Self::denied("Unable to validate application access")
    }

    pub(super) fn out_of_sync() -> Self {
        Self::denied("The record is out of sync: its revision is stale")
    }

    pub(super) fn version() -> Self {
        Self::new(400, "invalid_client_version", "The client version is not known")
    }

    /// What no client of the vendor would send.
    pub(super) fn bad(message: &str) -> Self {
        Self::new(400, "bad_request", message)
    }

    pub(super) fn field(name: &str) -> Self {
        Self::bad(&format!("{name} is missing or not what it should be"))
    }

    pub(super) fn reply(&self, operation: &str) -> Reply {
        let mut body = json!({
            "path": format!("https://keeper-fake/api/rest/sm/v1/{operation}, keeper-fake"),
            "additional_info": if self.code == "invalid_client_version" { self.message.as_str() } else { "" },
            "location": format!("keeper-fake {operation}"),
            "error": self.code,
            "message": self.message,
        });
        if let Some(id) = self.key {
            body["key_id"] = json!(id);
        }
        Reply::new(self.status, "application/json", body.to_string().into_bytes())
    }
}
