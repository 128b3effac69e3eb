//! How we know our own things again.

use keeper_wire::Uid;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::document::Document;
use crate::vault::VaultError;

/// The name of a deployment, as it is written into what we make.
///
/// In a shared folder and in an application it is the member `keeper_automator` of their encrypted JSON, in a record a custom
/// text field with the label `keeper-automator`. That Keeper keeps the member of a folder and of an application when another
/// client renames them was never verified against production; without it the thing is a stranger, and nothing is done to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Marker(String);

const MEMBER: &str = "keeper_automator";
const LABEL: &str = "keeper-automator";

impl Marker {
    /// The marker of a deployment.
    #[must_use]
    pub fn new(deployment: impl Into<String>) -> Self {
        Self(deployment.into())
    }

    /// The deployment's name.
    #[must_use]
    pub fn deployment(&self) -> &str {
        &self.0
    }

    pub(crate) fn write(&self, object: &mut Map<String, Value>) {
        object.insert(MEMBER.to_owned(), json!({ "deployment": self.0 }));
    }

    /// A file also tells to which record it was to be attached, so that one that never was can be found.
    pub(crate) fn write_file(&self, record: Uid, object: &mut Map<String, Value>) {
        object.insert(MEMBER.to_owned(), json!({ "deployment": self.0, "record": record }));
    }

    pub(crate) fn field(&self) -> Value {
        json!({ "type": "text", "label": LABEL, "value": [self.0] })
    }

    /// The deployment in a folder's, application's or file's JSON.
    pub(crate) fn read(document: &Document) -> Option<Self> {
        document.0.get(MEMBER)?.get("deployment")?.as_str().map(Self::new)
    }

    /// The record in a file's JSON.
    pub(crate) fn read_record(document: &Document) -> Option<Uid> {
        document.0.get(MEMBER)?.get("record")?.as_str()?.parse().ok()
    }

    /// The deployment in a record's custom fields.
    pub(crate) fn read_field(document: &Document) -> Option<Self> {
        let custom = document.0.get("custom")?.as_array()?;
        let field = custom.iter().find(|field| field.get("label").and_then(Value::as_str) == Some(LABEL))?;
        field.get("value")?.get(0)?.as_str().map(Self::new)
    }
}

/// Something that may be ours.
pub(crate) trait Marked {
    const KIND: &'static str;
    fn uid(&self) -> Uid;
    fn title(&self) -> &str;
    fn marker(&self) -> Option<&Marker>;
}

/// The one that is ours, whatever somebody may have renamed it to; the title decides between several. A stranger of that title
/// only matters when there is none of ours: then it is not known which of the two a person means.
pub(crate) fn find<'a, T: Marked + 'a>(
    things: impl Iterator<Item = &'a T>,
    title: &str,
    marker: &Marker,
) -> Result<Option<&'a T>, VaultError> {
    let (ours, others): (Vec<&T>, Vec<&T>) = things.partition(|thing| thing.marker() == Some(marker));
    let named = |things: &[&'a T]| things.iter().copied().filter(|thing| thing.title() == title).collect::<Vec<_>>();
    let uids = |things: &[&T]| things.iter().map(|thing| thing.uid()).collect::<Vec<_>>();
    let title = || title.to_owned();
    match (&ours[..], &named(&ours)[..]) {
        ([one], _) | (_, [one]) => Ok(Some(one)),
        ([], _) => match &named(&others)[..] {
            [] => Ok(None),
            strangers => Err(VaultError::Stranger { kind: T::KIND, title: title(), uids: uids(strangers) }),
        },
        _ => {
            let found = ours.iter().map(|thing| (thing.title().to_owned(), thing.uid())).collect();
            Err(VaultError::Ambiguous { kind: T::KIND, title: title(), found })
        }
    }
}

/// Refuses what is not ours.
pub(crate) fn ours<T: Marked>(thing: &T, marker: &Marker) -> Result<(), VaultError> {
    if thing.marker() == Some(marker) { Ok(()) } else { Err(VaultError::NotOurs { kind: T::KIND, uid: thing.uid() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(Uid, &'static str, Option<Marker>);

    impl Marked for Thing {
        const KIND: &'static str = "thing";
        fn uid(&self) -> Uid {
            self.0
        }
        fn title(&self) -> &str {
            self.1
        }
        fn marker(&self) -> Option<&Marker> {
            self.2.as_ref()
        }
    }

    #[test]
    fn several_of_ours_are_named_by_the_titles_that_they_have() {
        let blue = Marker::new("blue");
        let thing = |title| Thing(Uid::random(), title, Some(blue.clone()));
        let things = [thing("one"), thing("two")];
        let error = find(things.iter(), "wanted", &blue).map(|_| ()).unwrap_err();
        let said = format!("\"one\" ({}), \"two\" ({})", things[0].0, things[1].0);
        assert!(error.to_string().ends_with(&format!("carry this deployment's marker: {said}")), "{error}");
        assert_eq!(find(things.iter(), "two", &blue).unwrap().map(|thing| thing.0), Some(things[1].0));
    }
}
