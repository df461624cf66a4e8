//! What a name says about its value.

use super::wrapping;

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
    "address",
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
    (key || is(SECRETS, SECRET_ENDS)).then_some(Promise::Secret)
}

/// Whether the [`normalised`] name says that its value is about a secret and not one.
pub(super) fn says_about(name: &str) -> bool {
    name.rsplit('_').take(LAST_WORDS).any(|word| ABOUT.contains(&word))
}

/// How far before a value its name is looked for, in bytes.
const REACH: usize = 160;

/// Where the name of the value at `value` stands, and whether the two are joined at all.
///
/// Understands `name = value` and the other operators of programs, `"name": "value"`, `name => value`,
/// `name: Type = value`, `<name>value`, `name("value")`, `--name value`, `ENV name value`,
/// `"name", "value"`, `| name | value |`, `name="name" value="value"`, `Authorization: Scheme value` and
/// `the name is value`.
pub(super) fn before(bytes: &[u8], value: usize) -> Option<Named> {
    let head = bytes.get(value.saturating_sub(REACH)..value)?;
    let offset = value - head.len();
    if head.ends_with(b"\\") && bytes.get(value) == Some(&b'x') {
        // `'\x2ff9...'` is how databases write bytes.
        return None;
    }
    let gap = strip(head, is_gap);
    let quoted = head.len() > gap.len() && head.last().is_some_and(|byte| is_quote(*byte));
    let gap = if quoted { strip(wrapping::without_literal_mark(gap), is_gap) } else { gap };
    let (joined, joint) = join(gap, quoted)?;
    let outermost = trim_name(joined, joint);
    let (named, name) = innermost(outermost, joint)?;
    if name.starts_with(b"arn:") {
        return None;
    }
    if joint == Joint::Space && !may_stand_beside(named, name, quoted) {
        return scheme(joined, offset);
    }
    let end = offset + named.len();
    let listed = match joint {
        Joint::Comma => true,
        // Types are made of what they wrap; functions may do anything to it.
        Joint::Call if outermost.len() > named.len() => !makes(outermost),
        Joint::Call => !sets(name),
        Joint::Operator | Joint::Space => false,
    };
    Some(Named { span: end - name.len()..end, listed })
}

/// The name of a value and the text it ends, where `named` ends with what stands directly before it.
fn innermost(named: &[u8], joint: Joint) -> Option<(&[u8], &[u8])> {
    if let Some(outer) = wrapping::before_sibling(named) {
        return last_name(outer).map(|name| (outer, name));
    }
    let name = last_name(named)?;
    // `arn:aws:secretsmanager:eu-west-1:1234:secret:` is the name of a thing.
    if name.iter().filter(|byte| **byte == b':').count() > 2 {
        return None;
    }
    if is_weak(name) {
        // `<add key="name" value="...`: the name stands before the word `value`.
        let head = named.get(..named.len() - name.len()).unwrap_or_default();
        let outer = strip(head, |byte| !byte.is_ascii_alphanumeric());
        return Some(last_name(outer).map_or((named, name), |name| (outer, identifier(name))));
    }
    if joint == Joint::Call
        && !sets(name)
        && let Some(head) = wrapping::before_call(named)
    {
        let outer = trim_name(head, Joint::Operator);
        return last_name(outer).map(|name| (outer, name));
    }
    Some((named, name))
}

