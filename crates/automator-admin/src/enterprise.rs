//! The enterprise: tree key, key pairs, and the tree of nodes (spec 3).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::enterprise as m;
use keeper_wire::messages::enterprise::{BackupKeyType, CacheStatus, EnterpriseDataEntity};
use keeper_wire::text;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{Error, Session, decode};

/// Pages of enterprise data in one answer.
const MOST_PAGES: usize = 10_000;
/// Rows that are kept.
const MOST_ROWS: usize = 4_000_000;
const DATA: &str = "get_enterprise_data_for_user";

/// The enterprise as the session's user sees it.
pub struct Enterprise {
    /// Its id: the upper half of every node's id.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// The nodes, by id.
    pub nodes: Vec<Node>,
    /// Whether one of its licences has Secrets Manager.
    pub secrets_manager: bool,
    /// The users that the data has, and whether they manage the root node with everything below it.
    root_administrators: BTreeMap<String, bool>,
    tree_key: Key,
    pairs: m::EnterpriseKeys,
}

impl fmt::Debug for Enterprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enterprise")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its id.
    pub id: i64,
    /// The node above; 0 for the root.
    pub parent: i64,
    /// Its name; empty where it cannot be read.
    pub name: String,
    /// Whether an active SSO Connect Cloud service is on it, which an Automator needs.
    pub cloud_sso: bool,
}

/// What `setup` hands over: the private keys of the enterprise, and the tree key.
pub struct EnterpriseKeys {
    pub(crate) tree: Key,
    pub(crate) ec: PrivateKey,
    /// PKCS#1 DER; `None` where the enterprise forbids RSA.
    pub(crate) rsa: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for EnterpriseKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterpriseKeys").field("rsa", &self.rsa.is_some()).finish_non_exhaustive()
    }
}

/// What the enterprise lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnterpriseError {
    /// The user is no administrator.
    #[error("read the enterprise, because {user} is no administrator of one")]
    NotAdministrator {
        /// The account.
        user: String,
    },
    /// A key pair is missing.
    #[error("use the keys of the enterprise, because it has no {which} key pair yet")]
    NoKeyPair {
        /// `P-256` or `RSA`.
        which: &'static str,
    },
    /// A key does not open.
    #[error("open {what} of the enterprise: {why}")]
    Key {
        /// Which key.
        what: &'static str,
        /// Why, or how it is wrapped.
        why: String,
    },
    /// No node is called so.
    #[error("find the node {wanted}, because the enterprise has none of that name or id; it has {known}")]
    NoNode {
        /// What was looked for.
        wanted: String,
        /// The nodes there are.
        known: String,
    },
    /// Several nodes are called so.
    #[error("choose the node {wanted}, because several have that name: {ids}")]
    Ambiguous {
        /// What was looked for.
        wanted: String,
        /// Their paths and ids.
        ids: String,
    },
}

impl EnterpriseError {
    /// A stable name for programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAdministrator { .. } => "keeper-not-administrator",
            Self::NoKeyPair { .. } => "keeper-enterprise-keys-missing",
            Self::Key { .. } => "keeper-enterprise-keys",
            Self::NoNode { .. } => "keeper-no-such-node",
            Self::Ambiguous { .. } => "keeper-ambiguous-node",
        }
    }

    /// The one thing to do about it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAdministrator { .. } => "sign in as a Keeper Administrator of the root node".to_owned(),
            Self::NoKeyPair { .. } => {
                "sign in to the Admin Console once as a root administrator, which makes the keys; this program never makes keys of an \
                 enterprise"
                    .to_owned()
            }
            Self::Key { .. } => "sign in to the web vault once as this user, then run again".to_owned(),
            Self::NoNode { .. } => "write the name as the Admin Console shows it, or the id".to_owned(),
            Self::Ambiguous { .. } => "name the node by its id".to_owned(),
        })
    }
}

