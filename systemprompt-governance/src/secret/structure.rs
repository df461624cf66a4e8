//! Secrets known by their structure: where they lie, given the place of the cue.

use std::ops::Range;

use memchr::memmem;

use super::base64;
use super::value::{Value, distinct, is_password, is_random};

/// Longest user name and password of a URL.
const MAX_USER_INFO: usize = 512;

/// The password of `scheme://user:password@host`; `authority` is just after `://`.
pub(super) fn url_password(bytes: &[u8], authority: usize) -> Option<Range<usize>> {
    let rest = bytes.get(authority..)?;
    let rest = rest.get(..rest.len().min(MAX_USER_INFO)).unwrap_or_default();
    let length = match is_database(bytes.get(..authority)?) {
        true => rest.iter().take_while(|byte| in_loose_authority(**byte)).count(),
        false => rest.iter().take_while(|byte| in_authority(**byte)).count(),
    };
    let authority_part = rest.get(..length)?;
    let at = authority_part.iter().rposition(|byte| *byte == b'@')?;
    let user_info = authority_part.get(..at)?;
    let colon = user_info.iter().position(|byte| *byte == b':')?;
    let password = user_info.get(colon + 1..)?;
    let span = authority + colon + 1..authority + at;
    (!is_url_placeholder(password)).then_some(span)
}

/// Whether a text ends in the scheme of a database or a queue. What connects to these often takes a password
/// with a slash in it, and none of their paths has an `@`.
fn is_database(head: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 13] = [
        b"postgres",
        b"postgresql",
        b"psql",
        b"mysql",
        b"mysql2",
        b"mariadb",
        b"mongodb",
        b"srv",
        b"redis",
        b"rediss",
        b"amqp",
        b"amqps",
        b"sqlserver",
    ];
    const LONGEST: usize = 12;
    let head = head.strip_suffix(b"://").unwrap_or(head);
    let tail = head.get(head.len().saturating_sub(LONGEST)..).unwrap_or_default();
    let length = tail.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let scheme = tail.get(tail.len() - length..).unwrap_or_default();
    SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// What may stand before the last `@`, in a database's password too.
fn in_loose_authority(byte: u8) -> bool {
    in_authority(byte) || byte == b'/'
}

fn in_authority(byte: u8) -> bool {
    !matches!(
        byte,
        0..=b' ' | 0x7f | b'/' | b'?' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|'
    )
}

fn is_url_placeholder(password: &[u8]) -> bool {
    // What is kept elsewhere.
    const REFERENCES: [&[u8]; 3] = [b"secret://", b"vault:", b"op://"];
    const PLACEHOLDERS: [&[u8]; 6] = [b"password", b"passwd", b"pass", b"pwd", b"pw", b"token"];
    password.len() < 2
        || distinct(password) < 2
        || REFERENCES.iter().any(|scheme| password.starts_with(scheme))
        || PLACEHOLDERS.iter().any(|word| password.eq_ignore_ascii_case(word))
        || matches!(
            password,
            [b'$' | b'{' | b'[' | b'*' | b'<', ..] | [b'%', b's', ..] | [b'.', b'.', ..]
        )
}

/// How far behind the name of a program its option is looked for, in bytes.
const MAX_COMMAND: usize = 512;

/// The password of `-u user:password` among what follows at `start`.
pub(super) fn user_password(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let (at, argument) = option(bytes, start, &[b"-u", b"--user", b"-U", b"--proxy-user"])?;
    let colon = argument.iter().position(|byte| *byte == b':')?;
    let password = argument.get(colon + 1..)?;
    (!is_url_placeholder(password)).then_some(at + colon + 1..at + argument.len())
}

/// The password of `-p password` among what follows at `start`.
pub(super) fn typed_password(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let (at, argument) = option(bytes, start, &[b"-p"])?;
    (!is_url_placeholder(argument)).then_some(at..at + argument.len())
}

/// The password of `-ppassword` among what follows at `start`.
pub(super) fn attached_password(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let line = bytes.get(start..bytes.len().min(start + MAX_COMMAND))?;
    let line = line.get(..memchr::memchr(b'\n', line).unwrap_or(line.len()))?;
    let at = start + memmem::find(line, b" -p")? + b" -p".len();
    let Value { span, .. } = Value::at(bytes, at);
    let password = bytes.get(span.clone())?;
    let random = is_password(password, false) && !is_url_placeholder(password);
    random.then_some(span)
}

/// The argument of the first of `names` on a command line, and where it begins.
fn option<'b>(bytes: &'b [u8], start: usize, names: &[&[u8]]) -> Option<(usize, &'b [u8])> {
    let line = bytes.get(start..bytes.len().min(start + MAX_COMMAND))?;
    for at in memchr::memchr2_iter(b'-', b'\n', line) {
        let rest = line.get(at..)?;
        let before = at.checked_sub(1).and_then(|before| line.get(before));
        if matches!(rest, [b'\n', ..]) {
            // A line ends unless it is continued.
            match before {
                Some(b'\\') => continue,
                _ => return None,
            }
        }
        let name = names.iter().find(|name| {
            rest.starts_with(name)
                && matches!(rest.get(name.len()), Some(b' ' | b'=' | b'\'' | b'"'))
        });
        let Some(name) = name.filter(|_| before.is_none_or(|byte| *byte == b' ')) else { continue };
        let gap = rest.get(name.len()..)?;
        let open = gap.iter().take_while(|byte| b" =\"'".contains(byte)).count();
        let argument = gap.get(open..)?;
        let closes = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\"'`\\".contains(byte);
        let length = argument.iter().take_while(closes).count();
        return Some((start + at + name.len() + open, argument.get(..length)?));
    }
    None
}

