//! `keeper nodes`: the enterprise's tree.

use std::collections::BTreeMap;

use automator_admin::enterprise::{Enterprise, Node};
use clap::Args;

use super::documents::{self, KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use super::print::table;
use super::sign_in::Account;
use crate::catalogue::Lang;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    account: Account,
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.account.place
    }
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let session = options.account.sign_in(host, lang).await?;
    let enterprise = session.enterprise().await.map_err(|error| fail::administrator(error, "A14"))?;
    let mut rows = vec![["id", "SSO", "node"].map(str::to_owned).to_vec()];
    rows.extend(in_order(&enterprise.nodes).into_iter().map(|(depth, node)| row(&enterprise, depth, node)));
    let nodes = enterprise.nodes.iter().map(|node| documents::Node {
        id: node.id,
        parent: node.parent,
        name: node.name.clone(),
        path: enterprise.path(node),
        cloud_sso: node.cloud_sso,
    });
    let document = KeeperDocument::Nodes {
        schema: SCHEMA,
        enterprise: documents::Enterprise { id: enterprise.id, name: enterprise.name.clone() },
        nodes: nodes.collect(),
    };
    Ok(options.place().print(host, &table(&rows), &document))
}

fn row(enterprise: &Enterprise, depth: usize, node: &Node) -> Vec<String> {
    let name = match (node.parent, node.name.as_str()) {
        (0, _) if !enterprise.name.is_empty() => enterprise.name.as_str(),
        (_, "") => "(no name that can be read)",
        (_, name) => name,
    };
    let sso = if node.cloud_sso { "SSO" } else { "-" };
    vec![node.id.to_string(), sso.to_owned(), format!("{}{name}", "  ".repeat(depth))]
}

/// Each node below the one above it, with its depth. Nodes whose parent is not there, or in a circle, come last.
fn in_order(nodes: &[Node]) -> Vec<(usize, &Node)> {
    let mut below: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate().rev() {
        below.entry(node.parent).or_default().push(index);
    }
    let mut ordered = Vec::with_capacity(nodes.len());
    let mut seen = vec![false; nodes.len()];
    let roots = below.get(&0).into_iter().flatten().map(|index| (0, *index));
    let mut open: Vec<(usize, usize)> = roots.collect();
    while let Some((depth, index)) = open.pop() {
        if !std::mem::replace(&mut seen[index], true) {
            ordered.push((depth, &nodes[index]));
            open.extend(below.get(&nodes[index].id).into_iter().flatten().map(|index| (depth + 1, *index)));
        }
    }
    ordered.extend(nodes.iter().zip(seen).filter(|(_, seen)| !seen).map(|(node, _)| (0, node)));
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_is_shown_once_whatever_the_parents_say() {
        let node = |id, parent| Node { id, parent, name: String::new(), cloud_sso: false };
        let nodes = [node(3, 2), node(1, 0), node(2, 1), node(4, 1), node(7, 8), node(8, 7), node(9, 9), node(5, 99)];
        let shown: Vec<_> = in_order(&nodes).into_iter().map(|(depth, node)| (depth, node.id)).collect();
        assert_eq!(shown, [(0, 1), (1, 2), (2, 3), (1, 4), (0, 7), (0, 8), (0, 9), (0, 5)]);
        let twins = [node(1, 0), node(2, 1), node(1, 2)];
        assert_eq!(in_order(&twins).len(), 3);
    }
}
