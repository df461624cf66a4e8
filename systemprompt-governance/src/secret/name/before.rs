//! The name in front of a value.

use super::MAX_NAME;
use super::words::PASSWORDS;
use crate::secret::wrapping;

/// The name of a value in a text.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::secret) struct Named {
    pub(in crate::secret) span: std::ops::Range<usize>,
    /// They merely stand side by side in a list, so the value itself must look like a secret.
    pub(in crate::secret) listed: bool,
}

/// How far before a value its name is looked for, in bytes.
const REACH: usize = 160;

/// Where the name of the value at `value` stands, and whether the two are joined at all.
///
/// Understands `name = value` and the other operators of programs, `"name": "value"`, `name => value`,
/// `name: Type = value`, `<name>value`, `name("value")`, `--name value`, `ENV name value`,
/// `"name", "value"`, `| name | value |`, `name="name" value="value"`, `Authorization: Scheme value` and
/// `the name is value`.
pub(in crate::secret) fn before(bytes: &[u8], value: usize) -> Option<Named> {
    let head = bytes.get(value.saturating_sub(REACH)..value)?;
    let offset = value - head.len();
    if head.ends_with(b"\\") && bytes.get(value) == Some(&b'x') {
        // `'\x2ff9...'` is how databases write bytes.
        return None;
    }
    let head = wrapping::without_cipher_mark(head);
    let gap = strip(head, is_gap);
    let quoted = head.len() > gap.len() && head.last().is_some_and(|byte| is_quote(*byte));
    let gap = if quoted { strip(wrapping::without_literal_mark(gap), is_gap) } else { gap };
    let (joined, joint) = join(gap, quoted)?;
    let outermost = trim_name(joined, joint);
    let (named, name) = innermost(outermost, joint)?;
    if name.starts_with(b"arn:") {
        return None;
    }
    if joint == Joint::Space {
        let header = scheme(joined, offset);
        if header.is_some() || !may_stand_beside(named, name, quoted) {
            return header;
        }
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
pub(super) fn is_weak(name: &[u8]) -> bool {
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
    if is_secret_noun(flag) {
        return true;
    }
    let promised = PASSWORDS.iter().any(|word| flag.eq_ignore_ascii_case(word.as_bytes()));
    // SQL: `CREATE USER x PASSWORD '...'`; netrc: `login x password ...`.
    promised && (quoted || is_netrc(before))
}

/// Whether a word is what people call a secret: what looks random behind it is one, though nothing joins
/// the two.
fn is_secret_noun(word: &[u8]) -> bool {
    const NOUNS: [&[u8]; 3] = [b"token", b"secret", b"key"];
    NOUNS.iter().any(|noun| {
        let tail = word.len().checked_sub(noun.len()).and_then(|at| word.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(noun))
    })
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
