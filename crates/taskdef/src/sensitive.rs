//! Telling secrets from settings, by name and by look. Lint warns of what this finds, diff hides it.

use serde_json::Value;

use crate::arn::Arn;

/// Why a value looks like a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A device configuration of Keeper Secrets Manager.
    KsmConfig,
    /// A private key in PEM.
    PrivateKey,
    /// An access key of AWS.
    AccessKey,
    /// A signed web token.
    WebToken,
    /// A URL with a password in it.
    PasswordInUrl,
    /// An option or an assignment that sets something named like a secret.
    Assignment,
    /// As irregular as only generated text is.
    Random,
}

/// Words that make the name of a variable the name of a secret.
const SECRET_WORDS: &[&str] = &[
    "pass",
    "passcode",
    "password",
    "passwords",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "credential",
    "credentials",
    "privatekey",
];
/// Ends of words that do the same, as in `PGPASSWORD`.
const SECRET_ENDS: &[&str] = &["password", "passwords", "passwd", "secret", "token"];
/// Pairs of words that do the same.
const SECRET_PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("private", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("config", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("ksm", "config"),
    ("client", "secret"),
];
/// Last words that turn it into something about a secret.
const HARMLESS_ENDS: &[&str] = &[
    "file", "path", "dir", "arn", "url", "uri", "name", "type", "ttl", "timeout", "enabled", "length", "id", "header",
];

/// Whether a variable of this name is meant to hold a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    // Most names have none of these and need no closer look.
    const STEMS: &[&str] = &["pass", "pwd", "secret", "token", "key", "credential", "ksm"];
    let small = name.to_ascii_lowercase();
    if !STEMS.iter().any(|stem| small.contains(stem)) {
        return false;
    }
    let words: Vec<String> = words(name);
    let Some(last) = words.last() else { return false };
    if HARMLESS_ENDS.contains(&last.as_str()) {
        return false;
    }
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()) || SECRET_ENDS.iter().any(|end| word.ends_with(end)))
        || words.windows(2).any(|pair| SECRET_PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())))
}

/// `clientSecret`, `CLIENT_SECRET` and `client-secret` are the same two words, and so are those of `DBPassword`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous_lower = false;
    let mut open = false;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_alphanumeric() {
            (open, previous_lower) = (false, false);
            continue;
        }
        let before_small = characters.peek().is_some_and(|next| next.is_lowercase());
        if !open || (character.is_uppercase() && (previous_lower || before_small)) {
            words.push(String::new());
        }
        (open, previous_lower) = (true, character.is_lowercase());
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    words
}

/// What a value looks like, whatever its name.
pub(crate) fn look(value: &str) -> Option<Look> {
    let text = value.trim();
    if text.contains("PRIVATE KEY-----") {
        return Some(Look::PrivateKey);
    }
    if is_ksm_config(text) {
        return Some(Look::KsmConfig);
    }
    if text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_access_key) {
        return Some(Look::AccessKey);
    }
    if text.starts_with("eyJ") && text.split('.').count() == 3 && !text.contains(char::is_whitespace) {
        return Some(Look::WebToken);
    }
    if has_password_in_url(text) {
        return Some(Look::PasswordInUrl);
    }
    if text.split_whitespace().any(is_assignment) {
        return Some(Look::Assignment);
    }
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '='))
        .any(is_random)
        .then_some(Look::Random)
}

/// Whether text is a device configuration, as JSON or as base64 of JSON in any of its spellings.
fn is_ksm_config(text: &str) -> bool {
    // `e` is where base64 of `{` begins.
    if !text.starts_with(['{', 'e']) {
        return false;
    }
    let decoded = if text.starts_with('{') {
        Some(text.as_bytes().to_vec())
    } else {
        let text: String = text.split_ascii_whitespace().collect();
        base64(text.as_bytes()).filter(|bytes| bytes.first() == Some(&b'{'))
    };
    let members = decoded.and_then(|bytes| serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes).ok());
    members.is_some_and(|members| {
        ["clientId", "privateKey", "appKey", "clientKey"].iter().any(|name| members.contains_key(*name))
    })
}

