//! What a name says about its value, and where the name of a value stands.

mod after;
mod before;
pub(super) mod hint;
mod words;

pub(super) use self::after::joint_len;
pub(super) use self::before::{Named, before};
use self::words::{
    ABOUT, ABOUT_ANYWHERE, KEY_KINDS, OTHER_KEYS, PASSWORD_ENDS, PASSWORDS, SECRET_ENDS, SECRETS,
};

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

/// A cheap test that lets through every name [`promise`] or a named rule may accept.
pub(super) fn may_hold_secret(name: &[u8]) -> bool {
    let name = name.get(name.len().saturating_sub(2 * MAX_NAME)..).unwrap_or_default();
    hint::last(name, name.len()).is_some()
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
    // `the api key for staging`
    let name = name.split("_for_").next().unwrap_or(name);
    if says_about(name) {
        return None;
    }
    let mut last: Vec<&str> = name.rsplit('_').take(LAST_WORDS).collect();
    last.reverse();
    let is = |words: &[&str], ends: &[&str]| {
        last.iter().any(|word| words.contains(word) || ends.iter().any(|end| word.ends_with(end)))
    };
    if is(PASSWORDS, PASSWORD_ENDS) {
        return Some(Promise::Password);
    }
    let key = last.windows(2).any(|pair| {
        matches!(pair, [kind, noun] if matches!(*noun, "key" | "keys") && KEY_KINDS.contains(kind))
    });
    let personal = last.last() == Some(&"pat") && last.len() > 1;
    (key || personal || is(SECRETS, SECRET_ENDS)).then_some(Promise::Secret)
}

/// Whether the [`normalised`] name leaves so little doubt that even a UUID behind it is a secret.
pub(super) fn is_plain(name: &str) -> bool {
    const KEYS: &[&str] = &["api", "access", "secret", "auth", "service", "admin", "rest"];
    const TOKENS: &[&str] = &[
        "api", "access", "auth", "bearer", "bot", "server", "service", "admin", "webhook",
        "deploy", "private", "personal", "refresh",
    ];
    let mut words = name.rsplit('_');
    match (words.next(), words.next()) {
        (Some("apikey" | "authorization" | "accesskey" | "secretkey" | "apitoken"), _) => true,
        (Some("secret"), Some(of)) => of != "the",
        (Some("key"), Some(of)) => KEYS.contains(&of),
        (Some("token"), Some(of)) => TOKENS.contains(&of),
        _ => false,
    }
}

/// Whether the [`normalised`] name is that of some key, as `acme_key` is, and of none that is known to be
/// no secret.
pub(super) fn is_some_key(name: &str) -> bool {
    const SHORTEST: usize = 4;
    let mut words = name.rsplit('_');
    let key = matches!(words.next(), Some("key"));
    let mut owner = words.take(LAST_WORDS);
    key && owner.next().is_some_and(|word| {
        word.len() >= SHORTEST
            && word.bytes().all(|byte| byte.is_ascii_lowercase())
            && !OTHER_KEYS.contains(&word)
    }) && !says_about(name)
}

/// Whether the [`normalised`] name says that its value is about a secret and not one.
pub(super) fn says_about(name: &str) -> bool {
    const KINDS: &[&str] = &["access", "private", "secret", "api", "auth"];
    let mut words = name.rsplit('_').take(LAST_WORDS);
    if words.next().is_some_and(|last| ABOUT.contains(&last) || ABOUT_ANYWHERE.contains(&last)) {
        return true;
    }
    let mut plain = false;
    words.enumerate().any(|(at, word)| {
        plain |= at == 0 && KINDS.contains(&word);
        ABOUT_ANYWHERE.contains(&word) && (!plain || word == "public")
    })
}

/// The text shortly before a value, from a word on, as far as the line before its own.
pub(super) fn vicinity(bytes: &[u8], value: usize) -> &[u8] {
    let start = value.saturating_sub(MAX_NAME);
    let head = bytes.get(start..value).unwrap_or_default();
    let cut = start.checked_sub(1).and_then(|before| bytes.get(before));
    let rest = match cut {
        Some(byte) if byte.is_ascii_alphanumeric() => {
            head.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
        }
        _ => 0,
    };
    let mut breaks = memchr::memrchr_iter(b'\n', head).skip(1);
    let line = breaks.next().map_or(0, |at| at + 1);
    head.get(line.max(rest)..).unwrap_or_default()
}

/// Whether a name says that its value is about a secret or something else entirely.
pub(super) fn is_about(bytes: &[u8], name: &Named) -> bool {
    says_about(&normalised(bytes.get(name.span.clone()).unwrap_or_default()))
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
            ("$api_token .= \"VALUE", "api_token"),
            ("@token ||= \"VALUE", "token"),
            ("TOKEN ::= VALUE", "TOKEN"),
            ("token <- \"VALUE", "token"),
            ("<apiToken>\n   VALUE", "apiToken"),
            ("x.setPassword(\"VALUE", "setPassword"),
            ("ENV API_TOKEN VALUE", "API_TOKEN"),
            ("<add key=\"apiToken\" value=\"VALUE", "apiToken"),
            ("- name: API_TOKEN\n  value: \"VALUE", "API_TOKEN"),
            ("Authorization: Token VALUE", "Authorization"),
            ("'Authorization': 'ApiKey VALUE", "Authorization"),
            ("ALTER USER x PASSWORD 'VALUE", "PASSWORD"),
            ("machine h login me password VALUE", "password"),
        ] {
            let at = text.find(value).unwrap();
            let named = before(text.as_bytes(), at).unwrap_or_else(|| panic!("{text}"));
            assert!(text[named.span].ends_with(name), "{text}");
            assert_eq!(named.listed, text.contains(','), "{text}");
        }
        for text in ["the idea VALUE", "VALUE", "; VALUE", "(VALUE", "password VALUE", "key(VALUE"]
        {
            assert_eq!(before(text.as_bytes(), text.find(value).unwrap()), None, "{text}");
        }
    }
}
