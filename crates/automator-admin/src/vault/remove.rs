//! Removing: announced, done, and looked at (spec 7.3). Always to the trash, never a purge.

use keeper_wire::Uid;
use serde_json::{Map, Value, json};

use crate::vault::Vault;
use crate::vault::folder::{look, not_done};
use crate::{Error, Session};

/// One thing to be removed from one place.
pub(crate) struct Target {
    pub(crate) uid: Uid,
    /// `record`, `shared_folder` …
    pub(crate) kind: &'static str,
    /// Type and UID of the folder it is in; `None` is the root of the vault.
    pub(crate) from: Option<(&'static str, Uid)>,
}

impl Target {
    fn object(&self) -> Value {
        let mut object = json!({
            "delete_resolution": "unlink",
            "object_uid": self.uid,
            "object_type": self.kind,
            "from_type": self.from.map_or("user_folder", |(kind, _)| kind),
        });
        if let (Some((_, from)), Some(members)) = (self.from, object.as_object_mut()) {
            members.insert("from_uid".to_owned(), json!(from));
        }
        object
    }
}

/// Announces, deletes, and looks. When an answer was lost and the thing is still there, the error of the call is told.
pub(crate) async fn remove(
    session: &Session,
    kind: &'static str,
    uid: Uid,
    targets: &[Target],
    gone: impl Fn(&Vault) -> bool,
) -> Result<(), Error> {
    let objects: Vec<Value> = targets.iter().map(Target::object).collect();
    let members = Map::from_iter([("objects".to_owned(), Value::Array(objects))]);
    // It changes nothing yet, so it may be repeated; its token is short-lived.
    let announced = session.command("pre_delete", false, members).await?;
    let token = announced.get("pre_delete_response").and_then(|answer| answer.get("pre_delete_token"));
    let token = token.and_then(Value::as_str).filter(|token| !token.is_empty());
    let what = "a deletion token was expected";
    let token = token.ok_or(Error::Reply { call: "pre_delete", what, write: false })?;
    let members = Map::from_iter([("pre_delete_token".to_owned(), json!(token))]);
    let told = session.command("delete", true, members).await;
    let lost = look(session, "delete", told.map(|_| ()))?;
    if gone(&*session.vault().await?) { Ok(()) } else { Err(not_done(lost, "remove", kind, uid.to_string())) }
}
