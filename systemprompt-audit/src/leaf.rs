//! The leaf of an event: the bytes whose hash enters the log's Merkle tree.
//!
//! # Version 1
//!
//! The leaf of an event is the RFC 8785 (JCS) form of one JSON object without white space. Its members,
//! by name:
//!
//! - each of the columns in clear that is not NULL: `arguments_bytes`, `decision`, `door`,
//!   `duration_ms`, `duration_us`, `expires_at`, `id`, `kind`, `occurred_at`, `permit_id`,
//!   `policy_version`, `reason_code`, `result_bytes`, `status`, `trace_id`;
//! - `commitments`: an object with a member for each group of columns of which at least one is not
//!   NULL. Columns that may hold personal or secret data enter only here:
//!   - `content`: 1 `arguments_digest`, 2 `call_digest`, 3 `detail`, 4 `error`, 5 `evaluation`,
//!     6 `reason`, 7 `reason_data`, 8 `result_digest`, 9 `server`, 10 `tool`
//!   - `subject`: 1 `actor_chain`, 2 `agent_id`, 3 `call_id`, 4 `client_addr`, 5 `context_id`,
//!     6 `credential_id`, 7 `department`, 8 `plugin_id`, 9 `session_id`, 10 `task_id`, 11 `tenant_id`,
//!     12 `user_agent`, 13 `user_id`
//! - `origin`: the name of the log; `seq`: the place in it; `v`: `1`.
//!
//! In the object texts are JSON strings; bytes are strings of lower-case hex. Integers are JSON numbers,
//! or strings of decimal digits where a double could not hold them (above 2^53 - 1).
//!
//! A commitment is SHA-256(salt || group || 0x00 || fields): `salt` is the row's 16 random bytes, `group`
//! the group's name in ASCII, and there is a field for each of the group's columns that is not NULL, in
//! the order above: the number of the column (one byte), the length of the value (four bytes, big
//! endian), the value (the UTF-8 of a text, the bytes of a digest).
//!
//! The leaf hash is SHA-256(0x00 || leaf), as in RFC 6962 section 2.1. Every column of the table is
//! covered: `log_id` by `origin`, `salt` by the commitments, `leaf_hash` by being this hash.

use systemprompt_core::sha256;

use crate::column::{Column, Columns, Field};

/// What makes the commitments of a row unguessable.
pub(crate) type Salt = [u8; 16];

/// Integers up to here are the same number to every JSON reader.
const EXACT: u64 = (1 << 53) - 1;

enum Key {
    Clear(Column),
    Commitments,
    Origin,
    Seq,
    Version,
}

/// The members of the object, by name.
const MEMBERS: [Key; 19] = [
    Key::Clear(Column::ArgumentsBytes),
    Key::Commitments,
    Key::Clear(Column::Decision),
    Key::Clear(Column::Door),
    Key::Clear(Column::DurationMs),
    Key::Clear(Column::DurationUs),
    Key::Clear(Column::ExpiresAt),
    Key::Clear(Column::Id),
    Key::Clear(Column::Kind),
    Key::Clear(Column::OccurredAt),
    Key::Origin,
    Key::Clear(Column::PermitId),
    Key::Clear(Column::PolicyVersion),
    Key::Clear(Column::ReasonCode),
    Key::Clear(Column::ResultBytes),
    Key::Seq,
    Key::Clear(Column::Status),
    Key::Clear(Column::TraceId),
    Key::Version,
];

/// The groups by name, each with its key and its members by name.
const GROUPS: [(&str, &str, &[Column]); 2] = [
    (
        "content",
        r#""content":"#,
        &[
            Column::ArgumentsDigest,
            Column::CallDigest,
            Column::Detail,
            Column::Error,
            Column::Evaluation,
            Column::Reason,
            Column::ReasonData,
            Column::ResultDigest,
            Column::Server,
            Column::Tool,
        ],
    ),
    (
        "subject",
        r#""subject":"#,
        &[
            Column::ActorChain,
            Column::AgentId,
            Column::CallId,
            Column::ClientAddr,
            Column::ContextId,
            Column::CredentialId,
            Column::Department,
            Column::PluginId,
            Column::SessionId,
            Column::TaskId,
            Column::TenantId,
            Column::UserAgent,
            Column::UserId,
        ],
    ),
];

/// The leaf of an event that has no place yet: all bytes but the digits of `seq`.
///
/// What is costly happens here, in the task that appends; the writer only adds the place.
#[derive(Debug, Clone)]
pub(crate) struct OpenLeaf {
    bytes: Vec<u8>,
    seq_at: usize,
}