/// Decodes base64 in either alphabet, padded or not.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &character in text {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn is_access_key(word: &str) -> bool {
    word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn has_password_in_url(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

/// `--db-password=hunter2`, but not `--db-password=$DB_PASSWORD`.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, value)| {
        let name = name.strip_prefix("-D").unwrap_or(name);
        !value.is_empty() && !value.starts_with('$') && !value.starts_with("\"$") && is_secret_name(name)
    })
}

/// Whether the next word of a command line is a secret: `--token` or `-password`.
pub(crate) fn is_secret_option(word: &str) -> bool {
    word.starts_with('-') && !word.contains('=') && is_secret_name(word)
}

/// Generated text: one long word with small and capital letters and digits, in no order. Names, paths, ids,
/// hexadecimal digests and versions are all more regular than that.
fn is_random(word: &str) -> bool {
    const SHORTEST: usize = 20;
    const BITS_PER_CHARACTER: f64 = 3.6;
    let body = word.trim_end_matches('=');
    if body.len() < SHORTEST || body.contains("/file/") || body.starts_with("arn:") {
        return false;
    }
    if !body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_')) {
        return false;
    }
    // A path has short parts, base64 has slashes only now and then.
    if body.starts_with('/') || body.split(['/', '-', '_']).all(|part| part.len() < 12) {
        return false;
    }
    let has = |test: fn(&u8) -> bool| body.as_bytes().iter().filter(|byte| test(byte)).count();
    let (small, capital, digit) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase), has(u8::is_ascii_digit));
    small >= 3 && capital >= 3 && digit >= 1 && entropy(body.as_bytes()) >= BITS_PER_CHARACTER
}

/// Shannon's entropy in bits per byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}

/// Settings whose values may be shown: what the service and the writer image document as plain.
const PLAIN_NAMES: &[&str] = &[
    "SECRETS",
    "SECRETS_FILE",
    "SECRETS_FILE_TYPE",
    "CLEANUP_FILE",
    "SSL_MODE",
    "SSL_CERTIFICATE_FILE",
    "AUTOMATOR_HOST",
    "AUTOMATOR_PORT",
    "AUTOMATOR_DEBUG",
    "DISABLE_SNI_CHECK",
    "EMAIL_DOMAINS",
    "FILTER_BY_EMAIL_DOMAINS",
    "ENABLE_RATE_LIMITS",
    "IP_ALLOW",
    "IP_DENY",
];

/// Whether the value of a plain environment variable may be shown. Unknown variables are not: somebody
/// may have put a password there that looks like a word.
pub(crate) fn may_show_variable(name: &str, value: &str) -> bool {
    let trivial = matches!(value, "" | "true" | "false");
    trivial || (PLAIN_NAMES.contains(&name) && !is_secret_line(value))
}

/// Members that name something. Names that a program made look random without being secret.
const NAMING_MEMBERS: &[&str] =
    &["family", "name", "sourceVolume", "containerName", "awslogs-group", "awslogs-stream-prefix"];

/// What the value of a member looks like.
pub(crate) fn look_of(member: &str, value: &str) -> Option<Look> {
    look(value).filter(|look| *look != Look::Random || !NAMING_MEMBERS.contains(&member))
}

/// Whether any other text of a document may be shown.
pub(crate) fn may_show(member: &str, value: &str) -> bool {
    match member {
        _ if value.is_empty() => true,
        // Somebody may have pasted the secret itself.
        "valueFrom" | "credentialsParameter" => is_reference(value) && !is_secret_line(value),
        // No name has an equals sign; what is behind it is a value.
        "name" if value.contains('=') => false,
        _ if NAMING_MEMBERS.contains(&member) => !value.lines().any(|line| look_of(member, line).is_some()),
        _ => !is_secret_name(member) && !is_secret_line(value),
    }
}

/// Whether the name of a variable may be shown: somebody may have written name and value in one.
pub(crate) fn may_show_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    name.bytes().all(legal) && look(name).is_none()
}

