//! Vectors of spec 7.11, made with the vendor's functions.

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::vault as m;
use keeper_wire::{Uid, rsa};
use prost::Message;

use crate::account::UserKeys;
use crate::vault::record::Place;
use crate::vault::rows::Rows;
use crate::vault::{Vault, attachment};

/// One complete page of `sync_down`, 943 bytes: a shared folder "Automator", in it a record "Automator" with one linked file that
/// has no metadata row, and an application "Automator".
const PAGE: &str = "\
    0a03746f6b18012aac010a10101112131415161718191a1b1c1d1e1f10651a40000102030405060708090a0b0c0d0e0f72d75c294159fa\
    c28a43f67c6e07ee4b6a31d07604edd0e1b41599e307bde8bca2c7e8abab3764a8a75e7fead502ff0b20012a3000010203040506070809\
    0a0b0c0d0e0f7ed45f1e8885e74cd0316b71fd301d0c595c1a84b014e1c28713073550392f706a20000102030405060708090a0b0c0d0e\
    0fe28ccc1378606ee60977124f2522d28432141210101112131415161718191a1b1c1d1e1f186542ba010a10202122232425262728292a\
    2b2c2d2e2f106a18032001329f016465666768696a6b6c6d6e6f8a5c721d25f7e488ef0efce73096bfca6e2ae5befde99ffc3ec0ba982d\
    2cdd4e255f158d2a995614f875cbe75a8c55b2e7895ce760c7673d88e92c38991f76c65223c39e4e27f1eb7f9b62ad4b6f0fb563df8be5\
    444bd0e4872b3c12307cddda00eb4976be4c414612ebfa8fec803ee614245427f5e25c11105c6a59e82f7a1e876d59c7f580594d230bd2\
    43508afae97d9ee4427a0a10303132333435363738393a3b3c3d3e3f1069180432606465666768696a6b6c6d6e6fa905956e6918e62a89\
    f3500e0c4eb5d9c28b37f8a035727f157ca97443dce14519c6ab9d59318eff20d7c53db360afdfe96fb2cc2cc3bbb7e626af490978641c\
    4610ecfddb1861b22ee70b5fa48efa02c5e11dca486942560a10000102030405060708090a0b0c0d0e0f106b1805323e6465666768696a\
    6b6c6d6e6fb1a3d8bc627ae113340dc156e35e1925813a0e193f2cfd0c7e9cc3524127a03d67c2f661f32d0b1c5cae54dbcecdda78f816\
    4a580a10000102030405060708090a0b0c0d0e0f10011a3c6465666768696a6b6c6d6e6fc89a5ce5fd6cd019b6ebd56356e8e472d25394\
    991ff965e53f4836d3673e3bd7979c1566d4e574587b3c623703c5a7172003280130015a640a10202122232425262728292a2b2c2d2e2f\
    1210303132333435363738393a3b3c3d3e3f1a3c6465666768696a6b6c6d6e6f911f640731f7a0d5a50bf9eb3595f3893c2ffeb9e5f9cb\
    b164f8b5973e3cc24587515f3a53d020247d3de9e5bacde96e206a6a680a10101112131415161718191a1b1c1d1e1f1210202122232425\
    262728292a2b2c2d2e2f1a3c6465666768696a6b6c6d6e6ff52ccc909bf4b28a941d9593c65ad02299d3b72d6a9f381a9b1934242b1479\
    7cf41050a0c0485717bc830a7d7fffef8420012801400172260a10101112131415161718191a1b1c1d1e1f1a1020212223242526272829\
    2a2b2c2d2e2f206a";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// 32 bytes that count up.
fn key(first: u8) -> Key {
    Key::from_slice(&std::array::from_fn::<u8, 32, _>(|index| first + u8::try_from(index).unwrap())).unwrap()
}

fn uid(first: u8) -> Uid {
    Uid::from_slice(&std::array::from_fn::<u8, 16, _>(|index| first + u8::try_from(index).unwrap())).unwrap()
}

fn user() -> UserKeys {
    UserKeys { data: key(0), rsa: None, ec: Some(PrivateKey::from_scalar(&[0x11; 32]).unwrap()) }
}

