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
//!   - `action`: `arguments_digest`, `call_digest`, `server`, `tool`
//!   - `context`: `agent_id`, `call_id`, `client_addr`, `context_id`, `plugin_id`, `session_id`,
//!     `task_id`, `user_agent`
//!   - `detail`: `detail`
//!   - `identity`: `actor_chain`, `credential_id`, `department`, `tenant_id`, `user_id`
//!   - `result`: `error`, `result_digest`
//!   - `verdict`: `evaluation`, `reason`, `reason_data`
//! - `origin`: the name of the log; `seq`: the place in it; `v`: `1`.
//!
//! A commitment is SHA-256(salt || group || object), where `salt` is the row's 16 random bytes, `group`
//! the group's name in ASCII and `object` the JCS form of the group's columns that are not NULL.
//!
//! Texts are JSON strings, also those that hold JSON. Bytes are strings of lower-case hex. Integers are
//! JSON numbers, or strings of decimal digits where a double could not hold them (above 2^53 - 1).
//!
//! The leaf hash is SHA-256(0x00 || leaf), as in RFC 6962 section 2.1. Every column of the table is
//! covered: `log_id` by `origin`, `salt` by the commitments, `leaf_hash` by being this hash.

use std::io::Write as _;

use sha2::{Digest as _, Sha256};

use crate::column::{Column, Value};
use crate::row::Row;

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

/// The groups and their members, by name.
const GROUPS: [(&str, &[Column]); 6] = [
    ("action", &[Column::ArgumentsDigest, Column::CallDigest, Column::Server, Column::Tool]),
    (
        "context",
        &[
            Column::AgentId,
            Column::CallId,
            Column::ClientAddr,
            Column::ContextId,
            Column::PluginId,
            Column::SessionId,
            Column::TaskId,
            Column::UserAgent,
        ],
    ),
    ("detail", &[Column::Detail]),
    (
        "identity",
        &[
            Column::ActorChain,
            Column::CredentialId,
            Column::Department,
            Column::TenantId,
            Column::UserId,
        ],
    ),
    ("result", &[Column::Error, Column::ResultDigest]),
    ("verdict", &[Column::Evaluation, Column::Reason, Column::ReasonData]),
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
    pub(crate) fn new(origin: &str, row: &Row, salt: &Salt) -> Self {
        let mut bytes = Vec::with_capacity(768);
        let mut seq_at = 0;
        bytes.push(b'{');
        for key in &MEMBERS {
            match key {
                Key::Clear(column) => member(&mut bytes, *column, row.value(*column)),
                Key::Commitments => commitments(&mut bytes, row, salt),
                Key::Origin => {
                    name(&mut bytes, "origin");
                    string(&mut bytes, origin);
                }
                Key::Seq => {
                    name(&mut bytes, "seq");
                    seq_at = bytes.len();
                }
                Key::Version => {
                    name(&mut bytes, "v");
                    bytes.push(b'1');
                }
            }
        }
        bytes.push(b'}');
        Self { bytes, seq_at }
    }

    /// The leaf hash of the event at place `seq`.
    pub(crate) fn hash(&self, seq: i64) -> [u8; 32] {
        let mut digits = Vec::with_capacity(20);
        number(&mut digits, seq);
        let (head, tail) = self.bytes.split_at(self.seq_at.min(self.bytes.len()));
        let mut hash = Sha256::new();
        hash.update([0]);
        hash.update(head);
        hash.update(&digits);
        hash.update(tail);
        hash.finalize().into()
    }
}

fn commitments(out: &mut Vec<u8>, row: &Row, salt: &Salt) {
    let mut object = Vec::with_capacity(512);
    let mut any = false;
    for (group, columns) in GROUPS {
        object.clear();
        object.push(b'{');
        for column in columns {
            member(&mut object, *column, row.value(*column));
        }
        if object.len() == 1 {
            continue;
        }
        object.push(b'}');
        if !any {
            name(out, "commitments");
            out.push(b'{');
            any = true;
        }
        name(out, group);
        let hash = Sha256::new()
            .chain_update(salt)
            .chain_update(group.as_bytes())
            .chain_update(&object)
            .finalize();
        hex(out, &hash);
    }
    if any {
        out.push(b'}');
    }
}

fn member(out: &mut Vec<u8>, column: Column, value: &Value) {
    match value {
        Value::Null => return,
        _ => name(out, column.name()),
    }
    match value {
        Value::Null => {}
        Value::Integer(integer) if integer.unsigned_abs() <= EXACT => number(out, *integer),
        Value::Integer(integer) => {
            out.push(b'"');
            number(out, *integer);
            out.push(b'"');
        }
        Value::Static(text) => string(out, text),
        Value::Text(text) => string(out, text),
        Value::Id(bytes) => hex(out, bytes),
        Value::Digest(bytes) => hex(out, bytes),
    }
}

/// Starts a member. Names are plain ASCII.
fn name(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes a string the way RFC 8785 section 3.2.2.2 wants it, which is how `serde_json` does it.
fn string(out: &mut Vec<u8>, text: &str) {
    // Writing to a vector does not fail.
    drop(serde_json::to_writer(out, text));
}

fn number(out: &mut Vec<u8>, integer: i64) {
    drop(write!(out, "{integer}"));
}

fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0'));
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
