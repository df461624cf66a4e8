//! What a name says about its value.

/// Longest name that is looked at.
pub(super) const MAX_NAME: usize = 48;

/// Words of a name that count: `the new api key` is about a key.
const LAST_WORDS: usize = 3;

/// What a secret-bearing name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// Chosen by a person; may be short.
    Password,
    /// Made by a machine; looks random.
    Secret,
}

const PASSWORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "pass",
    "pw",
    "psw",
    "userpass",
];

const PASSWORD_ENDS: &[&str] = &["password", "passwd", "passphrase", "pwd"];

const SECRETS: &[&str] = &[
    "secret",
    "secrets",
    "token",
    "apikey",
    "apikeys",
    "credential",
    "credentials",
    "auth",
    "authorization",
    "bearer",
    "appkey",
    "authkey",
    "cookie",
    "webhook",
    "sessionid",
    "signature",
    "authtoken",
    "apitoken",
];

const SECRET_ENDS: &[&str] =
    &["secret", "token", "apikey", "secretkey", "accesskey", "privatekey", "authkey", "signingkey"];

/// `<one of these> key` is a secret; `primary key`, `public key` and the like are not.
const KEY_KINDS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "master",
    "account",
    "storage",
    "app",
    "application",
    "service",
    "admin",
    "consumer",
    "client",
    "integration",
    "ingest",
    "license",
    "write",
    "subscription",
    "shared",
    "webhook",
    "session",
    "crypt",
    "aes",
    "hmac",
    "des",
    "deploy",
    "license",
    "root",
    "server",
    "live",
    "functions",
    "management",
    "shared_access",
];

/// Words that say the value is about a secret and not the secret.
const ABOUT: &[&str] = &[
    "id",
    "ids",
    "name",
    "names",
    "type",
    "types",
    "count",
    "page",
    "next",
    "prev",
    "cursor",
    "continuation",
    "sync",
    "limit",
    "max",
    "min",
    "total",
    "usage",
    "url",
    "uri",
    "endpoint",
    "path",
    "file",
    "filename",
    "dir",
    "length",
    "len",
    "size",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "checksum",
    "digest",
    "integrity",
    "fingerprint",
    "public",
    "policy",
    "field",
    "regex",
    "pattern",
    "expires",
    "expiry",
    "expiration",
    "ttl",
    "ref",
    "arn",
    "label",
    "placeholder",
    "hint",
    "format",
    "version",
    "description",
    "title",
    "commit",
    "etag",
    "method",
    "mode",
    "kind",
    "status",
    "error",
    "message",
    "help",
    "location",
    "column",
    "table",
    "class",
    "function",
    "test",
    "algorithm",
    "alg",
    "manager",
    "store",
    "provider",
    "prompt",
    "resource",
    "tokenizer",
];

/// The name of a value in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) span: std::ops::Range<usize>,
    /// They merely stand side by side in a list, so the value itself must look like a secret.
    pub(super) listed: bool,
}

/// A cheap test that lets through every name [`promise`] or a named rule may accept.
pub(super) fn may_hold_secret(name: &[u8]) -> bool {
    let name = name.get(name.len().saturating_sub(2 * MAX_NAME)..).unwrap_or_default();
    let hinted = |(at, byte): (usize, &u8)| {
        let hints: &[&[u8]] = match byte | 0x20 {
            b'p' => &[b"pass", b"pwd"],
            b's' => &[b"secret", b"session", b"signature"],
            b't' => &[b"token"],
            b'k' => &[b"key"],
            b'c' => &[b"cred", b"cookie"],
            b'a' => &[b"auth"],
            b'b' => &[b"bearer"],
            b'w' => &[b"webhook"],
            _ => return false,
        };
        let rest = name.get(at..).unwrap_or_default();
        hints
            .iter()
            .any(|hint| rest.get(..hint.len()).is_some_and(|part| part.eq_ignore_ascii_case(hint)))
    };
    name.iter().enumerate().any(hinted) || short_password_name(name)
}

