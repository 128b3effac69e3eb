//! `cert`: what is shown, what is written, and what is not.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use certs::Bundle;
use certs::make::{Authority, KeyType, self_signed};
use common::{file, run};
use jiff::{Timestamp, ToSpan};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

const HOST: &str = "automator.example.com";
const PASSWORD: &str = "marker-of-a-password";
const ENV: &[(&str, &str)] = &[("PFX", PASSWORD)];

/// A folder with one certificate in every form.
struct Desk {
    folder: tempfile::TempDir,
    bundle: Bundle,
}

impl Desk {
    fn new(days: i64) -> Self {
        let now = Timestamp::now();
        // Half a day more, so that whole days do not depend on the second.
        let at = |days: i64| now + (24 * days + 12).hours();
        let authority = Authority::throw_away("Test", now).unwrap();
        Self::of(authority.issue(&[HOST], KeyType::P256, at(-1), at(days)).unwrap())
    }

    fn of(bundle: Bundle) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ssl.pfx"), bundle.to_pfx(&SecretString::from(PASSWORD)).unwrap()).unwrap();
        let chain: String = bundle.chain().iter().map(|one| one.pem()).collect();
        let pem = format!("{}{}{chain}", bundle.key().to_pem().expose_secret(), bundle.leaf().pem());
        fs::write(folder.path().join("ssl.pem"), pem).unwrap();
        fs::write(folder.path().join("password.txt"), format!("{PASSWORD}\n")).unwrap();
        Self { folder, bundle }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn at(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_table_tells_everything_about_a_pfx() {
    let desk = Desk::new(90);
    let ran = run(ENV, &["cert", "inspect", &desk.at("ssl.pfx"), "--password-env", "PFX"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for expected in [
        "subject     CN=automator.example.com",
        "names       automator.example.com",
        "days left   90",
        "key         ECDSA P-256",
        "pfx key     PBES2 AES-256-CBC, ",
        "pfx name    automator",
        "judged for  automator.example.com",
        "findings    none",
    ] {
        assert!(ran.stdout.contains(expected), "{expected}\n{}", ran.stdout);
    }
    let other = run(ENV, &["cert", "inspect", &desk.at("ssl.pem"), "--host", "other.example.com"]);
    assert_eq!(other.code, 0);
    assert!(other.stdout.contains("error       [host-not-covered]"), "{}", other.stdout);
    assert!(!other.stdout.contains("pfx"), "{}", other.stdout);
}

#[test]
fn json_has_the_same_facts_and_a_committed_schema() {
    let desk = Desk::new(20);
    let password = desk.at("password.txt");
    let line = ["cert", "inspect", &desk.at("ssl.pfx"), "--password-file", &password, "--format", "json"];
    let ran = run(&[], &line);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((json["schema"].as_u64(), json["host"].as_str()), (Some(1), Some(HOST)));
    assert_eq!(json["certificate"]["days_left"], 20);
    assert_eq!(json["findings"][0]["id"], "expires-soon");
    assert_eq!(json["chain"].as_array().unwrap().len(), 1);
    assert_eq!(json["pfx"]["wants_reencoding"], false);

    let schema: Value = serde_json::from_str(&run(&[], &["schema", "certificate"]).stdout).unwrap();
    let known = |schema: &Value| schema.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for member in known(&json) {
        assert!(known(&schema["properties"]).contains(&member), "{member}");
    }
    let committed = fs::read_to_string(file("schemas/certificate.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&committed).unwrap(), schema);
}

#[test]
fn check_is_quiet_and_answers_by_exit_code() {
    let check = |desk: &Desk, host: &str, within: &str| {
        let line = ["cert", "check", &desk.at("ssl.pfx"), "--password-env", "PFX", "--host", host, "--within", within];
        let ran = run(ENV, &line);
        assert_eq!(ran.said(), "", "{within}");
        ran.code
    };
    let desk = Desk::new(45);
    assert_eq!(check(&desk, HOST, "30d"), 0);
    assert_eq!(check(&desk, HOST, "7w"), 1);
    assert_eq!(check(&desk, "other.example.com", "30d"), 1);
    assert_eq!(check(&Desk::new(20), HOST, "30d"), 1);
    assert_eq!(check(&Desk::new(20), HOST, "24h"), 0);
    let wrong = run(ENV, &["cert", "check", &desk.at("ssl.pfx"), "--host", HOST, "--within", "soon"]);
    assert_eq!(wrong.code, 2);
    let gone = run(ENV, &["cert", "check", &desk.at("gone.pfx"), "--host", HOST]);
    assert_eq!(gone.code, 4);
    assert!(gone.stderr.contains("error[pfx-unreadable]"), "{}", gone.stderr);
}

#[test]
fn only_the_files_that_are_asked_for_are_written() {
    let desk = Desk::new(90);
    let before = desk.names();
    let (body, key, chain) = (desk.at("body.pem"), desk.at("key.pem"), desk.at("chain.pem"));
    let source = desk.at("ssl.pfx");

    let ran = run(ENV, &["cert", "convert", &source, "--password-env", "PFX"]);
    assert_eq!(ran.code, 2);
    assert_eq!(desk.names(), before);

    fs::write(&chain, "old").unwrap();
    let ran = run(ENV, &["cert", "convert", &source, "--password-env", "PFX", "--body", &body, "--chain", &chain]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(!Path::new(&key).exists());
    let import = desk.bundle.acm().unwrap();
    assert_eq!(fs::read_to_string(&body).unwrap(), import.body);
    assert_eq!(fs::read_to_string(&chain).unwrap(), import.chain.unwrap());

    let ran = run(&[], &["cert", "convert", &desk.at("ssl.pem"), "--key", &key]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&key).unwrap(), import.private_key.expose_secret());
    #[cfg(unix)]
    for path in [&body, &key, &chain] {
        assert_eq!(mode(Path::new(path)), 0o600, "{path}");
    }
    assert_eq!(desk.names().len(), before.len() + 3, "{:?}", desk.names());
}

#[test]
fn what_cannot_be_written_whole_is_not_written() {
    let now = Timestamp::now();
    let desk = Desk::of(self_signed(&[HOST], KeyType::P256, now, now + 2000.hours()).unwrap());
    let before = desk.names();
    let (pem, body) = (desk.at("ssl.pem"), desk.at("body.pem"));
    let refused = |args: &[&str]| {
        let line: Vec<&str> = ["cert", "convert", &pem, "--body", &body].into_iter().chain(args.to_vec()).collect();
        let ran = run(&[], &line);
        assert_eq!(desk.names(), before, "{args:?}");
        (ran.code, ran.stderr)
    };
    let (code, said) = refused(&["--chain", &desk.at("chain.pem")]);
    assert!(code == 4 && said.contains("error[chain-missing]"), "{said}");
    let (code, said) = refused(&["--key", &desk.at("no/such/folder.pem")]);
    assert!(code == 4 && said.contains("error[file-not-written]"), "{said}");
    let (code, said) = refused(&["--key", &desk.at("./ssl.pem")]);
    assert!(code == 2 && said.contains("error[file-named-twice]"), "{said}");
    let (code, said) = refused(&["--key", &desk.at("./body.pem")]);
    assert!(code == 2 && said.contains("error[file-named-twice]"), "{said}");
    let (code, said) = refused(&["--key", &desk.folder.path().display().to_string()]);
    assert!(code == 4 && said.contains("something else than a file"), "{said}");
}

#[test]
fn a_bundle_gets_a_new_password_or_the_given_one() {
    let desk = Desk::new(90);
    let (out, password_out) = (desk.at("new.pfx"), desk.at("new.txt"));
    let open = |path: &str, password: &str| {
        Bundle::from_pfx(&fs::read(path).unwrap(), &SecretString::from(password)).unwrap().leaf().clone()
    };
    let ran = run(&[], &["cert", "bundle", &desk.at("ssl.pem"), "--out", &out, "--password-out", &password_out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let new = fs::read_to_string(&password_out).unwrap();
    assert!(new.len() == 32 && new.trim() == new, "no line end, which Java would take as part of it");
    assert_eq!(&open(&out, &new), desk.bundle.leaf());
    assert!(!ran.said().contains(&new));
    #[cfg(unix)]
    assert_eq!((mode(Path::new(&out)), mode(Path::new(&password_out))), (0o600, 0o600));

    let given = [("PFX", PASSWORD), ("NEW", "another-password")];
    let source = desk.at("ssl.pfx");
    let line = ["cert", "bundle", &source, "--password-env", "PFX", "--out", &out];
    let with = |more: &[&str]| run(&given, &[&line[..], more].concat()).code;
    assert_eq!(with(&["--new-password-env", "NEW"]), 0);
    assert_eq!(&open(&out, "another-password"), desk.bundle.leaf());
    assert_eq!(with(&["--keep-password"]), 0);
    assert_eq!(&open(&out, PASSWORD), desk.bundle.leaf());
    assert_eq!(with(&["--new-password-file", &desk.at("password.txt"), "--password-out", &password_out]), 0);
    assert_eq!(fs::read_to_string(&password_out).unwrap(), PASSWORD);
    assert_eq!(with(&[]), 2);
    assert_eq!(with(&["--keep-password", "--new-password-env", "NEW"]), 2);
    let same = run(&given, &["cert", "bundle", &out, "--password-env", "PFX", "--out", &out, "--keep-password"]);
    assert_eq!(same.code, 2);
}

#[test]
fn a_password_that_the_new_file_cannot_have_is_refused_before_the_order() {
    let desk = Desk::new(90);
    let (out, account) = (desk.at("new.pfx"), desk.at("account.pem"));
    for password in ["with blank", "Pässword", ""] {
        let line = ["cert", "issue", "--host", HOST, "--account", &account, "--agree-to-terms", "--out", &out];
        let ran = run(&[("NEW", password)], &[&line[..], &["--password-env", "NEW"]].concat());
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        assert!(ran.stderr.contains("error[pfx-password-not-ascii]"), "{}", ran.stderr);
        assert!(ran.stderr.contains("use the password of --password-env"), "{}", ran.stderr);
        assert!(!Path::new(&out).exists() && !Path::new(&account).exists());
    }
}

#[test]
fn an_old_file_is_mended_by_one_command() {
    let desk = Desk::new(90);
    let old = file("crates/certs/tests/fixtures/pfx/openssl-legacy-rsa2048.pfx");
    let env = [("OLD", "correct-horse")];
    let seen = run(&env, &["cert", "inspect", &old, "--password-env", "OLD"]).stdout;
    assert!(seen.contains("[pfx-legacy-cipher]") && seen.contains("RC2"), "{seen}");
    let new = desk.at("new.pfx");
    let line = ["cert", "bundle", &old, "--password-env", "OLD", "--out", &new, "--keep-password"];
    assert_eq!(run(&env, &line).code, 0);
    let seen = run(&env, &["cert", "inspect", &new, "--password-env", "OLD"]).stdout;
    assert!(!seen.contains("[pfx-"), "{seen}");
}

#[test]
fn errors_of_the_file_have_their_code_and_hint() {
    let desk = Desk::new(90);
    let inspect = |env: &[(&str, &str)], args: &[&str]| run(env, &[&["cert", "inspect"], args].concat());
    let ran = inspect(&[("PFX", "wrong")], &[&desk.at("ssl.pfx"), "--password-env", "PFX"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("error[pfx-wrong-password]") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    // Nobody is there to ask.
    let ran = inspect(&[], &[&desk.at("ssl.pfx")]);
    assert!(ran.code == 4 && ran.stderr.contains("error[secret-not-answered]"), "{}", ran.stderr);
    let encrypted = file("crates/certs/tests/fixtures/pem/encrypted-aes-256.pem");
    let ran = inspect(&[], &[&encrypted]);
    assert!(ran.code == 4 && ran.stderr.contains("error[secret-not-answered]"), "{}", ran.stderr);
    assert_eq!(inspect(&[("P", "correct-horse")], &[&encrypted, "--password-env", "P"]).code, 0);
    let ran =
        inspect(&[], &[&desk.at("password.txt"), "--password-file", &desk.at("password.txt"), "--format", "json"]);
    let failure: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.code, failure["failure"]["code"].as_str()), (4, Some("pfx-corrupt")));
}

#[test]
fn neither_password_nor_key_is_ever_said() {
    let desk = Desk::new(90);
    let other = Desk::of(desk.bundle.clone());
    let mut key_lines: Vec<String> = desk
        .bundle
        .key()
        .to_pem()
        .expose_secret()
        .lines()
        .filter(|line| !line.contains("-----"))
        .map(str::to_owned)
        .collect();
    assert!(!key_lines.is_empty());
    key_lines.push(PASSWORD.to_owned());
    let (pfx, pem, password) = (desk.at("ssl.pfx"), desk.at("ssl.pem"), desk.at("password.txt"));
    let out = |name: &str| other.at(name);
    let lines: &[&[&str]] = &[
        &["cert", "inspect", &pfx, "--password-file", &password],
        &["cert", "inspect", &pem, "--format", "json"],
        &["cert", "inspect", &pem, "--password-file", &password, "--host", "other.example.com"],
        &["cert", "check", &pfx, "--password-env", "PFX", "--host", HOST],
        &[
            "cert",
            "convert",
            &pfx,
            "--password-env",
            "PFX",
            "--body",
            &out("b"),
            "--key",
            &out("k"),
            "--chain",
            &out("c"),
        ],
        &["cert", "convert", &pfx, "--password-env", "PFX", "--key", &out("no/k")],
        &[
            "cert",
            "bundle",
            &pfx,
            "--password-env",
            "PFX",
            "--out",
            &out("o"),
            "--keep-password",
            "--password-out",
            &out("p"),
        ],
        // The password where its name belongs, and where it must not be.
        &["cert", "inspect", &pfx, "--password-env", PASSWORD],
        &["cert", "inspect", &pfx, "--password", PASSWORD],
        &["cert", "inspect", &pfx, &format!("--password={PASSWORD}")],
        // The wrong files.
        &["cert", "inspect", &password, "--password-file", &password],
        &["cert", "inspect", &pfx, "--password-file", &pem],
        &["cert", "inspect", &pfx, "--password-file", &pfx],
        &["taskdef", "lint", &pem],
        &["taskdef", "diff", &password, &pem],
    ];
    for line in lines {
        let said = run(ENV, line).said();
        for secret in &key_lines {
            assert!(!said.contains(secret.as_str()), "{line:?}: {said}");
        }
    }
    // They are where they were asked for, and nowhere else.
    let holders = |secret: &str| -> Vec<String> {
        other
            .names()
            .into_iter()
            .filter(|name| {
                fs::read(other.path(name)).unwrap().windows(secret.len()).any(|window| window == secret.as_bytes())
            })
            .collect()
    };
    assert_eq!(holders(&key_lines[0]), ["k", "ssl.pem"]);
    assert_eq!(holders(PASSWORD), ["p", "password.txt"]);
    #[cfg(unix)]
    assert_eq!((mode(&other.path("k")), mode(&other.path("p"))), (0o600, 0o600));
}