impl OpenLeaf {
    /// The leaf of `row` in the log `origin`.
    pub(crate) fn new(origin: &str, row: &impl Columns, salt: &Salt) -> Self {
        let mut bytes = Vec::with_capacity(768);
        let mut seq_at = 0;
        bytes.push(b'{');
        for key in &MEMBERS {
            match key {
                Key::Clear(column) => member(&mut bytes, *column, row.field(*column)),
                Key::Commitments => commitments(&mut bytes, row, salt),
                Key::Origin => {
                    start(&mut bytes, r#""origin":"#);
                    string(&mut bytes, origin);
                }
                Key::Seq => {
                    start(&mut bytes, r#""seq":"#);
                    seq_at = bytes.len();
                }
                Key::Version => start(&mut bytes, r#""v":1"#),
            }
        }
        bytes.push(b'}');
        Self { bytes, seq_at }
    }

    /// The leaf of the event at place `seq`.
    pub(crate) fn entry(&self, seq: i64) -> Vec<u8> {
        let (head, tail) = self.bytes.split_at(self.seq_at.min(self.bytes.len()));
        [head, Digits::of(seq).as_bytes(), tail].concat()
    }

    /// The leaf hash of the event at place `seq`.
    pub(crate) fn hash(&self, seq: i64) -> [u8; 32] {
        let (head, tail) = self.bytes.split_at(self.seq_at.min(self.bytes.len()));
        sha256(&[&[0], head, Digits::of(seq).as_bytes(), tail].concat())
    }
}

fn commitments(out: &mut Vec<u8>, row: &impl Columns, salt: &Salt) {
    let mut fields = Vec::with_capacity(640);
    let mut any = false;
    for (group, key, columns) in GROUPS {
        fields.clear();
        fields.extend_from_slice(salt);
        fields.extend_from_slice(group.as_bytes());
        fields.push(0);
        let empty = fields.len();
        for (number, column) in (1_u8..).zip(columns) {
            field(&mut fields, number, row.field(*column));
        }
        if fields.len() == empty {
            continue;
        }
        if !any {
            start(out, r#""commitments":{"#);
            any = true;
        }
        start(out, key);
        hex(out, &sha256(&fields));
    }
    if any {
        out.push(b'}');
    }
}

fn field(out: &mut Vec<u8>, number: u8, value: Field<'_>) {
    let integer;
    let bytes = match value {
        Field::Null => return,
        Field::Integer(number) => {
            integer = number.to_be_bytes();
            integer.as_slice()
        }
        Field::Text(text) => text.as_bytes(),
        Field::Bytes(bytes) => bytes,
    };
    out.push(number);
    // SQLite holds no text of 4 GiB.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn member(out: &mut Vec<u8>, column: Column, value: Field<'_>) {
    if matches!(value, Field::Null) {
        return;
    }
    start(out, column.key());
    match value {
        Field::Null => {}
        Field::Integer(integer) if integer.unsigned_abs() <= EXACT => {
            out.extend_from_slice(Digits::of(integer).as_bytes());
        }
        Field::Integer(integer) => {
            out.push(b'"');
            out.extend_from_slice(Digits::of(integer).as_bytes());
            out.push(b'"');
        }
        Field::Text(text) => string(out, text),
        Field::Bytes(bytes) => hex(out, bytes),
    }
}

/// Starts a member with its key, which is JSON already.
fn start(out: &mut Vec<u8>, key: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.extend_from_slice(key.as_bytes());
}

/// Writes a string the way RFC 8785 section 3.2.2.2 wants it, which is how `serde_json` does it.
fn string(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to a vector does not fail.
        drop(serde_json::to_writer(out, text));
    }
}

fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    // Arithmetic that is the same for every digit: the compiler makes sixteen of them at once.
    let digit = |half: u8| half + b'0' + u8::from(half > 9) * (b'a' - b'9' - 1);
    out.push(b'"');
    let (whole, rest) = bytes.as_chunks::<16>();
    for chunk in whole {
        let (high, low) = (chunk.map(|byte| digit(byte >> 4)), chunk.map(|byte| digit(byte & 15)));
        let mut text = [[0; 2]; 16];
        for ((pair, high), low) in text.iter_mut().zip(high).zip(low) {
            *pair = [high, low];
        }
        out.extend_from_slice(text.as_flattened());
    }
    // The log writes ids and digests; a table that was tampered with may hold anything.
    for byte in rest {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.push(b'"');
}

/// The decimal digits of a number.
struct Digits {
    text: [u8; 20],
    start: usize,
}

impl Digits {
    fn of(number: i64) -> Self {
        let mut digits = Self { text: [b'-'; 20], start: 20 };
        let mut left = number.unsigned_abs();
        for (at, slot) in digits.text.iter_mut().enumerate().rev() {
            *slot = b'0' + u8::try_from(left % 10).unwrap_or_default();
            digits.start = at;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        if number < 0 {
            // 19 digits at most: there is room for the sign, which stands there already.
            digits.start = digits.start.saturating_sub(1);
        }
        digits
    }

    fn as_bytes(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