impl Enterprise {
    pub(crate) async fn ask(session: &Session) -> Result<Self, Error> {
        let account = session.account().await?;
        if !account.administrator {
            return Err(EnterpriseError::NotAdministrator { user: account.user.clone() }.into());
        }
        let request = m::GetEnterpriseDataKeysRequest::default();
        let keys: m::GetEnterpriseDataKeysResponse =
            session.ask("enterprise/get_enterprise_data_keys", &request).await?;
        let wrapped = keys.tree_key.unwrap_or_default();
        let sealed = text::decode(&wrapped.tree_key).map_err(|_| key_error("the tree key", "it is no base64"))?;
        let tree_key = account.keys.open(wrapped.key_type_id, &sealed).ok_or_else(|| {
            let kind = BackupKeyType::told(wrapped.key_type_id);
            key_error("the tree key", &format!("it does not open as {kind} with the keys of {}", account.user))
        })?;
        let mut rows = Rows::default();
        let mut token = Vec::new();
        for _ in 0..MOST_PAGES {
            let request = m::EnterpriseDataRequest { continuation_token: token.clone() };
            let page: m::EnterpriseDataResponse =
                session.ask_version("enterprise/get_enterprise_data_for_user", &request, 2).await?;
            match rows.next(&token, page, MOST_ROWS)? {
                Some(next) => token = next,
                None => {
                    let pairs = keys.enterprise_keys.unwrap_or_default();
                    return Ok(rows.enterprise(account.enterprise_id, tree_key, pairs));
                }
            }
        }
        Err(too_large(MOST_PAGES, "pages"))
    }

    /// The private keys, opened.
    ///
    /// # Errors
    /// [`EnterpriseError::NoKeyPair`] when a pair is missing, which is never made here; [`EnterpriseError::Key`].
    pub fn keys(&self, forbids_rsa: bool) -> Result<EnterpriseKeys, EnterpriseError> {
        let open = |what, sealed: &[u8]| {
            self.tree_key
                .open(sealed)
                .map_err(|_| EnterpriseError::Key { what, why: "the tree key does not fit".to_owned() })
        };
        if self.pairs.ecc_encrypted_private_key.is_empty() {
            return Err(EnterpriseError::NoKeyPair { which: "P-256" });
        }
        let what = "the P-256 key";
        let ec = PrivateKey::from_scalar(&open(what, &self.pairs.ecc_encrypted_private_key)?)
            .map_err(|_| EnterpriseError::Key { what, why: "it is none".to_owned() })?;
        let rsa = match self.pairs.rsa_encrypted_private_key.as_slice() {
            _ if forbids_rsa => None,
            [] => return Err(EnterpriseError::NoKeyPair { which: "RSA" }),
            sealed => Some(open("the RSA key", sealed)?),
        };
        Ok(EnterpriseKeys { tree: self.tree_key.clone(), ec, rsa })
    }

    /// Finds a node by id, or by its name or [`Enterprise::path`] in any letter case. The root also answers to the name of the enterprise.
    ///
    /// # Errors
    /// [`EnterpriseError::NoNode`] and [`EnterpriseError::Ambiguous`], which list what there is.
    pub fn node(&self, wanted: &str) -> Result<&Node, EnterpriseError> {
        let wanted = wanted.trim();
        if let Ok(id) = wanted.parse::<i64>() {
            return self.nodes.iter().find(|node| node.id == id).ok_or_else(|| self.no_node(wanted));
        }
        let lower = wanted.to_lowercase();
        let named = |node: &&Node| {
            node.name.to_lowercase() == lower
                || self.path(node).to_lowercase() == lower
                || (node.parent == 0 && self.name.to_lowercase() == lower)
        };
        let hits: Vec<&Node> = self.nodes.iter().filter(named).collect();
        match hits[..] {
            [one] => Ok(one),
            [] => Err(self.no_node(wanted)),
            _ => {
                let told = |node: &&Node| format!("{} ({})", self.path(node), node.id);
                let ids = hits.iter().map(told).collect::<Vec<_>>().join(", ");
                Err(EnterpriseError::Ambiguous { wanted: wanted.to_owned(), ids })
            }
        }
    }

    /// The names from the root down to a node: `Example \\ Europe \\ Sales`.
    #[must_use]
    pub fn path(&self, node: &Node) -> String {
        /// A circle in the data ends here.
        const DEEPEST: usize = 32;
        let mut names = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next.filter(|_| names.len() < DEEPEST) {
            let root = node.parent == 0 && !self.name.is_empty();
            names.push(if root { self.name.as_str() } else { node.name.as_str() });
            next = self.nodes.iter().find(|above| above.id == node.parent && node.parent != 0);
        }
        names.reverse();
        names.join(" \\ ")
    }

