//! The enterprise: its keys, its tree of nodes, its users, roles and licences.
//!
//! Names of nodes leave here encrypted, as in production; nobody but a holder of the tree key reads them.

use super::account::{Account, RsaPair};
use super::reply::{Refusal, Reply, read};
use crate::saved;
use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::enterprise as m;
use keeper_wire::messages::enterprise::{BackupKeyType, CacheStatus, EnterpriseDataEntity};
use keeper_wire::{rsa, text};
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt;

/// The one enterprise of a fake.
#[derive(Serialize, Deserialize)]
pub struct Enterprise {
    /// The upper half of every node id.
    pub id: i32,
    /// Also the name of the root node.
    pub name: String,
    /// The tree; the first one is the root.
    pub nodes: Vec<Node>,
    /// What the tree key is wrapped with when it is asked for.
    #[serde(with = "saved::number")]
    pub wrapping: BackupKeyType,
    /// Which key pairs the enterprise has.
    pub pairs: Pairs,
    /// Rows of one page of enterprise data.
    pub page: usize,
    #[serde(with = "saved::as_text")]
    pub(super) tree_key: Key,
    #[serde(with = "saved::as_text")]
    pub(super) ec: PrivateKey,
    pub(super) rsa: RsaPair,
    /// Key pairs that a client uploaded, which this product never does: kind and public key.
    pub uploaded: Vec<(i32, Vec<u8>)>,
}

/// Which of an enterprise's key pairs exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pairs {
    /// RSA and P-256.
    Both,
    /// P-256, because RSA is forbidden.
    OnlyEc,
    /// None yet.
    Missing,
}

/// A node of the tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub id: i64,
    /// 0 for the root.
    pub parent: i64,
    /// Its name.
    pub name: String,
    /// Its SSO service: `Some(true)` is SSO Connect Cloud, `Some(false)` the older one on premises.
    pub sso: Option<bool>,
}

const ROLE: i64 = 3;
const USER: i64 = 4;

impl Enterprise {
    pub(super) fn new(id: i32, name: &str) -> Self {
        let mut this = Self {
            id,
            name: name.to_owned(),
            nodes: Vec::new(),
            wrapping: BackupKeyType::ByDataKeyGcm,
            pairs: Pairs::Both,
            page: 50,
            tree_key: Key::random(),
            ec: PrivateKey::generate(),
            rsa: RsaPair::of_this_process(),
            uploaded: Vec::new(),
        };
        this.nodes.push(Node { id: this.numbered(2), parent: 0, name: name.to_owned(), sso: None });
        this
    }

    /// An id of this enterprise.
    pub(super) fn numbered(&self, low: i64) -> i64 {
        (i64::from(self.id) << 32) | low
    }

    /// Adds a node below the root and gives its id.
    pub fn add_node(&mut self, name: &str, sso: Option<bool>) -> i64 {
        let id = self.numbered(9 + i64::try_from(self.nodes.len()).unwrap_or(0));
        self.nodes.push(Node { id, parent: self.numbered(2), name: name.to_owned(), sso });
        id
    }

    pub(super) fn node(&self, id: i64) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }
}

impl fmt::Debug for Enterprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enterprise").field("id", &self.id).field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

/// Answers below `enterprise/`. `None` is for another topic.
pub(super) fn answer(
    enterprise: &mut Enterprise,
    account: &Account,
    endpoint: &str,
    payload: &[u8],
    api_version: i32,
) -> Option<Result<Reply, Refusal>> {
    if endpoint == "get_enterprise_public_key" {
        return Some(Ok(public_key(enterprise)));
    }
    if !account.rules.administrator {
        return Some(Err(Refusal::denied("restricted to Keeper Enterprise administrators")));
    }
    Some(match endpoint {
        "get_enterprise_data_keys" => keys(enterprise, account, payload),
        "get_enterprise_data_for_user" if api_version != 2 => {
            Err(Refusal::malformed("apiVersion 2 is expected; another one"))
        }
        "get_enterprise_data_for_user" => data(enterprise, account, payload),
        "set_enterprise_key_pair" => upload(enterprise, payload),
        "get_sharing_admins" | "set_reused_passwords" => Ok(Reply::Void),
        _ => return None,
    })
}

