//! Which authority, and the account with it.

use std::path::{Path, PathBuf};

use certs::PrivateKey;
use certs::acme::{Acme, Applicant, Directory, ExternalAccount};
use certs::make::KeyType;
use clap::Args;
use secrecy::ExposeSecret;

use super::super::open::{given, read};
use super::refusal;
use crate::commands::store::Pending;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

#[derive(Args)]
pub(super) struct Authority {
    /// The address of the authority's ACME directory.
    #[arg(long, value_name = "URL", default_value = LETS_ENCRYPT)]
    directory: String,
    /// Take Let's Encrypt's authority for trials: nobody trusts its certificates, and its limits are wide.
    #[arg(long, conflicts_with = "directory")]
    staging: bool,
    /// Trust the root certificate in this PEM file, and no other, to be the authority's: for a private one.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Keep the key of the ACME account here; made if it is not there. Whoever has it can act for the account.
    #[arg(long, value_name = "FILE")]
    account: PathBuf,
    /// Where the authority may write to, told when the account is made.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Agree to the authority's terms of service. Without it the command says where they are.
    #[arg(long)]
    agree_to_terms: bool,
    /// The key id that the authority gave to a customer, to bind the account to.
    #[arg(long, value_name = "ID")]
    eab_key_id: Option<String>,
    /// Read the customer's HMAC key, in base64url, from this file.
    #[arg(long, value_name = "FILE", requires = "eab_key_id", conflicts_with = "eab_hmac_env")]
    eab_hmac_file: Option<PathBuf>,
    /// Take the customer's HMAC key from the environment variable of this name.
    #[arg(long, value_name = "NAME", requires = "eab_key_id")]
    eab_hmac_env: Option<String>,
}

impl Authority {
    pub(super) fn inputs(&self) -> Vec<&Path> {
        [&self.ca_file, &self.eab_hmac_file].into_iter().filter_map(Option::as_deref).collect()
    }

    pub(super) fn account_file(&self) -> &Path {
        &self.account
    }

    fn directory(&self) -> Directory {
        let url = if self.staging { LETS_ENCRYPT_STAGING } else { &self.directory };
        Directory { url: url.to_owned(), root: self.ca_file.clone() }
    }

    /// Nobody agrees by accident: without the flag the terms are named, and nothing is done.
    pub(super) async fn agreed(&self) -> Result<(), Refusal> {
        if self.agree_to_terms {
            return Ok(());
        }
        let directory = self.directory();
        let terms = directory.terms().await.map_err(|error| refusal(&error).exit(ExitCode::Refused))?;
        let message = format!("use `{}` without agreeing to its terms of service", directory.url);
        let refusal = Refusal::new("acme-terms", "K1", message).expected("--agree-to-terms");
        let refusal = refusal.because(match terms {
            Some(url) => format!("they are at {url}"),
            None => "it does not say where they are".to_owned(),
        });
        Err(refusal.exit(ExitCode::Usage).hint("read them, then say --agree-to-terms"))
    }

    pub(super) fn customer(&self, host: &Host) -> Result<Option<ExternalAccount>, Refusal> {
        let Some(id) = &self.eab_key_id else { return Ok(None) };
        let flags = ["--eab-hmac-file", "--eab-hmac-env"];
        let key = given(host, self.eab_hmac_file.as_deref(), self.eab_hmac_env.as_deref(), flags)?;
        let Some(key) = key else {
            let refusal = Refusal::new("acme-customer-key", "K1", "bind the account to a customer without an HMAC key");
            let refusal = refusal.expected("--eab-hmac-file or --eab-hmac-env beside --eab-key-id");
            return Err(refusal.exit(ExitCode::Usage).hint("name the place of the HMAC key that came with the key id"));
        };
        let customer = ExternalAccount::from_base64url(id.as_str(), &key);
        customer.map(Some).map_err(|error| refusal(&error).exit(ExitCode::Usage))
    }

    /// The account's key, from its file or new. It is on disk before anybody is told of it.
    pub(super) fn account_key(&self) -> Result<PrivateKey, Refusal> {
        let path = self.account.display();
        if !self.account.exists() {
            let key = PrivateKey::generate(KeyType::P256).map_err(|error| {
                let refusal = Refusal::new(error.code(), "K1", format!("make the account key `{path}`"));
                refusal.because(error.to_string()).hint(error.hint())
            })?;
            Pending::write(&self.account, key.to_pem().expose_secret().as_bytes())?.keep()?;
            return Ok(key);
        }
        let wrong = |cause: String| {
            let refusal = Refusal::new("acme-account-key", "K1", format!("read the account key `{path}`"));
            let refusal = refusal.expected("a PEM file with one ECDSA P-256 key, as this command writes it");
            refusal
                .because(cause)
                .hint("name the file of the account, or one that does not exist to make a new account")
        };
        let bytes = read(&self.account).map_err(|error| wrong(error.to_string()))?;
        PrivateKey::from_pem(&bytes).map_err(|error| wrong(error.to_string()))
    }

    pub(super) async fn open(&self, key: &PrivateKey, customer: Option<&ExternalAccount>) -> Result<Acme, Refusal> {
        let address = self.email.as_ref().map(|address| format!("mailto:{}", address.trim_start_matches("mailto:")));
        let contact: Vec<&str> = address.iter().map(String::as_str).collect();
        let applicant = Applicant { contact: &contact, customer };
        Acme::open(&self.directory(), key, &applicant).await.map_err(|error| refusal(&error))
    }
}