/// An ARN ECS can fetch from, or the name of a parameter. Such names may look random.
pub(crate) fn is_reference(text: &str) -> bool {
    if text.starts_with("arn:") {
        return Arn::parse(text).is_some_and(|arn| arn.is_secret());
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/');
    (1..=2048).contains(&text.len()) && text.bytes().all(legal) && look(text).is_none_or(|look| look == Look::Random)
}

fn is_secret_line(value: &str) -> bool {
    value.lines().any(|line| look(line).is_some()) || look(value).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in [
            "DB_PASSWORD",
            "clientSecret",
            "API_KEY",
            "githubToken",
            "splunk-token",
            "AUTOMATOR_CONFIG_KEY",
            "KSM_CONFIG",
            "PGPASSWORD",
            "RABBITMQ_DEFAULT_PASS",
            "DB_PASS",
            "DBPassword",
            "APIKey",
            "DOOR_PASSCODE",
            "passwords",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "SECRETS",
            "SSL_CERTIFICATE_FILE",
            "PASSWORD_FILE",
            "TOKEN_URL",
            "KEYBOARD",
            "PATH",
            "BYPASS",
            "compass",
            "",
            "__",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn every_word_and_pair_passes_the_first_look() {
        for name in SECRET_WORDS
            .iter()
            .map(|word| (*word).to_owned())
            .chain(SECRET_PAIRS.iter().map(|(a, b)| format!("{a}_{b}")))
        {
            assert!(is_secret_name(&name), "{name}");
        }
    }

    #[test]
    fn secrets_have_a_look() {
        for (value, expected) in [
            ("{\"hostname\":\"keepersecurity.com\",\"clientId\":\"x\"}", Look::KsmConfig),
            ("eyJob3N0bmFtZSI6ImtlZXBlcnNlY3VyaXR5LmNvbSIsImNsaWVudElkIjoieCJ9", Look::KsmConfig),
            ("-----BEGIN PRIVATE KEY-----", Look::PrivateKey),
            ("key AKIAABCDEFGHIJKLMNOP", Look::AccessKey),
            ("eyJhbGciOiJub25lIn0.e30.c2ln", Look::WebToken),
            ("postgres://user:pass@db.example/x", Look::PasswordInUrl),
            ("serve --db-password=hunter2", Look::Assignment),
            ("java -Dclient.secret=hunter2", Look::Assignment),
            ("tPz7Kq2mXvB9LwNcR4sDfG8h", Look::Random),
        ] {
            assert_eq!(look(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn settings_have_none() {
        for value in [
            "",
            "certificate",
            "serve --db-password=$DB_PASSWORD",
            "/usr/mybin/config/ssl-certificate-password.txt",
            "keeper/automator:17.1.5",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:automator-AbCdEf",
            "q1ZBkT0xJ7mW8c2Yd4NfRg/file/keeper.properties > file:/usr/mybin/settings/keeper.properties",
            "sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "https://automator.example.com/health",
            "123e4567-e89b-12d3-a456-426614174000",
        ] {
            assert_eq!(look(value), None, "{value}");
        }
    }

    #[test]
    fn generated_names_are_shown_and_other_generated_text_is_not() {
        let name = "AutomatorStackTaskLogGroup8F3A2B1C-tPz7Kq2mXvB9LwNc";
        assert_eq!(look(name), Some(Look::Random));
        for member in NAMING_MEMBERS {
            assert!(may_show(member, name) && look_of(member, name).is_none(), "{member}");
        }
        assert!(!may_show("user", name));
        assert!(!may_show("name", "key AKIAABCDEFGHIJKLMNOP"));
    }

    #[test]
    fn a_secret_in_the_place_of_its_reference_is_not_shown() {
        for member in ["valueFrom", "credentialsParameter"] {
            assert!(!may_show(member, "Tr0ub4dor&3"));
            assert!(!may_show(member, "tPz7Kq2mXvB9LwNcR4sDfG8h"));
            assert!(may_show(
                member,
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:automator-AbCdEf:password::"
            ));
            assert!(may_show(member, "/automator/prod/password"));
        }
        assert!(is_reference("AutomatorProdDatabasePassword1"));
    }

    #[test]
    fn base64_of_either_alphabet_decodes() {
        assert_eq!(base64(b"_-8=").unwrap(), base64(b"/+8").unwrap());
        assert_eq!(base64(b"a b"), None);
    }
}