/// The block in whose first line a label begins at `start`, if it is a private key with something in it.
pub(super) fn private_key(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    const LABEL: usize = 48;
    const BEGIN: &[u8] = b"-----BEGIN ";
    let begin = start
        .checked_sub(BEGIN.len())
        .filter(|_| bytes.get(..start).is_some_and(|head| head.ends_with(BEGIN)))?;
    let label = bytes.get(start..bytes.len().min(start + LABEL))?;
    let dashes = memmem::find(label, b"-----")?;
    let named = label.get(..dashes)?;
    if !named.ends_with(b"PRIVATE KEY") && !named.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let body = start + dashes + "-----".len();
    if !has_key_material(bytes, begin, body) {
        return None;
    }
    let rest = bytes.get(body..).unwrap_or_default();
    let end = match memmem::find(rest, b"-----END ") {
        // The closing line goes with the block.
        Some(end) => {
            let tail = rest.get(end + "-----END ".len()..).unwrap_or_default();
            let tail = tail.get(..tail.len().min(LABEL)).unwrap_or_default();
            let close = memmem::find(tail, b"-----").map_or(0, |at| at + "-----".len());
            body + end + "-----END ".len() + close
        }
        None => bytes.len(),
    };
    Some(begin..end)
}

/// Programs name the header without a key behind it; that is no secret.
fn has_key_material(bytes: &[u8], begin: usize, body: usize) -> bool {
    const GLUE: usize = 48;
    let rest = bytes.get(body..).unwrap_or_default();
    if rest.iter().all(u8::is_ascii_whitespace) {
        // A text that is a header alone was cut from a key.
        return bytes.iter().take(begin).all(u8::is_ascii_whitespace);
    }
    let mut glue = 0;
    // Programs that put a key together from literals have more than white space in between.
    let mut literal = false;
    let mut line = false;
    while let Some(byte) = rest.get(glue).filter(|_| glue < GLUE) {
        if *byte == b'\\' && matches!(rest.get(glue + 1), Some(b'n' | b'r' | b't')) {
            line = true;
            glue += 2;
        } else if byte.is_ascii_whitespace() {
            line |= matches!(byte, b'\n' | b'\r');
            glue += 1;
        } else if b"\\\"'`+,;>|".contains(byte) {
            literal = true;
            glue += 1;
        } else {
            break;
        }
    }
    let material = rest.get(glue..).unwrap_or_default();
    let base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let length = material.iter().take(17).take_while(base64).count();
    let header =
        [&b"Proc-Type:"[..], b"DEK-Info:", b"Version:", b"Comment:", b"Charset:", b"Hash:"];
    let least = match (literal, line) {
        (false, true) => 1,
        (false, false) if glue == 0 => 4,
        _ => 16,
    };
    length >= least || header.iter().any(|name| material.starts_with(name))
}

/// A PuTTY key file, if it has its private lines.
pub(super) fn putty_key(bytes: &[u8], begin: usize) -> Option<Range<usize>> {
    // Comment and public key, which come first, are far shorter.
    const REACH: usize = 8192;
    let head = bytes.get(begin..bytes.len().min(begin + REACH))?;
    memmem::find(head, b"Private-Lines:").map(|_| begin..bytes.len())
}

/// The token behind `Bearer `.
pub(super) fn bearer_token(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let token = bytes.get(start..)?;
    let token = token.get(..token.len().min(4096)).unwrap_or_default();
    let allowed = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let length = token.iter().take_while(allowed).count();
    let token = token.get(..length)?;
    let looked_at = token.get(..token.len().min(512)).unwrap_or_default();
    (length >= 16 && is_random(looked_at)).then_some(start..start + length)
}

/// The credentials behind `Basic `: base64 of `user:password`.
pub(super) fn basic_credentials(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let text = bytes.get(start..)?;
    let text = text.get(..text.len().min(512)).unwrap_or_default();
    let length = text.iter().take_while(|byte| base64::is_digit(**byte)).count();
    let padding = text.get(length..).unwrap_or_default().iter().take_while(|b| **b == b'=').count();
    let decoded = base64::decode(text.get(..length)?)?;
    let (user, password) =
        decoded.split_at_checked(decoded.iter().position(|byte| *byte == b':')?)?;
    let printable = decoded.iter().all(|byte| matches!(byte, b' '..=b'~') || *byte >= 0x80);
    let readable =
        decoded.iter().filter(|byte| byte.is_ascii_graphic()).count() * 10 >= decoded.len() * 9;
    (length >= 8 && printable && readable && user.len() + password.len() >= 6 && password.len() > 2)
        .then_some(start..start + length + padding)
}

/// A Discord bot token whose first part is `run`: base64 of a numeric id, a time, a signature.
pub(super) fn discord_token(bytes: &[u8], run: &Range<usize>) -> Option<Range<usize>> {
    if !(23..=28).contains(&run.len()) || !matches!(bytes.get(run.start), Some(b'M' | b'N' | b'O'))
    {
        return None;
    }
    let part = |start: usize| {
        let rest = bytes.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .take(64)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            .count();
        (length, start + length)
    };
    let dot = |at: usize| bytes.get(at) == Some(&b'.');
    let (time, middle) = part(run.end + 1);
    let (signature, end) = part(middle + 1);
    let id = base64::decode(bytes.get(run.clone())?)?;
    // Made-up tokens keep the first digits only.
    let numeric = id.iter().take(2).all(u8::is_ascii_digit);
    (dot(run.end) && dot(middle) && numeric && time == 6 && (27..=40).contains(&signature))
        .then_some(run.start..end)
}