fn short_password_name(name: &[u8]) -> bool {
    let ends = |end: &[u8]| {
        name.len()
            .checked_sub(end.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    ends(b"pw") || ends(b"psw")
}

/// The name in lower case, its words joined by `_`: `X-Api-Key`, `apiKey` and `api key` are `api_key`.
pub(super) fn normalised(name: &[u8]) -> String {
    let name = name.get(name.len().saturating_sub(2 * MAX_NAME)..).unwrap_or_default();
    let mut words = String::with_capacity(name.len() + 8);
    let mut previous = 0_u8;
    let mut next = name.iter().skip(1);
    for &byte in name {
        let following = next.next().copied().unwrap_or(0);
        let hump = byte.is_ascii_uppercase()
            && (previous.is_ascii_lowercase()
                || (previous.is_ascii_uppercase() && following.is_ascii_lowercase()));
        let separates = !byte.is_ascii_alphanumeric();
        if (hump || separates) && !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
        if !separates {
            words.push(char::from(byte.to_ascii_lowercase()));
        }
        previous = byte;
    }
    words.truncate(words.trim_end_matches('_').len());
    words
}

/// What the [`normalised`] name promises, if anything.
pub(super) fn promise(name: &str) -> Option<Promise> {
    let mut last: Vec<&str> = name.rsplit('_').take(LAST_WORDS).collect();
    last.reverse();
    if last.iter().any(|word| ABOUT.contains(word)) {
        return None;
    }
    let is = |words: &[&str], ends: &[&str]| {
        last.iter().any(|word| words.contains(word) || ends.iter().any(|end| word.ends_with(end)))
    };
    if is(PASSWORDS, PASSWORD_ENDS) {
        return Some(Promise::Password);
    }
    let key = last.windows(2).any(|pair| {
        matches!(pair, [kind, noun] if matches!(*noun, "key" | "keys") && KEY_KINDS.contains(kind))
    });
    (key || is(SECRETS, SECRET_ENDS)).then_some(Promise::Secret)
}

/// Where the name of the value at `value` stands, and whether the two are joined at all.
///
/// Understands `name = value`, `"name": "value"`, `name => value`, `name: Type = value`,
/// `<name>value`, `--name value`, `"name", "value"` and `the name is value`.
pub(super) fn before(bytes: &[u8], value: usize) -> Option<Named> {
    let head = bytes.get(value.saturating_sub(2 * MAX_NAME)..value)?;
    let offset = value - head.len();
    let gap = strip(head, is_gap);
    let (joined, joint) = join(gap)?;
    let spaced = joint == Joint::Space;
    let named = if spaced { joined } else { strip(joined, is_gap) };
    let named = strip(named, |byte| matches!(byte, b']' | b'?' | b'!'));
    let named = strip(named, is_gap);
    let length = named
        .iter()
        .rev()
        .take(MAX_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-. :".contains(byte))
        .count();
    let start = named.len() - length;
    if length == 0 || (spaced && !named.get(start..)?.starts_with(b"--") && !flag(named)) {
        return None;
    }
    Some(Named { span: offset + start..offset + named.len(), listed: joint == Joint::Comma })
}

/// What joins a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Operator,
    Comma,
    Space,
}

/// Takes the joint between name and value off the end.
fn join(gap: &[u8]) -> Option<(&[u8], Joint)> {
    match gap {
        [head @ .., b'=' | b':'] | [head @ .., b'=', b'>'] => {
            Some((strip(head, |byte| matches!(byte, b'=' | b':')), Joint::Operator))
        }
        [head @ .., b'>'] => Some((head, Joint::Operator)),
        [head @ .., b'"' | b'\'', b','] => Some((head, Joint::Comma)),
        [head @ .., b' ', b'i', b's'] => Some((head, Joint::Operator)),
        [.., last] if last.is_ascii_alphanumeric() => Some((gap, Joint::Space)),
        _ => None,
    }
}

/// Whether the last word is a command line flag.
fn flag(named: &[u8]) -> bool {
    let word = named.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    named.get(named.len() - word..).is_some_and(|word| word.starts_with(b"--"))
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\')
}

fn strip(bytes: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let kept = bytes.len() - bytes.iter().rev().take_while(|byte| drop(**byte)).count();
    bytes.get(..kept).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(name: &str) -> Option<Promise> {
        let promised = promise(&normalised(name.as_bytes()));
        assert!(promised.is_none() || may_hold_secret(name.as_bytes()), "the gate loses {name}");
        promised
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, words) in [
            ("apiKey", "api_key"),
            ("X-Api-Key", "x_api_key"),
            ("AWSSecretKey", "aws_secret_key"),
            ("--db.password", "db_password"),
            ("API key", "api_key"),
        ] {
            assert_eq!(normalised(name.as_bytes()), words);
        }
    }

    #[test]
    fn secret_bearing_names_are_known() {
        for name in [
            "password",
            "DB_PASSWORD",
            "userPassword",
            "dbpasswd",
            "PGPASSWORD",
            "pwd",
            "smtp_pass",
        ] {
            assert_eq!(says(name), Some(Promise::Password), "{name}");
        }
        for name in [
            "client_secret",
            "api_key",
            "apiKey",
            "X-Auth-Token",
            "SECRET_KEY_BASE",
            "accessKey",
            "github_token",
        ] {
            assert_eq!(says(name), Some(Promise::Secret), "{name}");
        }
    }

    #[test]
    fn names_about_secrets_are_not_secret() {
        for name in [
            "max_tokens",
            "next_page_token",
            "token_count",
            "primary_key",
            "public_key",
            "key",
            "secret_name",
            "password_policy",
            "file_path",
            "compass",
            "author",
            "keyboard",
            "passenger_list",
            "secretary",
        ] {
            assert_eq!(says(name), None, "{name}");
        }
    }

    #[test]
    fn the_name_before_a_value_is_found() {
        let value = "VALUE";
        for (text, name) in [
            ("api_key=VALUE", "api_key"),
            ("\"token\": \"VALUE", "token"),
            ("\\\"token\\\":\\\"VALUE", "token"),
            ("key => 'VALUE", "key"),
            ("<token>VALUE", "token"),
            ("run --token VALUE", "--token"),
            ("\"token\", \"VALUE", "token"),
            ("API key is VALUE", "API key"),
        ] {
            let at = text.find(value).unwrap();
            let named = before(text.as_bytes(), at).unwrap_or_else(|| panic!("{text}"));
            assert!(text[named.span].ends_with(name), "{text}");
            assert_eq!(named.listed, text.contains(','));
        }
        for text in ["the token VALUE", "VALUE", "; VALUE", "(VALUE"] {
            assert_eq!(before(text.as_bytes(), text.find(value).unwrap()), None, "{text}");
        }
    }
}