/// Every user may ask for it.
fn public_key(enterprise: &Enterprise) -> Reply {
    let has = |which: &[Pairs]| which.contains(&enterprise.pairs);
    Reply::message(&m::EnterprisePublicKeyResponse {
        enterprise_public_key: if has(&[Pairs::Both]) { enterprise.rsa.public.clone() } else { Vec::new() },
        enterprise_ecc_public_key: match has(&[Pairs::Missing]) {
            true => Vec::new(),
            false => enterprise.ec.public().as_bytes().to_vec(),
        },
    })
}

fn keys(enterprise: &Enterprise, account: &Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let _: m::GetEnterpriseDataKeysRequest = read(payload)?;
    let tree = enterprise.tree_key.expose();
    let wrapped = match enterprise.wrapping {
        BackupKeyType::NoKey => Vec::new(),
        BackupKeyType::ByDataKey => account.data_key.seal_cbc(tree),
        BackupKeyType::ByPublicKey => rsa::seal(&account.rsa.public, tree).expect("32 bytes fit into an RSA key"),
        BackupKeyType::ByDataKeyGcm => account.data_key.seal(tree),
        BackupKeyType::ByPublicKeyEcc => account.ec.public().seal(tree),
    };
    let mut pairs = m::EnterpriseKeys::default();
    if enterprise.pairs != Pairs::Missing {
        pairs.ecc_public_key = enterprise.ec.public().as_bytes().to_vec();
        pairs.ecc_encrypted_private_key = enterprise.tree_key.seal(enterprise.ec.expose_scalar());
    }
    if enterprise.pairs == Pairs::Both {
        pairs.rsa_public_key = enterprise.rsa.public.clone();
        pairs.rsa_encrypted_private_key = enterprise.tree_key.seal(&enterprise.rsa.private);
    }
    Ok(Reply::message(&m::GetEnterpriseDataKeysResponse {
        enterprise_keys: Some(pairs),
        tree_key: Some(m::TreeKey { tree_key: text::url(&wrapped), key_type_id: enterprise.wrapping.into() }),
    }))
}

/// `EnterpriseKeyPairRequest`: kept as bytes, so that a test can prove that nobody sent one.
fn upload(enterprise: &mut Enterprise, payload: &[u8]) -> Result<Reply, Refusal> {
    #[derive(Clone, PartialEq, prost::Message)]
    #[prost(skip_debug)]
    struct Pair {
        #[prost(bytes = "vec", tag = "1")]
        public: Vec<u8>,
        #[prost(int32, tag = "3")]
        kind: i32,
    }
    impl fmt::Debug for Pair {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Pair").finish_non_exhaustive()
        }
    }
    let pair: Pair = read(payload)?;
    enterprise.uploaded.truncate(8);
    enterprise.uploaded.push((pair.kind, pair.public));
    Ok(Reply::Void)
}

/// One page. The token is the number of rows that went out before.
fn data(enterprise: &Enterprise, account: &Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::EnterpriseDataRequest = read(payload)?;
    let before = match request.continuation_token.as_slice() {
        [] => 0,
        token => std::str::from_utf8(token)
            .ok()
            .and_then(|text| text.parse::<usize>().ok())
            .ok_or_else(|| Refusal::malformed("the token"))?,
    };
    let rows = rows(enterprise, account);
    let (from, to) = (before.min(rows.len()), before.saturating_add(enterprise.page.max(1)).min(rows.len()));
    let mut groups: Vec<m::EnterpriseData> = Vec::new();
    for (entity, bytes) in &rows[from..to] {
        match groups.last_mut().filter(|group| group.entity == i32::from(*entity)) {
            Some(group) => group.data.push(bytes.clone()),
            None => {
                groups.push(m::EnterpriseData { entity: (*entity).into(), delete: false, data: vec![bytes.clone()] });
            }
        }
    }
    let (managed, cascade) = managed(enterprise, account);
    let privileges = m::UserPrivilege {
        user_managed_nodes: vec![m::UserManagedNode {
            node_id: managed,
            cascade_node_management: cascade,
            privileges: PRIVILEGES.map(str::to_owned).to_vec(),
        }],
        enterprise_user_id: enterprise.numbered(USER),
    };
    let general = m::GeneralDataEntity {
        enterprise_name: enterprise.name.clone(),
        user_privilege: account.rules.told_privileges.then_some(privileges),
        ..Default::default()
    };
    Ok(Reply::message(&m::EnterpriseDataResponse {
        continuation_token: to.to_string().into_bytes(),
        has_more: to < rows.len(),
        cache_status: if before == 0 { CacheStatus::Clear } else { CacheStatus::Keep }.into(),
        data: groups,
        general_data: Some(general),
    }))
}

