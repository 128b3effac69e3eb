//! As an administrator: with the configuration that `keeper login` or Keeper Commander wrote.

use std::path::PathBuf;

use automator_admin::config::ConfigFile;
use automator_admin::login::SecondFactor;
use automator_admin::{Login, Session};
use clap::Args;
use secrecy::SecretString;

use super::device::variable;
use super::fail;
use super::place::Place;
use crate::catalogue::Lang;
use crate::config::{Config, KeeperHalf, SecretRef, SecretSource};
use crate::exit_codes::ExitCode;
use crate::guide::material::resolve;
use crate::host::Host;
use crate::refusal::Refusal;

/// Who signs in.
#[derive(Args)]
pub(super) struct Account {
    #[command(flatten)]
    pub(super) place: Place,
    /// The configuration file of the sign-in, rewritten at each. Without it `config` of `[keeper.login]`.
    #[arg(long, value_name = "FILE")]
    pub(super) login: Option<PathBuf>,
    /// Read the master password from this file.
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// Take the master password from the environment variable of this name. It is needed only where a run may not resume.
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
}

/// What a sign-in begins with.
pub(super) struct Means {
    pub(super) config: Option<Config>,
    pub(super) file: PathBuf,
    password: Option<SecretString>,
    totp: Option<SecretString>,
}

impl Account {
    /// Where the sign-in is kept, and what the command line and the config say for it.
    pub(super) fn means(&self, host: &Host, lang: Lang) -> Result<Means, Refusal> {
        let config = self.place.config(host, lang, self.login.is_some(), "--login")?;
        let (mut file, mut password, mut totp) = (None, None, None);
        if let Some(KeeperHalf::Login { config, password: p, totp: t, .. }) =
            config.as_ref().map(|config| &config.keeper.half)
        {
            (file, password, totp) = (Some(config.clone()), p.clone(), t.clone());
        }
        let Some(file) = self.login.clone().or(file) else {
            let refusal = Refusal::new("keeper-no-login", "A14", "sign in to Keeper: the config has no [keeper.login]");
            let hint = "give --login, the file that `keeper-automator keeper login` or Keeper Commander wrote";
            return Err(refusal.exit(ExitCode::Usage).hint(hint));
        };
        let given = match (&self.password_env, &self.password_file) {
            (Some(name), _) => Some(variable(host, "--password-env", name, "A14")?),
            (None, Some(path)) => {
                let source = SecretSource::File(path.clone());
                Some(resolve(&SecretRef { field: "--password-file", source }, host, "A14")?)
            }
            (None, None) => password.map(|secret| resolve(&secret, host, "A14")).transpose()?,
        };
        let totp = totp.map(|secret| resolve(&secret, host, "A14")).transpose()?;
        Ok(Means { config, file, password: given, totp })
    }

    /// A sign-in with all of that.
    pub(super) fn begin(&self, host: &Host, means: &Means, file: ConfigFile) -> Result<Login, Refusal> {
        let endpoint = self.place.endpoint(means.config.as_ref());
        let mut login = Login::new(file).options(crate::keeper::administrator(&endpoint, self.place.tell(host))?);
        if let Some(password) = &means.password {
            login = login.password(password.clone());
        }
        if let Some(totp) = &means.totp {
            login = login.second_factor(SecondFactor::Secret(totp.clone()));
        }
        Ok(login)
    }

    /// The signed-in administrator.
    pub(super) async fn sign_in(&self, host: &Host, lang: Lang) -> Result<Session, Refusal> {
        let means = self.means(host, lang)?;
        self.open(host, &means).await
    }

    /// The same, for those who want the config too.
    pub(super) async fn open(&self, host: &Host, means: &Means) -> Result<Session, Refusal> {
        if !means.file.exists() {
            let path = means.file.display();
            let refusal = Refusal::new("keeper-no-login", "A14", format!("sign in to Keeper: there is no `{path}`"));
            let hint = "run `keeper-automator keeper login` once, on a terminal";
            return Err(refusal.exit(ExitCode::Usage).hint(hint));
        }
        let login = self.begin(host, means, ConfigFile::at(&means.file))?;
        login.sign_in().await.map_err(|error| fail::administrator(error, "A14"))
    }
}