/// How long what joins a name to its value is, as far as the value; 0 when nothing does.
pub(super) fn joint_len(after: &[u8]) -> usize {
    let joint = |byte: &u8| b" \t\"'`\\=:>,]?!(|.+~".contains(byte);
    let skip = |from: usize, within: &dyn Fn(&u8) -> bool| {
        let rest = after.get(from..).unwrap_or_default();
        from + rest.iter().take(MAX_JOINT).take_while(|byte| within(byte)).count()
    };
    let mut length = skip(wrapping::len_after(after), &joint);
    if after.get(length..).unwrap_or_default().starts_with(b"is ") {
        return length + "is ".len();
    }
    // `name: X\n  value: ` and `key="x" value="`.
    let next = skip(length, &|byte| joint(byte) || matches!(byte, b'\r' | b'\n'));
    if let Some(typed) = type_len(after.get(length..).unwrap_or_default()) {
        return skip(length + typed, &joint);
    }
    let rest = after.get(next..).unwrap_or_default();
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if rest.get(..word).is_some_and(is_weak) {
        length = skip(next + word, &joint);
    } else if after.get(length..next).is_some_and(|gap| !gap.is_empty())
        && after.get(..length).is_some_and(|gap| gap.iter().any(|byte| b"=>".contains(byte)))
    {
        // Markup and assignments may put the value on a line of its own.
        length = next;
    }
    length
}

/// How long a type between a name and `=` is, as in `password: &str = "..."`.
fn type_len(after: &[u8]) -> Option<usize> {
    const LONGEST: usize = 32;
    let of_type = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_&<>[]?.*'".contains(byte);
    let length = after.iter().take(LONGEST).take_while(of_type).count();
    let gap = after.get(length..)?.iter().take_while(|byte| **byte == b' ').count();
    let operator = after.get(length + gap..)?;
    (length > 0 && gap > 0 && matches!(operator, [b'=', next, ..] if *next != b'='))
        .then_some(length + gap)
}

/// Most bytes of one stretch between a name and its value.
const MAX_JOINT: usize = 16;

/// The text shortly before a value, as far as the line before its own.
pub(super) fn vicinity(bytes: &[u8], value: usize) -> &[u8] {
    let head = bytes.get(value.saturating_sub(2 * MAX_NAME)..value).unwrap_or_default();
    let mut breaks = memchr::memrchr_iter(b'\n', head).skip(1);
    breaks.next().and_then(|at| head.get(at + 1..)).unwrap_or(head)
}

/// Whether a name says that its value is about a secret or something else entirely.
pub(super) fn is_about(bytes: &[u8], name: &Named) -> bool {
    says_about(&normalised(bytes.get(name.span.clone()).unwrap_or_default()))
}

/// What joins a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Operator,
    Comma,
    Call,
    Space,
}

/// Takes the joint between name and value off the end. `quoted` says that the value is.
fn join(gap: &[u8], quoted: bool) -> Option<(&[u8], Joint)> {
    // Markup and assignments may put the value on a line of its own.
    let broken = strip(gap, |byte| is_gap(byte) || matches!(byte, b'\n' | b'\r'));
    if let Some(head) = wrapping::before_block(broken).filter(|_| broken.len() < gap.len()) {
        return Some((head, Joint::Operator));
    }
    let gap = match broken.last() {
        Some(b'>' | b'=' | b':' | b'(') => broken,
        _ => gap,
    };
    match gap {
        // A comparison, and not with a literal.
        [.., b'=', b'='] if !quoted => None,
        [head @ .., b'=' | b':'] | [head @ .., b'=' | b'-', b'>'] | [head @ .., b'<', b'-'] => {
            let decoration = |byte: u8| b"=:?|+.~!<-".contains(&byte);
            Some((strip(head, decoration), Joint::Operator))
        }
        [head @ .., b'>'] => Some((head, Joint::Operator)),
        [head @ .., b'('] if quoted => Some((head, Joint::Call)),
        [head @ .., b'"' | b'\'', b','] => Some((head, Joint::Comma)),
        [head @ .., b'|'] => Some((head, Joint::Comma)),
        [head @ .., b' ', b'i', b's'] => Some((head, Joint::Operator)),
        [.., last] if last.is_ascii_alphanumeric() => Some((gap, Joint::Space)),
        _ => None,
    }
}

/// Takes off what may stand between a name and its joint.
fn trim_name(joined: &[u8], joint: Joint) -> &[u8] {
    if joint == Joint::Space {
        return joined;
    }
    let named = strip(joined, is_gap);
    let named = strip(wrapping::without_declarator(named), is_gap);
    let named = strip(named, |byte| matches!(byte, b']' | b'?' | b'!' | b')'));
    strip(named, is_gap)
}

