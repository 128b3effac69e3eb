//! An imported certificate (A9, C04). ACM never renews one: a new certificate is re-imported under the same ARN, and
//! listeners show it without being touched.
//!
//! AWS refuses tags on a re-import and keeps the old ones; emulators forget them. So the tags, the digest among them, are
//! written after each re-import, and what the certificate is is read from the certificate itself: the digest in the tag may be
//! older than it.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_acm::config::Builder;
use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::{CertificateSummary, CertificateType, Filters, KeyAlgorithm, Tag};
use resource_graph::{
    Action, Compare, Cx, Field, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Resource, Result, Seen,
    Survives, Verdict,
};
use secrecy::{ExposeSecret, SecretString};

use crate::fail::{failed, gone, has_code, incomplete, required, unless_missing};
use crate::home::digest;
use crate::{CertificateArn, DIGEST_TAG, Home};

const MISSING: [&str; 1] = ["ResourceNotFoundException"];

/// Without them a listing has only RSA keys of up to 2048 bits.
const KEY_TYPES: [KeyAlgorithm; 7] = [
    KeyAlgorithm::Rsa1024,
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
    KeyAlgorithm::EcSecp521r1,
];

/// What a re-import leaves as it is.
const KEPT: [&str; 1] = [CertificateOutput::ARN.name()];

/// A certificate imported from outside.
pub struct Certificate {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The name the console shows, and people read.
    pub name: String,
    /// The leaf alone, PEM.
    pub body: String,
    /// Its private key, PEM, not encrypted. It goes into the import and nowhere else.
    pub private_key: SecretString,
    /// The intermediates in issuing order, PEM, without the leaf (C04).
    pub chain: Option<String>,
    /// SHA-256 of the leaf's DER, lowercase hexadecimal.
    pub fingerprint: String,
    /// The kind and size of its key as ACM writes it: `RSA_2048`, `EC_prime256v1`. A re-import cannot change it.
    pub key_type: String,
    /// When it ends, for people.
    pub not_after: String,
}

/// What others need of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateOutput {
    /// Its ARN; a re-import keeps it.
    pub arn: CertificateArn,
    /// SHA-256 of the leaf's DER, lowercase hexadecimal; a re-import changes it.
    pub fingerprint: String,
}

impl CertificateOutput {
    /// [`Self::arn`].
    pub const ARN: Field<Self, CertificateArn> = Field::new("arn", |output| output.arn.clone());
    /// [`Self::fingerprint`].
    pub const FINGERPRINT: Field<Self, String> = Field::new("fingerprint", |output| output.fingerprint.clone());
}

/// A certificate that exists.
#[derive(Clone, Debug)]
pub struct Found {
    arn: CertificateArn,
    key_type: Option<String>,
    mark: Mark,
    /// Of the leaf itself.
    fingerprint: Option<String>,
    /// What the tag says of leaf and chain.
    digest: Option<String>,
}

/// For imports: ACM takes no idempotency token for them, and a repeated one is a second certificate.
fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

impl Certificate {
    fn tags(&self, mark: Mark) -> Vec<Tag> {
        let ours = self.home.named_tags(&self.node, mark, &self.name).into_iter();
        let more = [(DIGEST_TAG.to_owned(), self.digest())];
        // A tag made of two texts is always complete.
        ours.chain(more).filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
    }

    /// What the tag says of this leaf and chain. The chain is compared by the tag alone: the service may answer with another.
    fn digest(&self) -> String {
        digest(&[self.fingerprint.as_str(), self.chain.as_deref().unwrap_or_default()])
    }

    /// Whether only an import makes this certificate of that one. A tag that is missing says nothing of the chain: a run was
    /// killed between import and tagging, and imports are counted by the year.
    fn must_import(&self, found: &Found) -> bool {
        found.fingerprint.as_ref() != Some(&self.fingerprint)
            || found.digest.as_ref().is_some_and(|digest| *digest != self.digest())
    }

    /// A kind of key that is not told is unknown.
    fn has_key(&self, kind: Option<&String>) -> bool {
        kind.is_none_or(|kind| *kind == self.key_type)
    }

    /// Imports it, over what is there if there is an ARN.
    async fn import(&self, over: Option<&CertificateArn>) -> Result<CertificateArn> {
        let action = match over {
            Some(arn) => format!("re-import certificate `{arn}`"),
            None => format!("import certificate `{}`", self.name),
        };
        let mut call = self
            .home
            .aws
            .acm
            .import_certificate()
            .certificate(Blob::new(self.body.as_bytes()))
            .private_key(Blob::new(self.private_key.expose_secret().as_bytes()))
            .set_certificate_chain(self.chain.as_ref().map(|chain| Blob::new(chain.as_bytes())));
        let answer = match over {
            Some(arn) => call.certificate_arn(arn.as_str()).send().await,
            None => {
                call = call.set_tags(Some(self.tags(Mark::Managed)));
                call.customize().config_override(once()).send().await
            }
        };
        let answer = answer.map_err(|error| failed(&action, error))?;
        Ok(CertificateArn::new(required(answer.certificate_arn(), &action, "ARN")?))
    }

