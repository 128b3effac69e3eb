//! What holds for all bytes.

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::{Host, OneTimeToken, Region, ServerKeys, Uid, text};
use proptest::prelude::*;

proptest! {
    #[test]
    fn sealed_texts_open_with_their_key_alone(plain in proptest::collection::vec(any::<u8>(), 0..300), flip in any::<proptest::sample::Index>()) {
        let (key, pair) = (Key::random(), PrivateKey::generate());
        let rows = [key.seal(&plain), pair.public().seal(&plain)];
        prop_assert_eq!(&key.open(&rows[0]).unwrap()[..], &plain[..]);
        prop_assert_eq!(&pair.open(&rows[1]).unwrap()[..], &plain[..]);
        prop_assert_eq!(&key.open_cbc(&key.seal_cbc(&plain)).unwrap()[..], &plain[..]);
        prop_assert!(Key::random().open(&rows[0]).is_err());
        for (row, sealed) in rows.into_iter().enumerate() {
            let mut sealed = sealed;
            let at = flip.index(sealed.len());
            sealed[at] ^= 1;
            let opened = if row == 0 { key.open(&sealed) } else { pair.open(&sealed) };
            prop_assert!(opened.is_err(), "a changed byte at {at} is noticed");
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), words in "\\PC{0,80}") {
        let (key, pair) = (Key::random(), PrivateKey::generate());
        let _ = (key.open(&bytes), key.open_cbc(&bytes), pair.open(&bytes), keeper_wire::rsa::open(&bytes, &bytes));
        let _ = (PrivateKey::from_pkcs8(&bytes), keeper_wire::password::open_encryption_params(&bytes, &"x".into()));
        let _ = (words.parse::<Host>(), words.parse::<Uid>(), words.parse::<OneTimeToken>(), text::decode(&words));
    }

    #[test]
    fn base64_of_every_spelling_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let (standard, url) = (text::standard(&bytes), text::url(&bytes));
        for spelling in [&standard, &url, &standard.trim_end_matches('=').to_owned(), &format!(" {standard}\r\n")] {
            prop_assert_eq!(&text::decode(spelling).unwrap()[..], &bytes[..]);
        }
    }

    #[test]
    fn a_host_is_read_back_as_it_was_written(name in "[a-z][a-z0-9-]{0,20}(\\.[a-z]{2,5}){1,2}", port in proptest::option::of(1u16..)) {
        let text = port.map_or(name.clone(), |port| format!("{name}:{port}"));
        let host: Host = text.parse().unwrap();
        prop_assert_eq!(host.to_string(), &text[..]);
        prop_assert_eq!(format!("https://{text}/api/rest?x").parse::<Host>().unwrap(), host);
    }
}

#[test]
fn uids_do_not_look_like_options() {
    assert!((0..2000).all(|_| !Uid::random().to_string().starts_with('-')));
}

#[test]
fn tables_are_whole() {
    let ids: Vec<i32> = ServerKeys::production().iter().map(|(id, _)| id).collect();
    assert_eq!(ids, (7..=18).collect::<Vec<_>>());
    assert_eq!(
        ServerKeys::production().get(6).unwrap_err().to_string(),
        "server key 6 is not known: known are 7 to 18"
    );
    assert_eq!(Region::all().count(), 7);
    assert_eq!(Region::as_of().len(), 10);
    assert_eq!(Region::named("us_gov"), Region::named("GOV"));
    for region in Region::all() {
        let host: Host = region.name.parse().unwrap();
        assert_eq!((host.name(), host.port(), host.https()), (region.host, None, true));
        assert_eq!(Region::of(&host), Some(region));
    }
    assert_eq!(Region::named("IL5").unwrap().calls_from, [None, None]);
}

#[test]
fn hosts_that_cannot_be() {
    for wrong in [
        "",
        "a b",
        "host:",
        "host:0",
        "host:99999",
        "ftp://host",
        "https://",
        "[::1",
        "[::g]:1",
        "[::1]x",
        "user:pass@host",
    ] {
        assert!(wrong.parse::<Host>().is_err(), "{wrong:?}");
    }
    let six: Host = "https://[::1]:8443/x".parse().unwrap();
    assert_eq!((six.to_string().as_str(), six.is_loopback(), six.port()), ("[::1]:8443", true, Some(8443)));
    assert!(!"http://127.0.0.1:1".parse::<Host>().unwrap().https());
    let secret = "https://me:hunter2@host".parse::<Host>().unwrap_err().to_string();
    assert!(!secret.contains("hunter2"), "{secret}");
}

#[test]
fn tokens_of_every_form() {
    let key = text::url(&[7; 32]);
    let plain: OneTimeToken = key.parse().unwrap();
    assert_eq!(plain.expose(), &[7; 32]);
    let eu: OneTimeToken = format!("eu:{key}\n").parse().unwrap();
    assert_eq!(eu.host.unwrap().name(), "keepersecurity.eu");
    let point = ServerKeys::production().texts().next().unwrap().1;
    let isolated: OneTimeToken = format!("IL5:{key}:42:{point}").parse().unwrap();
    assert_eq!(isolated.server_key.unwrap().0, 42);
    for wrong in ["", "US:", "US:short", &format!("host:8443:{key}"), &format!("US:{key}x")] {
        let error = wrong.parse::<OneTimeToken>().unwrap_err().to_string();
        assert!(!error.contains(&key), "{error}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let (token, key, pair) = (OneTimeToken::random(), Key::random(), PrivateKey::generate());
    let shown = format!("{token:?} {key:?} {pair:?} {:?}", keeper_wire::Transmission::new());
    for secret in [token.expose().as_slice(), key.expose(), pair.expose_scalar()] {
        assert!(!shown.contains(&text::url(secret)) && !shown.contains(&format!("{secret:?}")), "{shown}");
    }
}