fn rows(change: impl FnOnce(&mut m::SyncDownResponse)) -> Rows {
    let mut page = m::SyncDownResponse::decode(hex(PAGE).as_slice()).unwrap();
    change(&mut page);
    let mut rows = Rows::default();
    rows.add(page);
    rows
}

#[test]
fn the_vendors_page_opens_through_every_step_of_the_ladder() {
    let vault = Vault::open(&rows(|_| ()), &user(), b"");
    assert_eq!(vault.unreadable(), 0);
    let folder = &vault.folders[&uid(0x10)];
    assert_eq!((folder.title.as_str(), folder.revision, &folder.key, folder.others), ("Automator", 101, &key(0x20), 0));
    let record = &vault.records[&uid(0x20)];
    assert_eq!((record.title.as_str(), record.revision, &record.key), ("Automator", 106, &key(0x40)));
    assert_eq!(record.places, [Place::Shared { root: uid(0x10), folder: uid(0x10) }]);
    assert_eq!(record.files, [uid(0x30)]);
    let files = attachment::list(&vault, uid(0x20));
    assert_eq!((files[0].name.as_str(), files[0].size), ("a.txt", 5));
    let application = &vault.applications[&uid(0)];
    assert_eq!((application.title.as_str(), &application.key), ("Automator", &key(0x80)));
    assert!(folder.marker.is_none() && record.marker.is_none() && application.marker.is_none());
}

#[test]
fn a_shared_folders_key_opens_in_each_of_its_wrappings() {
    let check = |kind: i32, sealed: Vec<u8>, keys: &UserKeys| {
        let rows = rows(|page| {
            page.shared_folders[0].key_type = kind;
            page.shared_folders[0].shared_folder_key = sealed;
        });
        let vault = Vault::open(&rows, keys, b"");
        assert_eq!(vault.folders[&uid(0x10)].key, key(0x20), "type {kind}");
        assert_eq!(vault.records.len(), 1, "type {kind}");
    };
    check(
        1,
        hex("000102030405060708090a0b0c0d0e0f72d75c294159fac28a43f67c6e07ee4b6a31d07604edd0e1b41599e307bde8bca2c7\
            e8abab3764a8a75e7fead502ff0b"),
        &user(),
    );
    check(
        3,
        hex("6465666768696a6b6c6d6e6f683afc455dcc70b9164b75c3f64844d272f33439bf59c5459fe89673c79e9b7714f27ef5cc04\
            25f6d6f6093d87f121ad"),
        &user(),
    );
    check(
        4,
        hex("04d65a93977caa3d1b081852ff57a79e465f1660577304baead505dd3a48589cf350185e895372df6221ea3a137557e473fd\
            db6755f05bd507c3c533fce9c912856465666768696a6b6c6d6e6f1367c0fab9e28d76cf437950f2fc710de0cf6917050b14\
            ad9521dcbf15910cdc5072115558cf1ee147754b745771b6d9"),
        &user(),
    );
    let (private, public) = rsa::generate();
    check(2, rsa::seal(&public, key(0x20).expose()).unwrap(), &UserKeys { rsa: Some(private), ..user() });
}

#[test]
fn a_team_opens_what_its_member_cannot() {
    let wrapped = [
        (
            1,
            "000102030405060708090a0b0c0d0e0f5d7ec734182ecb11d32da7bdc7f3650595de07cf6f9580cb150458295e970de95f3a\
            26266b8e6a8b989fc87a7f209757",
        ),
        (
            4,
            "04d65a93977caa3d1b081852ff57a79e465f1660577304baead505dd3a48589cf350185e895372df6221ea3a137557e473fd\
            db6755f05bd507c3c533fce9c912856465666768696a6b6c6d6e6f6bdc69563450a2c814ade455b7bbde678dda0b4b1f683e\
            e654c4b5d6a07f8a57daa2bb3ad43c548a2ba22d50854224a8",
        ),
    ];
    for (kind, sealed) in wrapped {
        let rows = rows(|page| {
            page.shared_folders[0].shared_folder_key = Vec::new();
            page.teams.push(m::Team {
                team_uid: uid(0x50).as_bytes().to_vec(),
                team_key: hex("000102030405060708090a0b0c0d0e0f224c27f4ba378b27d3d6888adced6442193e63463f3b2b3da3c2e8e78f394940e50a\
            dd6dae16ad4455c3a9dbd80d1777"),
                team_key_type: 1,
                team_ecc_private_key: hex("6465666768696a6b6c6d6e6fce464340e51fb760f9fe1671f8b014acc6c8c0a678b3b1bc4908429d68a365e764459c22aba0\
            79adbf3adf1634ad24b1"),
                shared_folder_keys: vec![m::SharedFolderKey {
                    shared_folder_uid: uid(0x10).as_bytes().to_vec(),
                    shared_folder_key: hex(sealed),
                    key_type: kind,
                }],
                ..Default::default()
            });
        });
        assert_eq!(Vault::open(&rows, &user(), b"").folders[&uid(0x10)].key, key(0x20), "type {kind}");
    }
}

