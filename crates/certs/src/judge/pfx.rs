//! The PKCS#12 file: can the Automator service read it?
//!
//! The service reads it with Java and a FIPS build of Bouncy Castle. Nobody here could try that build, so these are
//! warnings: what the JDK or Bouncy Castle were seen to refuse, or to read as nothing without a word.

use std::collections::BTreeSet;

use super::Report;
use crate::bundle::Bundle;
use crate::pfx::PfxFacts;

const WRITE_AGAIN: &str = "the Automator service may not read this; write the file again in the modern format";

pub(super) fn judge(bundle: &Bundle, report: &mut Report) {
    if let Some(facts) = &bundle.source().pfx {
        let mut warn = |id, message: &str| report.warning(id, message.to_owned(), WRITE_AGAIN);
        ciphers(facts, &mut warn);
        mac(facts, &mut warn);
        form(facts, &mut warn);
    }
}

fn ciphers(facts: &PfxFacts, warn: &mut impl FnMut(&'static str, &str)) {
    let parts = || facts.key_encryption.iter().chain(&facts.certificate_encryption);
    let names = |wanted: &dyn Fn(&str) -> bool| -> String {
        let names: BTreeSet<&str> = parts().map(|part| part.name.as_str()).filter(|name| wanted(name)).collect();
        names.into_iter().collect::<Vec<_>>().join(" and ")
    };
    let legacy = names(&|name| name.starts_with("pbe") || name.contains("RC2"));
    if !legacy.is_empty() {
        warn("pfx-legacy-cipher", &format!("the file is encrypted by {legacy}"));
    }
    let unknown_to_java = names(&|name| name == "PBES2 AES-192-CBC" || name == "PBES2 3DES-CBC");
    if !unknown_to_java.is_empty() {
        warn("pfx-not-for-java", &format!("the file is encrypted by {unknown_to_java}, which Java refuses"));
    }
}

fn mac(facts: &PfxFacts, warn: &mut impl FnMut(&'static str, &str)) {
    match &facts.mac {
        None => warn("pfx-no-mac", "the file has no MAC, so nothing shows whether it was changed"),
        Some(mac) if mac.pbmac1 => warn("pfx-pbmac1", "the file's MAC is PBMAC1, which Java of today does not know"),
        Some(mac) => {
            if mac.digest != "SHA-1" && mac.digest != "SHA-256" {
                warn("pfx-mac-digest", &format!("the file's MAC uses {}", mac.digest));
            }
            if mac.salt_len == 0 {
                warn("pfx-mac-salt", "the file's MAC has an empty salt, which Java refuses");
            }
        }
    }
}

fn form(facts: &PfxFacts, warn: &mut impl FnMut(&'static str, &str)) {
    if facts.password_is_empty {
        warn("pfx-password-empty", "the password is empty");
    } else if !facts.password_is_ascii {
        warn("pfx-password-not-ascii", "the password has characters beyond ASCII; Java calls it incorrect");
    }
    if !facts.key_id_matches {
        warn("pfx-no-key-id", "key and certificate carry no common local key id, so Java gives a key without a chain");
    }
    if facts.plain_key {
        warn("pfx-plain-key", "the key is not encrypted in its bag, where Java does not find it");
    }
    if facts.nested {
        warn("pfx-nested", "bags lie inside of other bags, where Java does not find them");
    }
    if facts.padded_lengths {
        warn("pfx-padded-lengths", "lengths are written with needless digits, which Java refuses");
    }
}