/// The name at the end of `named`, of words that may have spaces in between.
fn last_name(named: &[u8]) -> Option<&[u8]> {
    let length = named
        .iter()
        .rev()
        .take(MAX_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-. :&/".contains(byte))
        .count();
    named.get(named.len() - length..).filter(|name| !name.is_empty())
}

/// The identifier at the end of a name of several words.
fn identifier(name: &[u8]) -> &[u8] {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let length = name.iter().rev().take_while(part).count();
    name.get(name.len() - length..).unwrap_or_default()
}

/// Whether a name says nothing of its own, as `value` in `name="x" value="y"`.
fn is_weak(name: &[u8]) -> bool {
    let word = last_word(name);
    let weak: [&[u8]; 5] = [b"value", b"default", b"content", b"defaultvalue", b"val"];
    weak.iter().any(|weak| word.eq_ignore_ascii_case(weak))
}

fn last_word(text: &[u8]) -> &[u8] {
    let length = text.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    text.get(text.len() - length..).unwrap_or_default()
}

/// Whether a value may follow its name without anything in between.
fn may_stand_beside(named: &[u8], name: &[u8], quoted: bool) -> bool {
    let flag = last_word(named);
    if name.starts_with(b"--") || flag.starts_with(b"--") {
        return true;
    }
    let before = strip(named.get(..named.len() - flag.len()).unwrap_or_default(), is_gap);
    let keyword = last_word(before);
    let declares: [&[u8]; 7] = [b"env", b"arg", b"setenv", b"setx", b"set", b"-x", b"-gx"];
    if declares.iter().any(|word| keyword.eq_ignore_ascii_case(word))
        || (quoted && keyword == b"#define")
    {
        return true;
    }
    let promised = PASSWORDS.iter().any(|word| flag.eq_ignore_ascii_case(word.as_bytes()));
    // SQL: `CREATE USER x PASSWORD '...'`; netrc: `login x password ...`.
    promised && (quoted || is_netrc(before))
}

/// Whether the two words at the end are `login` and a name.
fn is_netrc(before: &[u8]) -> bool {
    let user = last_word(before).len();
    let head = before.get(..before.len() - user).unwrap_or_default();
    last_word(strip(head, |byte| byte.is_ascii_whitespace())) == b"login"
}

/// The name `Authorization` when `joined` ends with it and a scheme.
fn scheme(joined: &[u8], offset: usize) -> Option<Named> {
    let scheme = last_word(joined);
    let head = strip(joined.get(..joined.len() - scheme.len())?, is_gap);
    let (head, joint) = join(head, false)?;
    let named = trim_name(head, joint);
    let name = last_name(named)?;
    let tail = name.get(name.len().checked_sub(b"authorization".len())?..)?;
    let end = offset + named.len();
    (joint != Joint::Space && tail.eq_ignore_ascii_case(b"authorization"))
        .then(|| Named { span: end - tail.len()..end, listed: false })
}

/// Whether a function is named after what it sets.
fn sets(name: &[u8]) -> bool {
    let word = last_word(name);
    let word = word.rsplit(|byte| *byte == b'.').next().unwrap_or(word);
    ["set", "with", "add", "passw", "passphrase", "pwd"].iter().any(|start| {
        word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    })
}

/// Whether what is called is a type, such as `String::from`.
fn makes(callee: &[u8]) -> bool {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.:".contains(byte);
    let length = callee.iter().rev().take_while(part).count();
    callee.get(callee.len() - length).is_some_and(u8::is_ascii_uppercase)
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\\') || is_quote(byte)
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
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
        for text in ["the token VALUE", "VALUE", "; VALUE", "(VALUE", "password VALUE", "key(VALUE"]
        {
            assert_eq!(before(text.as_bytes(), text.find(value).unwrap()), None, "{text}");
        }
    }
}