    fn no_node(&self, wanted: &str) -> EnterpriseError {
        const SHOWN: usize = 20;
        let names = self.nodes.iter().take(SHOWN).map(|node| format!("{} ({})", self.path(node), node.id));
        let mut known = names.collect::<Vec<_>>().join(", ");
        if self.nodes.len() > SHOWN {
            known.push_str(&format!(" and {} more", self.nodes.len() - SHOWN));
        }
        EnterpriseError::NoNode { wanted: wanted.to_owned(), known }
    }

    /// Whether a role of the user manages the root node with everything below it; `None` where the data does not tell, because
    /// it has no user of that name. Roles that come by a team are not seen, as in the vendor's client.
    #[must_use]
    pub fn is_root_administrator(&self, user: &str) -> Option<bool> {
        self.root_administrators.get(&user.to_lowercase()).copied()
    }
}

fn key_error(what: &'static str, why: &str) -> Error {
    EnterpriseError::Key { what, why: why.to_owned() }.into()
}

fn too_large(limit: usize, unit: &'static str) -> Error {
    Error::TooLarge { what: "the data of the enterprise", limit: limit as u64, unit, write: false }
}

/// The rows of all pages that matter here.
#[derive(Default)]
struct Rows {
    name: String,
    privilege: Option<m::UserPrivilege>,
    nodes: BTreeMap<i64, m::Node>,
    services: BTreeMap<i64, m::SsoService>,
    users: BTreeMap<i64, m::User>,
    role_users: BTreeSet<(i64, i64)>,
    managed: BTreeMap<(i64, i64), bool>,
    secrets_manager: bool,
}

impl Rows {
    /// Takes the page that was asked for with this token, and gives the token of the next one, if there is one.
    fn next(&mut self, asked: &[u8], page: m::EnterpriseDataResponse, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let next = page.has_more.then(|| page.continuation_token.clone());
        if next.as_deref() == Some(asked) {
            let what = "the next page was expected, not the same again";
            return Err(Error::Reply { call: DATA, what, write: false });
        }
        self.add(page)?;
        if self.len() > most {
            return Err(too_large(most, "rows"));
        }
        Ok(next)
    }

    fn len(&self) -> usize {
        self.nodes.len() + self.services.len() + self.users.len() + self.role_users.len() + self.managed.len()
    }

    fn add(&mut self, page: m::EnterpriseDataResponse) -> Result<(), Error> {
        if page.cache_status() == CacheStatus::Clear {
            *self = Self::default();
        }
        if let Some(general) = page.general_data {
            self.name = general.enterprise_name;
            self.privilege = general.user_privilege.or(self.privilege.take());
        }
        for group in &page.data {
            for row in &group.data {
                self.row(group.entity(), group.delete, row)?;
            }
        }
        Ok(())
    }