    async fn tag(&self, arn: &CertificateArn, mark: Mark) -> Result<()> {
        let call = self.home.aws.acm.add_tags_to_certificate().certificate_arn(arn.as_str());
        let call = call.set_tags(Some(self.tags(mark)));
        call.send().await.map_err(|error| failed(format!("tag certificate `{arn}`"), error))?;
        Ok(())
    }

    async fn read(&self, summary: &Summary, mark: Mark) -> Result<Found> {
        let digest = summary.tags.get(DIGEST_TAG).cloned();
        let fingerprint = read_fingerprint(&self.home, &summary.arn).await?;
        Ok(Found { arn: summary.arn.clone(), key_type: summary.key_type.clone(), mark, fingerprint, digest })
    }
}

impl Resource for Certificate {
    const KIND: &'static str = "certificate";
    type Needs = ();
    type Found = Found;
    type Output = CertificateOutput;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, {}, until {}", self.name, self.key_type, self.not_after)
    }

    fn needs(&self) {}

    /// By tags, since a certificate has no name that could be taken: a stranger's copy does not bother ours.
    ///
    /// Only a copy of this very certificate without any tag is taken over. That is what an emulator leaves when a run is killed
    /// between re-import and tagging. On AWS it is somebody's own import, so it is looked after from then on and never deleted.
    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let all = list(&self.home).await?;
        let mut ours = Vec::new();
        for summary in all.iter().filter(|summary| self.home.mark(&self.node, &summary.tags) == Mark::Managed) {
            ours.push(self.read(summary, Mark::Managed).await?);
        }
        if !ours.is_empty() {
            // The one with the right content last: that is the one to pick of several with the right key.
            ours.sort_by_key(|found| found.fingerprint.as_ref() == Some(&self.fingerprint));
            return Ok(Seen::pick(ours, |found| self.has_key(found.key_type.as_ref())));
        }
        if let Some(summary) = all.iter().find(|summary| self.home.mark(&self.node, &summary.tags) == Mark::Adopted) {
            return Ok(Seen::here(self.read(summary, Mark::Adopted).await?, Mark::Adopted));
        }
        let untagged = all.iter().filter(|summary| summary.tags.is_empty());
        for summary in untagged.filter(|summary| self.has_key(summary.key_type.as_ref())) {
            let found = self.read(summary, Mark::Adopted).await?;
            if found.fingerprint.as_ref() == Some(&self.fingerprint) {
                return Ok(Seen::here(found, Mark::Adopted));
            }
        }
        Ok(Seen::absent())
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        if let Some(kind) = &found.key_type {
            compare.replace("key type", kind, &self.key_type, None);
        }
        let leaf_differs = found.fingerprint.as_ref() != Some(&self.fingerprint);
        if leaf_differs {
            compare.differs("certificate", found.fingerprint.clone(), Some(self.fingerprint.clone()));
        } else if found.digest.as_ref() != Some(&self.digest()) {
            compare.differs("digest of the chain", found.digest.clone(), Some(self.digest()));
        }
        compare.survives(if leaf_differs { Survives::Only(&KEPT) } else { Survives::All }).verdict()
    }

    fn output(&self, found: &Found) -> CertificateOutput {
        CertificateOutput { arn: found.arn.clone(), fingerprint: found.fingerprint.clone().unwrap_or_default() }
    }

    async fn apply(&self, _cx: &Cx, action: Action<Found>, (): Given<Self>) -> Result<Found> {
        let (arn, mark) = match action {
            Action::Create => (self.import(None).await?, Mark::Managed),
            Action::Update { found, .. } => {
                if self.must_import(&found) {
                    self.import(Some(&found.arn)).await?;
                }
                self.tag(&found.arn, found.mark).await?;
                (found.arn, found.mark)
            }
        };
        let (fingerprint, digest) = (Some(self.fingerprint.clone()), Some(self.digest()));
        Ok(Found { arn, key_type: Some(self.key_type.clone()), mark, fingerprint, digest })
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.arn).await
    }
}

/// All certificates of a deployment.
pub struct Certificates(pub Home);

impl Inventory for Certificates {
    const KIND: &'static str = Certificate::KIND;
    type Found = CertificateArn;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<CertificateArn>>> {
        let ours = list(&self.0).await?.into_iter().filter_map(|summary| {
            let node = self.0.managed_node_of(&summary.tags)?;
            Some(Listed { node, label: summary.arn.to_string(), found: summary.arn })
        });
        Ok(ours.collect())
    }

    async fn destroy(&self, _cx: &Cx, found: CertificateArn) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

struct Summary {
    arn: CertificateArn,
    key_type: Option<String>,
    tags: BTreeMap<String, String>,
}

/// Every imported certificate with its tags.
async fn list(home: &Home) -> Result<Vec<Summary>> {
    let action = "list certificates";
    let every_key = Filters::builder().set_key_types(Some(KEY_TYPES.to_vec())).build();
    let mut pages = home.aws.acm.list_certificates().includes(every_key).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(action, error))?;
        for summary in page.certificate_summary_list() {
            let imported = summary.r#type().is_none_or(|kind| *kind == CertificateType::Imported);
            if imported {
                let arn = summary.certificate_arn().filter(|arn| !arn.is_empty());
                let arn = CertificateArn::new(arn.ok_or_else(|| incomplete(action, "ARN"))?);
                if let Some(tags) = tags(home, &arn).await? {
                    all.push(Summary { arn, key_type: key_type(summary), tags });
                }
            }
        }
    }
    Ok(all)
}

