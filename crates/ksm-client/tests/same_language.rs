//! `SECRETS` is written by the crate `taskdef`, for a task definition, and read here. Both have a parser, because neither may
//! know the other; this table holds them together.

use ksm_client::notation::Selector;
use ksm_client::writer::{self, Destination};
use ksm_client::{Notation, Place};
use taskdef::secrets as theirs;

const UID: &str = "AAECAwQFBgcICQoLDA0ODw";

/// Both take it, and mean the same.
const TAKEN: [&str; 12] = [
    "U/file/ssl-certificate.pfx > file:/config/ssl-certificate.pfx",
    "U/file/a > file:/a\nU/file/b > file:/b",
    r"Title \/ with \[all\] \\ escapes/file/x\/y > file:/x",
    "keeper://U/file/a > file:a",
    "KEEPER://U/FILE/a > file:a",
    "U/custom_field/Ip Address > IP_ADDR",
    "U/field/url[0][host] > HOST",
    "U/field/name[] > NAMES",
    "U/field/name[][first] > FIRST",
    "U/field/name[0][] > WHOLE",
    "U/notes > NOTES",
    "U/TITLE > T",
];

/// Both refuse it.
const REFUSED: [&str; 18] = [
    "U/file/a>file:/a",
    "U/file/a  > file:/a",
    "U/file/a >  file:/a",
    "U/file/a > file: /a",
    "U/file/a > b > c",
    "U/file/a > file:",
    r"U/file/a > file:/a\nU/file/b > file:/b",
    "U/file/a\t > file:/a",
    "U/file/a\rb > file:/a",
    "U > X",
    "U/files/a > X",
    "U/file > X",
    "U/file/ > X",
    r"U/file/a\b > X",
    "U/field/a[ > X",
    "U/field/a[first] > X",
    "U/file/a/b > X",
    "U/notes/x > X",
];

/// Where the reader is more lenient than the writer of task definitions, as the page of `writer` says.
const LENIENT: [&str; 4] = [
    "U/file/a > file:/a\n",
    "\nU/file/a > file:/a",
    "U/file/a > file:/a\r\nU/file/b > file:/b",
    "VS9maWxlL2E > file:/a", // base64 of U/file/a
];

fn ours(text: &str) -> Option<Vec<(String, String)>> {
    let place = |destination: &Destination| match destination {
        Destination::File(path) => format!("file:{}", path.display()),
        Destination::Variable(name) => name.clone(),
    };
    let entries = writer::parse(text).ok()?;
    Some(entries.iter().map(|entry| (entry.notation.to_string(), place(&entry.destination))).collect())
}

fn taskdefs(text: &str) -> Option<Vec<(String, String)>> {
    let secrets: theirs::Secrets = text.parse().ok()?;
    Some(secrets.0.iter().map(|entry| (entry.notation.to_string(), entry.destination.to_string())).collect())
}

#[test]
fn both_take_the_same_and_mean_the_same() {
    for text in TAKEN.map(|text| text.replace('U', UID)) {
        let read = ours(&text);
        assert!(read.is_some(), "{text:?}");
        assert_eq!(read, taskdefs(&text), "{text:?}");
    }
}

#[test]
fn both_refuse_the_same() {
    for text in REFUSED {
        assert_eq!((ours(text), taskdefs(text)), (None, None), "{text:?}");
    }
}

#[test]
fn the_reader_is_more_lenient_in_what_it_says_and_nothing_else() {
    for text in LENIENT {
        assert_eq!((ours(text).is_some(), taskdefs(text).is_some()), (true, false), "{text:?}");
    }
}

#[test]
fn what_taskdef_writes_is_read_with_the_same_parts() {
    let written = theirs::Notation::file(UID, r"odd [name]/\ x").to_string();
    assert_eq!(written.parse::<Notation>().unwrap(), Notation::file(UID, r"odd [name]/\ x"));
    let field = theirs::Notation {
        record: "a title".into(),
        selector: theirs::Selector::Field {
            custom: true,
            label: "x[1]".into(),
            value: Some(theirs::Pick { index: Some(3), property: Some("p]".into()) }),
        },
    };
    let read: Notation = field.to_string().parse().unwrap();
    let Selector::Field { place: Place::Custom, name, pick: Some(pick) } = read.selector else { panic!() };
    assert_eq!((name.as_str(), pick.index, pick.property.as_deref()), ("x[1]", Some(3), Some("p]")));
}
