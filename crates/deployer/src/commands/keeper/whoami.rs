//! `keeper whoami`: the account, and what stands in the way of a deployment (A14).

use automator_admin::account::Severity;
use clap::Args;

use super::documents::{self, KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use super::print::{table, yes};
use super::sign_in::Account;
use crate::catalogue::Lang;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::printable;

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
    let failed = |error: automator_admin::Error| fail::administrator(error, "A14");
    let who = session.whoami().await.map_err(failed)?;
    let findings = session.preflight().await.map_err(failed)?;
    let rows = [
        ("user", who.user.clone()),
        ("host", who.host.clone()),
        ("account", who.account_uid.clone()),
        ("administrator", yes(who.administrator)),
        ("enterprise", if who.enterprise_id == 0 { "none".to_owned() } else { who.enterprise_id.to_string() }),
        ("stays signed in", yes(who.persistent_login)),
        ("forbids RSA", yes(who.forbids_rsa)),
        ("Secrets Manager", yes(who.secrets_manager)),
    ];
    let mut text = table(&rows.map(|(name, value)| vec![name.to_owned(), value]));
    for finding in &findings {
        let severity = match finding.severity {
            Severity::Blocks => "blocks",
            Severity::Warns => "warns",
        };
        text.push_str(&format!("{severity}  [{}] {}\n", finding.code, printable(&finding.text)));
    }
    let findings = findings.into_iter().map(|finding| documents::Finding {
        severity: match finding.severity {
            Severity::Blocks => documents::Severity::Blocks,
            Severity::Warns => documents::Severity::Warns,
        },
        code: finding.code.to_owned(),
        text: finding.text,
    });
    let account = documents::Account {
        user: who.user,
        host: who.host,
        account_uid: who.account_uid,
        administrator: who.administrator,
        enterprise_id: who.enterprise_id,
        persistent_login: who.persistent_login,
        forbids_rsa: who.forbids_rsa,
        secrets_manager: who.secrets_manager,
    };
    let document = KeeperDocument::WhoAmI { schema: SCHEMA, account, findings: findings.collect() };
    Ok(options.place().print(host, &text, &document))
}
