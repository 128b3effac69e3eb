//! What holds for any input: an answer, never a panic; and what is written is read back.

use keeper_wire::text;
use ksm_client::notation::{Pick, Selector};
use ksm_client::writer;
use ksm_client::{Config, Content, Notation, Place};
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON of any shape, with the names the protocol uses.
fn json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "records",
        "folders",
        "files",
        "recordUid",
        "recordKey",
        "data",
        "revision",
        "folderUid",
        "folderKey",
        "fileUid",
        "fileKey",
        "url",
        "parameters",
        "successStatusCode",
        "error",
        "result_code",
        "message",
        "key_id",
        "retry_after",
        "parent",
        "innerFolderUid",
        "isEditable",
        "expiresOn",
        "warnings",
        "appData",
        "encryptedAppKey",
        "responseCode",
        "hostname",
        "clientId",
        "privateKey",
        "appKey",
        "kind",
        "config",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)),
        ".{0,12}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..80).prop_map(|bytes| text::standard(&bytes).into()),
        Just(text::url(&[1; 16]).into()),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_as_configuration_without_panic(text in ".{0,300}") {
        let _ = Config::parse(&text);
        let _ = Config::parse(&format!("kind: Secret\ndata:\n  config: {text}"));
        let _ = Config::parse(&format!("[a]\n{text}"));
    }

    #[test]
    fn any_json_is_read_as_configuration_without_panic(value in json()) {
        let _ = Config::parse(&value.to_string());
        let _ = Config::parse(&text::standard(value.to_string().as_bytes()));
    }

    #[test]
    fn any_bytes_are_read_as_an_answer_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        ksm_client::read_anything(&bytes);
    }

    #[test]
    fn any_json_is_read_as_an_answer_without_panic(value in json()) {
        ksm_client::read_anything(value.to_string().as_bytes());
    }

    #[test]
    fn any_text_is_read_as_notation_and_secrets_without_panic(text in ".{0,200}") {
        let _ = text.parse::<Notation>();
        let _ = writer::parse(&text);
    }

    #[test]
    fn a_notation_that_is_written_is_read_back(
        record in "[^\\p{Cc}]{1,20}",
        name in "[^\\p{Cc}]{1,20}",
        index in prop::option::of(any::<u32>()),
        property in prop::option::of("[^\\p{Cc}]{0,10}"),
        custom in any::<bool>(),
        picked in any::<bool>(),
        file in any::<bool>(),
    ) {
        let place = if custom { Place::Custom } else { Place::Standard };
        let pick = picked.then_some(Pick { index, property });
        let selector = if file { Selector::File(name) } else { Selector::Field { place, name, pick } };
        let notation = Notation { record, selector };
        prop_assert_eq!(notation.to_string().parse::<Notation>(), Ok(notation.clone()));
        let base64 = text::url(notation.to_string().as_bytes());
        prop_assert_eq!(base64.parse::<Notation>(), Ok(notation));
    }

    #[test]
    fn content_comes_back_whole(members in prop::collection::vec(("[a-z]{1,6}", json()), 0..6)) {
        let object = Value::Object(members.into_iter().collect());
        let mut content = Content::from_json(object.clone()).unwrap();
        prop_assert_eq!(content.expose(), object.as_object().unwrap());
        let _ = (content.title(), content.fields(Place::Custom).count());
        content.set_field(Place::Standard, "login", None, vec![json!("x")]);
        prop_assert_eq!(content.field(Place::Standard, "login").unwrap().values(), &[json!("x")][..]);
        for (name, value) in object.as_object().unwrap().iter().filter(|(name, _)| *name != "fields") {
            prop_assert_eq!(&content.expose()[name], value);
        }
    }
}