const PRIVILEGES: [&str; 4] = ["MANAGE_NODES", "MANAGE_USER", "MANAGE_BRIDGE", "APPROVE_DEVICE"];

/// The node that the user's role manages, and whether what is below it too.
fn managed(enterprise: &Enterprise, account: &Account) -> (i64, bool) {
    let root = enterprise.nodes[0].id;
    match account.rules.root_administrator {
        true => (root, true),
        false => (enterprise.nodes.last().map_or(root, |node| node.id), false),
    }
}

fn rows(enterprise: &Enterprise, account: &Account) -> Vec<(EnterpriseDataEntity, Vec<u8>)> {
    let named =
        |name: &str| text::url(&enterprise.tree_key.seal_cbc(json!({ "displayname": name }).to_string().as_bytes()));
    let root = enterprise.nodes[0].id;
    let mut rows = Vec::new();
    let mut services = Vec::new();
    for node in &enterprise.nodes {
        let service = node.sso.map(|_| node.id + 1000);
        let row = m::Node {
            node_id: node.id,
            parent_id: node.parent,
            // That the root has a name of its own is a guess; it answers to that of the enterprise.
            encrypted_data: named(if node.parent == 0 { "root" } else { &node.name }),
            sso_service_provider_ids: service.into_iter().collect(),
            ..Default::default()
        };
        rows.push((EnterpriseDataEntity::Nodes, row.encode_to_vec()));
        services.extend(node.sso.map(|cloud| m::SsoService {
            sso_service_provider_id: node.id + 1000,
            node_id: node.id,
            name: format!("{} SSO", node.name),
            sp_url: format!("https://sso.example.com/{}", node.id & 0xffff_ffff),
            active: true,
            is_cloud: cloud,
            ..Default::default()
        }));
    }
    let (role, user) = (enterprise.numbered(ROLE), enterprise.numbered(USER));
    let person = m::User {
        enterprise_user_id: user,
        node_id: root,
        encrypted_data: named("Administrator"),
        key_type: "encrypted_by_data_key".to_owned(),
        username: account.username.clone(),
        status: "active".to_owned(),
        ..Default::default()
    };
    rows.push((EnterpriseDataEntity::Users, person.encode_to_vec()));
    let kept = m::Role {
        key_type: "encrypted_by_data_key".to_owned(),
        role_id: role,
        node_id: root,
        encrypted_data: named("Keeper Administrator"),
        visible_below: true,
        ..Default::default()
    };
    rows.push((EnterpriseDataEntity::Roles, kept.encode_to_vec()));
    rows.push((
        EnterpriseDataEntity::RoleUsers,
        m::RoleUser { role_id: role, enterprise_user_id: user }.encode_to_vec(),
    ));
    let (managed, cascade) = managed(enterprise, account);
    let manages = m::ManagedNode { role_id: role, managed_node_id: managed, cascade_node_management: cascade };
    rows.push((EnterpriseDataEntity::ManagedNodes, manages.encode_to_vec()));
    for privilege in PRIVILEGES {
        let row = m::RolePrivilege { managed_node_id: managed, role_id: role, privilege_type: privilege.to_owned() };
        rows.push((EnterpriseDataEntity::RolePrivileges, row.encode_to_vec()));
    }
    rows.extend(services.iter().map(|service| (EnterpriseDataEntity::SsoServices, service.encode_to_vec())));
    let add_on = m::LicenseAddOn {
        name: "secrets_manager".to_owned(),
        enabled: account.rules.secrets_manager,
        ..Default::default()
    };
    let licence = m::License {
        paid: true,
        number_of_seats: 10,
        name: "Enterprise".to_owned(),
        add_ons: vec![add_on],
        ..Default::default()
    };
    rows.push((EnterpriseDataEntity::Licenses, licence.encode_to_vec()));
    rows
}
