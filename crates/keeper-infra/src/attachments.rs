//! Files of the record (K3, K4). A name carries the generation of its content (C39): a new one is attached beside the old one,
//! tasks move over, then the old one is taken away.

use std::fmt;

use automator_admin::vault::attachment::{self, Attachment, NewFile};
use keeper_wire::{Uid, crypto};
use resource_graph::{Action, Compare, Cx, Given, Knowns, NodeId, Present, Ref, Resource, Result, Seen, Verdict};
use zeroize::Zeroizing;

use crate::fail::failed;
use crate::{Home, RecordUid};

/// Files that are attached to a record together, in one write.
pub struct Attachments {
    /// Where they live.
    pub home: Home,
    /// Their node.
    pub node: NodeId,
    /// The record.
    pub record: Ref<RecordUid>,
    /// What is wanted.
    pub files: Vec<WantedAttachment>,
}

/// One file that is wanted, and how its other generations are known.
pub struct WantedAttachment {
    /// Its name: the beginning, a generation, the end.
    pub name: String,
    /// What the names of all generations begin with.
    pub stem: &'static str,
    /// And what they end with.
    pub end: &'static str,
    /// Its content, which may be empty; `None` where all is to go and nothing is wanted.
    pub bytes: Option<Zeroizing<Vec<u8>>>,
}

impl WantedAttachment {
    fn is_generation(&self, name: &str) -> bool {
        name.strip_prefix(self.stem).and_then(|rest| rest.strip_suffix(self.end)).is_some_and(|middle| {
            // `ssl-certificate-password-…` is no generation of `ssl-certificate`: another end tells them apart.
            middle.is_empty() || middle.starts_with('-')
        })
    }
}

impl fmt::Debug for WantedAttachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Files that are attached.
#[derive(Clone, Debug)]
pub struct Found {
    record: Uid,
    files: Vec<There>,
}

/// One of them.
#[derive(Clone, Debug)]
struct There {
    uid: Uid,
    name: String,
    /// Its content is the one wanted.
    fits: bool,
}

impl Attachments {
    /// What is wanted: names and contents.
    fn wanted(&self) -> impl Iterator<Item = (&str, &Zeroizing<Vec<u8>>)> {
        self.files.iter().filter_map(|wanted| Some((wanted.name.as_str(), wanted.bytes.as_ref()?)))
    }

    async fn there(&self, file: &Attachment, wanted: &[u8]) -> Result<There> {
        let digest = attachment::digest(&self.home.session, file).await.map_err(failed)?;
        Ok(There { uid: file.uid, name: file.name.clone(), fits: digest == crypto::sha256(wanted) })
    }

    /// The wanted files that are there, and other generations of them.
    async fn find(&self, record: Uid) -> Result<(Vec<There>, Vec<There>)> {
        let (mut current, mut old) = (Vec::new(), Vec::new());
        for file in attachment::list(&*self.home.vault().await?, record) {
            match self.wanted().find(|(name, _)| *name == file.name) {
                Some((_, bytes)) => current.push(self.there(&file, bytes).await?),
                // Without a wish nothing is fetched.
                None if self.files.iter().any(|wanted| wanted.is_generation(&file.name)) => {
                    old.push(There { uid: file.uid, name: file.name.clone(), fits: false });
                }
                None => {}
            }
        }
        Ok((current, old))
    }
}

impl Resource for Attachments {
    const KIND: &'static str = "vault-attachments";
    type Needs = (Ref<RecordUid>,);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn needs(&self) -> Self::Needs {
        (self.record.clone(),)
    }

    async fn look(&self, _: &Cx, (record,): &Present<Self>) -> Result<Seen<Found>> {
        let Some(RecordUid(record)) = *record else { return Ok(Seen::absent()) };
        let (current, old) = self.find(record).await?;
        let some = |files: Vec<There>| (!files.is_empty()).then_some(Found { record, files });
        let current = some(current).map(|found| (found, resource_graph::Mark::Managed));
        Ok(Seen { current, stale: some(old).into_iter().collect() })
    }

    fn plan(&self, found: &Found, _: &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        for (name, _) in self.wanted() {
            let mut there = found.files.iter().filter(|file| file.name == name);
            match (there.next(), there.next()) {
                (None, _) => compare.differs(name, None, Some("attached".to_owned())),
                (Some(_), Some(_)) => compare.differs(name, Some("several".to_owned()), Some("one".to_owned())),
                (Some(one), None) if !one.fits => {
                    compare.differs(name, Some("another content".to_owned()), Some("the one wanted".to_owned()))
                }
                (Some(_), None) => &mut compare,
            };
        }
        compare.verdict()
    }

    fn output(&self, _: &Found) {}

    /// Uploads what is missing or differs, and links it in the same write that unlinks what has its name.
    async fn apply(&self, _: &Cx, action: Action<Found>, (RecordUid(record),): Given<Self>) -> Result<Found> {
        let there = match action {
            Action::Create => Vec::new(),
            Action::Update { found, .. } => found.files,
        };
        let (mut new, mut kept, mut unlink) = (Vec::new(), Vec::new(), Vec::new());
        for (name, bytes) in self.wanted() {
            let (fits, others): (Vec<There>, Vec<There>) =
                there.iter().filter(|file| file.name == name).cloned().partition(|file| file.fits);
            let mut fits = fits.into_iter();
            match fits.next() {
                Some(one) => kept.push(one),
                None => new.push(NewFile { name: name.to_owned(), bytes: bytes.clone() }),
            }
            unlink.extend(fits.chain(others).map(|file| file.uid));
        }
        let made = attachment::put(&self.home.session, record, &new, &unlink).await.map_err(failed)?;
        kept.extend(made.into_iter().map(|file| There { uid: file.uid, name: file.name, fits: true }));
        Ok(Found { record, files: kept })
    }

    async fn destroy(&self, _: &Cx, found: Found) -> Result<()> {
        let uids: Vec<Uid> = found.files.iter().map(|file| file.uid).collect();
        attachment::unlink(&self.home.session, found.record, &uids).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_known_by_beginning_and_end() {
        let file = |stem, end| WantedAttachment { name: String::new(), stem, end, bytes: None };
        let pfx = file("ssl-certificate", ".pfx");
        assert!(pfx.is_generation("ssl-certificate.pfx") && pfx.is_generation("ssl-certificate-0af3.pfx"));
        assert!(!pfx.is_generation("ssl-certificate-password-0af3.txt") && !pfx.is_generation("ssl-certificates.pfx"));
        assert!(file("ssl-certificate-password", ".txt").is_generation("ssl-certificate-password-0af3.txt"));
        assert!(file("keeper", ".properties").is_generation("keeper.properties"));
    }
}
