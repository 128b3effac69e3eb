//! A private key with its certificate and the chain above it.

use std::fmt;

use secrecy::SecretString;
use serde::Serialize;

use crate::certificate::Certificate;
use crate::error::{PemError, PfxError, Unfit};
use crate::key::PrivateKey;
use crate::pfx::{PfxFacts, Read};
use crate::{chain, pem, pfx};

/// The most certificates one bundle may hold.
pub const MAX_CERTIFICATES: usize = 200;
pub(crate) const TOO_MANY: &str = "200 certificates";

/// A private key, the certificate that carries its public half, and the intermediates above it in issuing order.
///
/// Whatever order a file had, a bundle is sorted: the leaf is found by its public key, the chain by signatures. What has
/// no place in it is kept aside and reported by [`judge`](Self::judge). `Debug` prints no secret.
#[derive(Clone)]
pub struct Bundle {
    pub(crate) key: PrivateKey,
    pub(crate) leaf: Certificate,
    pub(crate) chain: Vec<Certificate>,
    pub(crate) root: Option<Certificate>,
    pub(crate) alternatives: Vec<Certificate>,
    pub(crate) unrelated: Vec<Certificate>,
    pub(crate) source: Source,
}

/// What a bundle was read from, for [`Bundle::judge`] and for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Source {
    /// What the PKCS#12 file was made with; `None` when the bundle did not come from one.
    pub pfx: Option<PfxFacts>,
    /// The friendly name of the key or of the leaf.
    pub friendly_name: Option<String>,
    /// Whether the leaf was the first certificate. Programs that take the first one as the body depend on it.
    pub leaf_first: bool,
    /// Whether the chain was in issuing order.
    pub chain_in_order: bool,
    /// How many certificates carry the public half of the key; more than one is a tie that was broken.
    pub leaves: usize,
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("key", &self.key)
            .field("leaf", &self.leaf)
            .field("chain", &self.chain)
            .field("root", &self.root)
            .field("alternatives", &self.alternatives)
            .field("unrelated", &self.unrelated)
            .field("source", &self.source)
            .finish()
    }
}

/// A certificate with the local key id it came with.
pub(crate) struct Loose {
    pub(crate) certificate: Certificate,
    pub(crate) key_id: Option<Vec<u8>>,
}

impl Bundle {
    /// Reads PKCS#12 (RFC 7292), in DER or BER, of any of the usual producers.
    ///
    /// The password is used as UTF-16 for the schemes of PKCS#12 and as UTF-8 for those of PKCS#5; an empty password is
    /// tried as empty and as absent. Without a MAC the file is read all the same, and [`judge`](Self::judge) reports it.
    ///
    /// # Errors
    ///
    /// Each way to fail is a variant of its own, see [`PfxError`]. A wrong password is told by the MAC, which is checked
    /// first, so an algorithm that is missing here is never mistaken for a wrong password.
    pub fn from_pfx(pfx: &[u8], password: &SecretString) -> Result<Self, PfxError> {
        let Read { keys, certificates, facts, friendly_name, key_ids } = pfx::read(pfx, password)?;
        let mut bundle = Self::assemble(keys, &key_ids, certificates)?;
        bundle.source.pfx = Some(facts);
        bundle.source.friendly_name = friendly_name;
        Ok(bundle)
    }

    /// Reads PEM text (RFC 7468) with one key and certificates in any order.
    ///
    /// Keys may be PKCS#8 (RFC 5958), encrypted PKCS#8, PKCS#1 (RFC 8017) or SEC 1 (RFC 5915). Text around the blocks,
    /// bag attributes and CRLF line ends are skipped, and so are blocks of other kinds, such as requests.
    ///
    /// # Errors
    ///
    /// See [`PemError`]; `password` is only needed when the key is encrypted.
    pub fn from_pem(text: &[u8], password: Option<&SecretString>) -> Result<Self, PemError> {
        let (keys, certificates) = pem::read(text, password)?;
        let certificates = certificates.into_iter().map(|certificate| Loose { certificate, key_id: None }).collect();
        Ok(Self::assemble(keys, &[], certificates)?)
    }

    /// Puts a key and certificates in any order together, for example what an authority answered to a request.
    ///
    /// # Errors
    ///
    /// [`PemError::KeyDoesNotMatch`] when no certificate is the key's, [`PemError::TooLarge`] beyond
    /// [`MAX_CERTIFICATES`].
    pub fn new(key: PrivateKey, certificates: Vec<Certificate>) -> Result<Self, PemError> {
        let certificates = certificates.into_iter().map(|certificate| Loose { certificate, key_id: None }).collect();
        Ok(Self::assemble(vec![key], &[], certificates)?)
    }

    fn assemble(mut keys: Vec<PrivateKey>, key_ids: &[Vec<u8>], mut loose: Vec<Loose>) -> Result<Self, Unfit> {
        // The same key twice is one key.
        let mut seen: Vec<Vec<u8>> = Vec::new();
        keys.retain(|key| {
            let new = !seen.iter().any(|public| public == key.public());
            if new {
                seen.push(key.public().to_vec());
            }
            new
        });
        let count = keys.len();
        let key = keys.pop().ok_or(Unfit::NoKey)?;
        if count > 1 {
            return Err(Unfit::SeveralKeys(count));
        }
        if loose.len() > MAX_CERTIFICATES {
            return Err(Unfit::TooMany);
        }
        let matching = |loose: &Loose| loose.certificate.certifies(key.algorithm(), key.public());
        let ties = loose.iter().filter(|loose| matching(loose)).map(|loose| loose.certificate.der().to_vec());
        let leaves = ties.collect::<std::collections::BTreeSet<_>>().len();
        let linked = |loose: &Loose| loose.key_id.as_ref().is_some_and(|id| key_ids.contains(id));
        let best = loose
            .iter()
            .enumerate()
            .filter(|(_, loose)| matching(loose))
            // Ties: the key's own id, then what is not a CA, then what stays valid longest, then the first.
            .max_by_key(|(at, loose)| {
                let certificate = &loose.certificate;
                (linked(loose), !certificate.is_ca(), certificate.not_after(), std::cmp::Reverse(*at))
            })
            .map(|(at, _)| at)
            .ok_or(Unfit::NoMatch(loose.len()))?;
        let leaf = loose.remove(best).certificate;
        let mut pile: Vec<Certificate> = Vec::with_capacity(loose.len());
        for Loose { certificate, .. } in loose {
            if certificate != leaf && !pile.contains(&certificate) {
                pile.push(certificate);
            }
        }
        let sorted = chain::sort(&leaf, pile);
        let source = Source { leaf_first: best == 0, chain_in_order: sorted.in_order, leaves, ..Source::default() };
        Ok(Self {
            key,
            leaf,
            chain: sorted.chain,
            root: sorted.root,
            alternatives: sorted.alternatives,
            unrelated: sorted.unrelated,
            source,
        })
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The certificate of the key.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The intermediates, each directly certifying the one before it; without the leaf and without a self-signed root.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The self-signed end of the chain, when the file had it. It is never sent to anyone.
    pub fn root(&self) -> Option<&Certificate> {
        self.root.as_ref()
    }

    /// Certificates on another way up, as cross-signed authorities have.
    pub fn alternatives(&self) -> &[Certificate] {
        &self.alternatives
    }

    /// Certificates that have nothing to do with the leaf.
    pub fn unrelated(&self) -> &[Certificate] {
        &self.unrelated
    }

    /// What the bundle was read from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}
