//! The bulk insert: one statement for every number of rows, which arrive as one array for each column.

use std::borrow::Cow;

use sqlx::PgConnection;

use super::text;
use crate::column::{Column, Field, Value};
use crate::store::PlacedRow;

/// Most bytes of events in a statement that goes through TLS; a record of it takes 16 KiB (RFC 8446,
/// section 5.1).
const ONE_RECORD: usize = 14 * 1024;

/// What an event takes beside its values: a length for each.
const LENGTHS: usize = 4 * 42;

/// `rows` in as many parts as there have to be statements; one, unless they go through TLS.
///
/// The driver sends each record of TLS by itself and leaves Nagle's algorithm on, so that the second
/// record of a statement would wait for the server's delayed acknowledgement of the first: 40 ms
/// (sqlx 0.9.0, its issue 4335). Several statements of one record each are a round trip more.
pub(super) fn parts<'r, 'e>(
    mut rows: &'r [PlacedRow<'e>],
    encrypted: bool,
) -> Vec<&'r [PlacedRow<'e>]> {
    let mut parts = Vec::new();
    while !rows.is_empty() {
        let mut bytes = 0;
        let fits = |row: &&PlacedRow<'_>| {
            bytes += size(row);
            !encrypted || bytes <= ONE_RECORD
        };
        let count = rows.iter().take_while(fits).count().max(1);
        let (part, rest) = rows.split_at(count);
        parts.push(part);
        rows = rest;
    }
    parts
}

fn size(row: &PlacedRow<'_>) -> usize {
    let value = |column: &Column| match Field::from(row.row.value(*column)) {
        Field::Null => 0,
        Field::Integer(_) => size_of::<i64>(),
        Field::Text(text) => text.len(),
        Field::Bytes(bytes) => bytes.len(),
    };
    LENGTHS + row.salt.len() + row.leaf_hash.len() + Column::ALL.iter().map(value).sum::<usize>()
}

/// Inserts `rows` into the log `log_id`: all of them, or none with an error. A trigger may keep rows out
/// without one, which would be an answer without its row; dividing by zero (`22012`) refuses that.
pub(super) async fn insert(
    connection: &mut PgConnection,
    log_id: i64,
    rows: &[PlacedRow<'_>],
) -> Result<(), sqlx::Error> {
    let seqs: Vec<_> = rows.iter().map(|row| row.seq).collect();
    let salts: Vec<&[u8]> = rows.iter().map(|row| row.salt.as_slice()).collect();
    let leaves: Vec<&[u8]> = rows.iter().map(|row| row.leaf_hash.as_slice()).collect();
    sqlx::query!(
        r#"WITH written AS (INSERT INTO audit_events (
             log_id, seq, id, kind, occurred_at, trace_id, call_id, session_id, context_id,
             task_id, tenant_id, user_id, department, credential_id, actor_chain, agent_id,
             plugin_id, door, user_agent, client_addr, server, tool, arguments_digest,
             arguments_bytes, call_digest, decision, reason_code, reason, reason_data,
             evaluation, policy_version, duration_us, permit_id, expires_at, status,
             duration_ms, result_bytes, result_digest, error, detail, salt, leaf_hash)
         SELECT $1::bigint, e.* FROM UNNEST(
             $2::bigint[], $3::bytea[], $4::text[], $5::bigint[], $6::bytea[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
             $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
             $20::text[], $21::text[], $22::text[], $23::bytea[], $24::bigint[], $25::bytea[],
             $26::text[], $27::text[], $28::text[], $29::text[], $30::text[], $31::text[],
             $32::bigint[], $33::bytea[], $34::bigint[], $35::text[], $36::bigint[],
             $37::bigint[], $38::bytea[], $39::text[], $40::text[], $41::bytea[], $42::bytea[]) AS e
         RETURNING 1)
         SELECT 1 / (count(*) = cardinality($2::bigint[]))::int AS "all!" FROM written"#,
        log_id,
        seqs.as_slice(),
        bytes(rows, Column::Id) as _,
        texts(rows, Column::Kind) as _,
        integers(rows, Column::OccurredAt) as _,
        bytes(rows, Column::TraceId) as _,
        texts(rows, Column::CallId) as _,
        texts(rows, Column::SessionId) as _,
        texts(rows, Column::ContextId) as _,
        texts(rows, Column::TaskId) as _,
        texts(rows, Column::TenantId) as _,
        texts(rows, Column::UserId) as _,
        texts(rows, Column::Department) as _,
        texts(rows, Column::CredentialId) as _,
        texts(rows, Column::ActorChain) as _,
        texts(rows, Column::AgentId) as _,
        texts(rows, Column::PluginId) as _,
        texts(rows, Column::Door) as _,
        texts(rows, Column::UserAgent) as _,
        texts(rows, Column::ClientAddr) as _,
        texts(rows, Column::Server) as _,
        texts(rows, Column::Tool) as _,
        bytes(rows, Column::ArgumentsDigest) as _,
        integers(rows, Column::ArgumentsBytes) as _,
        bytes(rows, Column::CallDigest) as _,
        texts(rows, Column::Decision) as _,
        texts(rows, Column::ReasonCode) as _,
        texts(rows, Column::Reason) as _,
        texts(rows, Column::ReasonData) as _,
        texts(rows, Column::Evaluation) as _,
        texts(rows, Column::PolicyVersion) as _,
        integers(rows, Column::DurationUs) as _,
        bytes(rows, Column::PermitId) as _,
        integers(rows, Column::ExpiresAt) as _,
        texts(rows, Column::Status) as _,
        integers(rows, Column::DurationMs) as _,
        integers(rows, Column::ResultBytes) as _,
        bytes(rows, Column::ResultDigest) as _,
        texts(rows, Column::Error) as _,
        texts(rows, Column::Detail) as _,
        salts as _,
        leaves as _,
    )
    .fetch_one(connection)
    .await
    .map(|_| ())
}

fn texts<'r>(rows: &[PlacedRow<'r>], column: Column) -> Vec<Option<Cow<'r, str>>> {
    let text = |row: &PlacedRow<'r>| match row.row.value(column) {
        Value::Static(name) => Some(Cow::Borrowed(*name)),
        Value::Text(text) => Some(text::encode(text)),
        _ => None,
    };
    rows.iter().map(text).collect()
}

fn integers(rows: &[PlacedRow<'_>], column: Column) -> Vec<Option<i64>> {
    let integer = |row: &PlacedRow<'_>| match row.row.value(column) {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    rows.iter().map(integer).collect()
}

fn bytes<'r>(rows: &[PlacedRow<'r>], column: Column) -> Vec<Option<&'r [u8]>> {
    let bytes = |row: &PlacedRow<'r>| match row.row.value(column) {
        Value::Id(id) => Some(id.as_slice()),
        Value::Digest(digest) => Some(digest.as_slice()),
        _ => None,
    };
    rows.iter().map(bytes).collect()
}