#[test]
fn a_record_key_of_64_bytes_is_cbc() {
    let sealed =
        hex("000102030405060708090a0b0c0d0e0f302250587d1212b8d34d0d9b4cd995cb811bb76b88c417c8c6ab35574fc5b9964d4d\
            f6dead32a897788db107a113bfbc");
    let vault = Vault::open(&rows(|page| page.shared_folder_records[0].record_key = sealed), &user(), b"");
    assert_eq!(vault.records[&uid(0x20)].key, key(0x40));
}

#[test]
fn the_order_of_rows_makes_no_difference_and_removals_count() {
    let mut late = m::SyncDownResponse::default();
    let mut all = rows(|page| {
        late.shared_folders = std::mem::take(&mut page.shared_folders);
        late.records = std::mem::take(&mut page.records);
    });
    assert_eq!(Vault::open(&all, &user(), b"").records.len(), 0);
    all.add(late);
    assert_eq!(Vault::open(&all, &user(), b"").records.len(), 1);
    all.add(m::SyncDownResponse { removed_records: vec![uid(0x20).as_bytes().to_vec()], ..Default::default() });
    // The folder has it still, so it would go with the folder.
    let vault = Vault::open(&all, &user(), b"");
    assert_eq!((vault.records.len(), vault.inside.len()), (1, 1));
    let gone = m::SharedFolderRecord {
        shared_folder_uid: uid(0x10).as_bytes().to_vec(),
        record_uid: uid(0x20).as_bytes().to_vec(),
        ..Default::default()
    };
    all.add(m::SyncDownResponse { removed_shared_folder_records: vec![gone], ..Default::default() });
    let vault = Vault::open(&all, &user(), b"");
    assert_eq!((vault.records.len(), vault.inside.len(), vault.applications.len()), (0, 0, 1));
    assert_eq!(vault.unreadable(), 0, "its file went with it");
    all.add(m::SyncDownResponse { removed_shared_folders: vec![uid(0x10).as_bytes().to_vec()], ..Default::default() });
    assert!(Vault::open(&all, &user(), b"").folders.is_empty());
    all.add(m::SyncDownResponse { cache_status: 1, ..Default::default() });
    assert!(Vault::open(&all, &user(), b"").applications.is_empty());
}

#[test]
fn what_does_not_open_is_counted_and_left_out() {
    let other = UserKeys { data: key(1), rsa: None, ec: None };
    let vault = Vault::open(&rows(|_| ()), &other, b"");
    assert_eq!((vault.unreadable(), vault.folders.len(), vault.records.len()), (4, 0, 0));
}

proptest::proptest! {
    /// Any page gives a vault, whatever stands in it.
    #[test]
    fn no_page_is_a_panic(at in 0usize..943, byte: u8, cut in 0usize..943) {
        let mut bytes = hex(PAGE);
        bytes[at] = byte;
        for bytes in [&bytes[..], &bytes[..cut]] {
            if let Ok(page) = m::SyncDownResponse::decode(bytes) {
                let mut rows = Rows::default();
                rows.add(page);
                let vault = Vault::open(&rows, &user(), b"");
                for record in vault.records.keys() {
                    proptest::prop_assert!(attachment::list(&vault, *record).len() < 8);
                    proptest::prop_assert!(attachment::orphans(&vault, *record).is_empty());
                }
            }
        }
    }
}