/// AWS takes `RSA_2048` and answers `RSA-2048`.
fn key_type(summary: &CertificateSummary) -> Option<String> {
    summary.key_algorithm().map(|kind| kind.as_str().replace('-', "_")).filter(|kind| !kind.is_empty())
}

/// `None` when it went in the meantime.
async fn tags(home: &Home, arn: &CertificateArn) -> Result<Option<BTreeMap<String, String>>> {
    let answer = home.aws.acm.list_tags_for_certificate().certificate_arn(arn.as_str()).send().await;
    let answer = unless_missing(answer, &MISSING, &format!("read the tags of certificate `{arn}`"))?;
    let pair = |tag: &Tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned());
    Ok(answer.map(|answer| answer.tags().iter().map(pair).collect()))
}

/// The fingerprint of the leaf; the chain is not compared, since the service may add to it.
async fn read_fingerprint(home: &Home, arn: &CertificateArn) -> Result<Option<String>> {
    match home.aws.acm.get_certificate().certificate_arn(arn.as_str()).send().await {
        Ok(answer) => Ok(answer.certificate().and_then(fingerprint)),
        // Not issued yet or gone: neither is one of ours.
        Err(error) if has_code(&error, &["ResourceNotFoundException", "RequestInProgressException"]) => Ok(None),
        Err(error) => Err(failed(format!("read certificate `{arn}`"), error)),
    }
}

/// SHA-256 of the first certificate in a PEM text, however its lines are broken.
fn fingerprint(pem: &str) -> Option<String> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    let der = aws_smithy_types::base64::decode(body).ok()?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    Some(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A certificate is in use for a while after the listener that showed it is gone.
async fn destroy(home: &Home, arn: &CertificateArn) -> Result<()> {
    let answer = home.aws.acm.delete_certificate().certificate_arn(arn.as_str()).send().await;
    gone(answer, &MISSING, &["ResourceInUseException"], &format!("delete certificate `{arn}`"))
}

#[cfg(test)]
mod tests {
    use resource_graph::describe;

    use super::*;

    fn certificate() -> Certificate {
        Certificate {
            home: crate::testing::home(),
            node: NodeId::from("certificate"),
            name: "automator.example.com".to_owned(),
            body: String::new(),
            private_key: SecretString::from("a-private-key"),
            chain: None,
            fingerprint: "new".to_owned(),
            key_type: "EC_prime256v1".to_owned(),
            not_after: "2027-02-01".to_owned(),
        }
    }

    fn found(fingerprint: &str, key_type: &str) -> Found {
        Found {
            arn: CertificateArn::new("arn:cert"),
            key_type: Some(key_type.to_owned()),
            mark: Mark::Managed,
            fingerprint: Some(fingerprint.to_owned()),
            digest: Some(certificate().digest()),
        }
    }

    #[tokio::test]
    async fn a_renewed_certificate_keeps_its_arn_and_another_key_does_not() {
        let wanted = certificate();
        assert_eq!(wanted.plan(&found("new", "EC_prime256v1"), &()), Verdict::Keep);
        let Verdict::Update { changes, survives } = wanted.plan(&found("old", "EC_prime256v1"), &()) else { panic!() };
        assert_eq!(describe(&changes), "certificate old -> new");
        assert_eq!(survives, Survives::Only(&["arn"]));
        assert!(matches!(wanted.plan(&found("old", "RSA_2048"), &()), Verdict::Replace { .. }));
    }

    #[tokio::test]
    async fn a_missing_digest_is_written_without_an_import() {
        let untagged = Found { digest: None, ..found("new", "EC_prime256v1") };
        let Verdict::Update { survives, .. } = certificate().plan(&untagged, &()) else { panic!() };
        assert_eq!(survives, Survives::All);
        assert!(!certificate().must_import(&untagged));
    }

    #[tokio::test]
    async fn a_corrected_chain_is_imported_though_the_leaf_is_the_same() {
        let here = found("new", "EC_prime256v1");
        let completed = Certificate { chain: Some("an intermediate".to_owned()), ..certificate() };
        let Verdict::Update { survives, .. } = completed.plan(&here, &()) else { panic!() };
        assert_eq!(survives, Survives::All, "the listener has nothing to do");
        assert!(completed.must_import(&here) && !certificate().must_import(&here));
    }

    #[test]
    fn a_fingerprint_is_that_of_the_bytes_whatever_the_lines() {
        let one = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        let other = "text\r\n-----BEGIN CERTIFICATE-----\r\naGVs\r\nbG8=\r\n-----END CERTIFICATE-----";
        let expected = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(fingerprint(one).as_deref(), Some(expected));
        assert_eq!(fingerprint(other).as_deref(), Some(expected));
        assert_eq!(fingerprint("nothing"), None);
    }
}
