//! `keeper login`: the one sign-in that needs a person (A14).

use std::fmt::Write as _;

use automator_admin::Error;
use automator_admin::config::{Config as Commander, ConfigFile, ConfigStore};
use automator_admin::login::{Prompter, Question};
use clap::Args;
use keeper_wire::Host as Server;
use secrecy::SecretString;

use super::documents::{KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use super::sign_in::{Account, Means};
use crate::catalogue::Lang;
use crate::exit_codes::ExitCode;
use crate::guide::Ask;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::printable;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    account: Account,
    /// The account's e-mail address. A file that is there already names it.
    #[arg(long, value_name = "E-MAIL")]
    user: Option<String>,
    /// The region, host or host:port of Keeper. Without it that of the config.
    #[arg(long, value_name = "HOST")]
    server: Option<Server>,
    /// Let runs resume as long as none of two lies further apart than this many days.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=30))]
    idle_days: u32,
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.account.place
    }

    /// The file, which begins with account and server where there is none yet.
    fn file(&self, means: &Means) -> Result<ConfigFile, Refusal> {
        let file = ConfigFile::at(&means.file);
        let known = file.load().map_err(|error| fail::administrator(error, "A14"))?;
        let wrong = |what: &str, hint: &str| {
            let refusal = Refusal::new("keeper-login-options", "A14", format!("sign in: {what}"));
            refusal.exit(ExitCode::Usage).hint(hint)
        };
        let path = means.file.display();
        let user = self.user.as_deref().map(|user| user.trim().to_lowercase());
        let config = means.config.as_ref().map(|config| &config.keeper);
        let region = || config.and_then(|keeper| keeper.region.cloud().host.parse().ok());
        let server = || config.and_then(|keeper| keeper.endpoint.host.clone()).or_else(region);
        if known.user().is_empty() && known.server().is_none() {
            let Some(user) = user else { return Err(wrong("whose account is not said", "give --user")) };
            let Some(server) = self.server.clone().or_else(server) else {
                return Err(wrong("which Keeper is not said", "give --server, such as EU"));
            };
            return Ok(ConfigFile::seeded(&means.file, Commander::new(server, &user)));
        }
        let other = "give --login another path: one file belongs to one account";
        if user.is_some_and(|user| !known.user().is_empty() && user != known.user()) {
            return Err(wrong(&format!("`{path}` is of another account"), other));
        }
        if self.server.as_ref().is_some_and(|server| known.server().is_some_and(|known| known != server)) {
            return Err(wrong(&format!("`{path}` is of another server"), other));
        }
        Ok(file)
    }
}

/// Asks whoever sits at the terminal. Nothing that is typed is shown.
struct Terminal(Host);

impl Prompter for Terminal {
    fn answer(&self, question: &Question) -> Option<SecretString> {
        self.0.prompt(&printable(&question.to_string())).ok()
    }
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let person = host.interactive.then(|| Terminal(host.clone()));
    with(host, lang, options, person).await
}

async fn with(host: &Host, lang: Lang, options: &Options, person: Option<impl Prompter>) -> Result<ExitCode, Refusal> {
    let means = options.account.means(host, lang)?;
    let mut login = options.account.begin(host, &means, options.file(&means)?)?;
    if let Some(user) = &options.user {
        login = login.user(user);
    }
    if let Some(person) = person {
        login = login.prompter(person);
    }
    let failed = |error| fail::administrator(error, "A14");
    let session = login.sign_in().await.map_err(failed)?;
    let forbidden = match session.stay_signed_in(options.idle_days * 24 * 60).await {
        Ok(()) => None,
        Err(Error::Refused(refusal)) => Some(refusal.to_string()),
        Err(error) => return Err(failed(error)),
    };
    let path = means.file.display().to_string();
    let mut text = format!("signed in as {} at {}\nwrote `{path}`\n", printable(session.user()), session.host());
    if let Some(why) = &forbidden {
        let _ = writeln!(text, "runs cannot resume, so each needs the password: failed to {}", printable(why));
    }
    let document = KeeperDocument::Login {
        schema: SCHEMA,
        user: session.user().to_owned(),
        host: session.host().to_string(),
        out: path,
        stays_signed_in: forbidden.is_none(),
        why_not: forbidden,
    };
    Ok(options.place().print(host, &text, &document))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use clap::Parser;
    use keeper_fake::{Fake, Scheme, World};

    use super::super::testing::quiet;
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    /// Reads the newest code from the fake's mail, and knows the password.
    struct Mailbox(Arc<Fake>, Arc<Mutex<Vec<String>>>);

    impl Prompter for Mailbox {
        fn answer(&self, question: &Question) -> Option<SecretString> {
            self.1.lock().unwrap_or_else(PoisonError::into_inner).push(question.to_string());
            let account = &self.0.world().admin.account;
            match question {
                Question::DeviceCode { .. } => account.mail.last().cloned().map(SecretString::from),
                Question::Password { .. } => Some(account.expose_password().to_owned().into()),
                _ => None,
            }
        }
    }

    #[tokio::test]
    async fn a_person_signs_in_once_and_later_runs_need_nobody() {
        let fake = Arc::new(Fake::start(World::new(), Scheme::Https).await.unwrap());
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("ca.pem"), fake.ca_pem().unwrap()).unwrap();
        let mut line =
            vec!["x".to_owned(), "--login".to_owned(), at("login.json"), "--ca-file".to_owned(), at("ca.pem")];
        for (id, key) in fake.world().server_keys().texts() {
            line.push(format!("--server-key={id}={key}"));
        }
        let later = Line::parse_from(&line).options;
        line.extend(
            ["--user", "Administrator@example.com", "--server", &fake.address().to_string()].map(str::to_owned),
        );
        let first = Line::parse_from(&line).options;

        let host = quiet();
        let nobody = || None::<Mailbox>;
        let refused = with(&host, Lang::En, &first, nobody()).await.unwrap_err();
        assert_eq!(refused.failures[0].code, "keeper-login-no-device");
        let refused = with(&host, Lang::En, &later, nobody()).await.unwrap_err();
        assert_eq!((refused.failures[0].code.as_str(), refused.exit), ("keeper-login-options", ExitCode::Usage));

        let asked = Arc::new(Mutex::new(Vec::new()));
        let person = Mailbox(fake.clone(), asked.clone());
        assert_eq!(with(&host, Lang::En, &first, Some(person)).await.unwrap(), ExitCode::Done);
        let asked = asked.lock().unwrap().join("; ");
        assert!(asked.starts_with("code that Keeper sent to") && asked.contains("; master password"), "{asked}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(at("login.json")).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(with(&host, Lang::En, &later, nobody()).await.unwrap(), ExitCode::Done);

        // One file belongs to one account and server.
        for other in [["--user", "other@example.com"], ["--server", "EU"]] {
            let line = line.iter().take(line.len() - 4).cloned().chain(other.map(str::to_owned));
            let refused = with(&host, Lang::En, &Line::parse_from(line).options, nobody()).await.unwrap_err();
            assert_eq!(refused.failures[0].code, "keeper-login-options", "{other:?}");
        }
    }
}