    fn row(&mut self, entity: EnterpriseDataEntity, delete: bool, row: &[u8]) -> Result<(), Error> {
        fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, delete: bool, key: K, value: V) {
            if delete {
                map.remove(&key);
            } else {
                map.insert(key, value);
            }
        }
        match entity {
            EnterpriseDataEntity::Nodes => {
                let node: m::Node = decode(DATA, false, row)?;
                put(&mut self.nodes, delete, node.node_id, node);
            }
            EnterpriseDataEntity::SsoServices => {
                let service: m::SsoService = decode(DATA, false, row)?;
                put(&mut self.services, delete, service.sso_service_provider_id, service);
            }
            EnterpriseDataEntity::Users => {
                let user: m::User = decode(DATA, false, row)?;
                put(&mut self.users, delete, user.enterprise_user_id, user);
            }
            EnterpriseDataEntity::RoleUsers => {
                let one: m::RoleUser = decode(DATA, false, row)?;
                if delete {
                    self.role_users.remove(&(one.role_id, one.enterprise_user_id));
                } else {
                    self.role_users.insert((one.role_id, one.enterprise_user_id));
                }
            }
            EnterpriseDataEntity::ManagedNodes => {
                let one: m::ManagedNode = decode(DATA, false, row)?;
                put(&mut self.managed, delete, (one.role_id, one.managed_node_id), one.cascade_node_management);
            }
            EnterpriseDataEntity::Licenses => {
                let license: m::License = decode(DATA, false, row)?;
                let on = |add_on: &m::LicenseAddOn| {
                    add_on.name == "secrets_manager" && (add_on.enabled || add_on.included_in_product)
                };
                self.secrets_manager |=
                    !delete && (license.license_status == "business_trial" || license.add_ons.iter().any(on));
            }
            _ => {}
        }
        Ok(())
    }

    fn enterprise(self, id: i32, tree_key: Key, pairs: m::EnterpriseKeys) -> Enterprise {
        let root_administrators = self.root_administrators();
        let cloud: BTreeSet<i64> =
            self.services.values().filter(|sso| sso.active && sso.is_cloud).map(|sso| sso.node_id).collect();
        let upper = self.nodes.keys().next().and_then(|node| i32::try_from(node >> 32).ok());
        let nodes = self.nodes.into_values().map(|node| Node {
            name: node_name(&tree_key, &node.encrypted_data).unwrap_or_default(),
            id: node.node_id,
            parent: node.parent_id,
            cloud_sso: cloud.contains(&node.node_id),
        });
        Enterprise {
            nodes: nodes.collect(),
            id: upper.filter(|_| id == 0).unwrap_or(id),
            name: self.name,
            secrets_manager: self.secrets_manager,
            root_administrators,
            tree_key,
            pairs,
        }
    }

    /// By joining users, their roles and the nodes those manage. The root node has 2 in the lower half of its id.
    fn root_administrators(&self) -> BTreeMap<String, bool> {
        let is_root = |node: &i64| node & 0xffff_ffff == 2;
        let mut users: BTreeMap<String, bool> =
            self.users.values().map(|user| (user.username.to_lowercase(), false)).collect();
        for (role, user) in &self.role_users {
            let manages = self.managed.iter().any(|((by, node), cascade)| by == role && is_root(node) && *cascade);
            if let Some(user) = self.users.get(user).filter(|_| manages) {
                users.insert(user.username.to_lowercase(), true);
            }
        }
        if let Some(privilege) = &self.privilege
            && privilege.user_managed_nodes.iter().any(|node| is_root(&node.node_id) && node.cascade_node_management)
            && let Some(user) = self.users.get(&privilege.enterprise_user_id)
        {
            users.insert(user.username.to_lowercase(), true);
        }
        users
    }
}

/// `CBC(tree key, {"displayname": …})`; what stands after the last brace does not count.
fn node_name(tree_key: &Key, encrypted: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        displayname: String,
    }
    let plain = tree_key.open_cbc(&text::decode(encrypted).ok()?).ok()?;
    let end = plain.iter().rposition(|byte| *byte == b'}')?;
    serde_json::from_slice::<Named>(&plain[..=end]).ok().map(|named| named.displayname)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn enterprise(names: &[(i64, i64, &str)]) -> Enterprise {
        let nodes = names.iter().map(|(id, parent, name)| Node {
            id: *id,
            parent: *parent,
            name: (*name).to_owned(),
            cloud_sso: false,
        });
        Enterprise {
            id: 1,
            name: "Example".to_owned(),
            nodes: nodes.collect(),
            secrets_manager: true,
            root_administrators: BTreeMap::new(),
            tree_key: Key::random(),
            pairs: m::EnterpriseKeys::default(),
        }
    }

    #[test]
    fn a_node_is_found_by_id_by_name_and_the_root_by_the_enterprise() {
        let tree = enterprise(&[(2, 0, "root"), (7, 2, "Azure Cloud"), (8, 2, "Twins"), (9, 7, "twins")]);
        let found = |wanted| tree.node(wanted).map(|node| node.id).map_err(|error| error.to_string());
        assert_eq!((found("7"), found(" azure cloud "), found("EXAMPLE")), (Ok(7), Ok(7), Ok(2)));
        assert_eq!(
            found("Twins").unwrap_err(),
            "choose the node Twins, because several have that name: Example \\ Twins (8), Example \\ Azure Cloud \\ twins (9)"
        );
        assert_eq!(found("example \\ azure cloud \\ twins"), Ok(9));
        assert!(found("Nowhere").unwrap_err().contains("Azure Cloud (7)"));
        assert!(found("77").is_err());
    }

    #[test]
    fn a_name_ends_at_its_last_brace() {
        let key = Key::random();
        let sealed = text::url(&key.seal_cbc(b"{\"displayname\": \"Azure Cloud\"}\0\0"));
        assert_eq!(node_name(&key, &sealed).as_deref(), Some("Azure Cloud"));
        assert_eq!(node_name(&Key::random(), &sealed), None);
    }

    #[test]
    fn missing_keys_are_refused_and_never_made() {
        let mut tree = enterprise(&[]);
        assert_eq!(tree.keys(false).unwrap_err(), EnterpriseError::NoKeyPair { which: "P-256" });
        let key = PrivateKey::generate();
        tree.pairs.ecc_encrypted_private_key = tree.tree_key.seal(key.expose_scalar());
        assert_eq!(tree.keys(false).unwrap_err(), EnterpriseError::NoKeyPair { which: "RSA" });
        assert!(tree.keys(true).unwrap().rsa.is_none());
    }

    #[test]
    fn a_user_whom_the_data_does_not_have_is_not_judged() {
        let named =
            |id, name: &str| (id, m::User { enterprise_user_id: id, username: name.to_owned(), ..Default::default() });
        let mut rows = Rows::default();
        rows.users.extend([named(1, "Root@example.com"), named(2, "other@example.com")]);
        rows.role_users.insert((5, 1));
        rows.managed.insert((5, (8560 << 32) | 2), true);
        let tree = rows.enterprise(8560, Key::random(), m::EnterpriseKeys::default());
        let judged = |user| tree.is_root_administrator(user);
        assert_eq!((judged("root@example.com"), judged("Other@example.com")), (Some(true), Some(false)));
        assert_eq!(judged("nobody@example.com"), None);
    }

    #[test]
    fn pages_come_one_after_the_other_and_have_an_end() {
        let page = |token: &[u8], has_more, users: i64| {
            let user = |id| m::User { enterprise_user_id: id, ..Default::default() }.encode_to_vec();
            let entity = EnterpriseDataEntity::Users.into();
            let data = m::EnterpriseData { entity, delete: false, data: (0..users).map(user).collect() };
            m::EnterpriseDataResponse {
                continuation_token: token.to_vec(),
                has_more,
                data: vec![data],
                ..Default::default()
            }
        };
        let mut rows = Rows::default();
        assert_eq!(rows.next(b"", page(b"one", true, 2), 3).unwrap().as_deref(), Some(b"one".as_slice()));
        let circle = rows.next(b"one", page(b"one", true, 0), 3).unwrap_err();
        assert!(matches!(circle, Error::Reply { write: false, .. }), "{circle:?}");
        assert_eq!(rows.next(b"one", page(b"one", false, 3), 3).unwrap(), None);
        let large = rows.next(b"", page(b"two", true, 4), 3).unwrap_err();
        assert_eq!(large.to_string(), "take the data of the enterprise, because it has more than 3 rows");
    }

    #[test]
    fn a_circle_of_nodes_has_an_end() {
        let tree = enterprise(&[(3, 4, "a"), (4, 3, "b")]);
        assert!(tree.path(&tree.nodes[0]).len() < 200);
    }

    proptest::proptest! {
        /// Any rows give an enterprise or an error.
        #[test]
        fn no_row_is_a_panic(entity in 0i32..24, delete: bool, rows: Vec<Vec<u8>>, name: String, sealed: String) {
            let data = m::EnterpriseData { entity, delete, data: rows };
            let page = m::EnterpriseDataResponse { data: vec![data], ..Default::default() };
            let mut rows = Rows::default();
            if rows.add(page).is_ok() {
                let key = Key::random();
                drop(node_name(&key, &sealed));
                let tree = rows.enterprise(1, key, m::EnterpriseKeys::default());
                drop(tree.node(&name));
                drop(tree.keys(false));
            }
        }
    }
}
