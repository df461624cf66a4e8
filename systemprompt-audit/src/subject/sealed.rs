//! What of an event is encrypted, and how; the module above says which columns.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value as Json};
use zeroize::Zeroizing;

use super::DataKey;
use crate::column::{Column, Value};
use crate::query::StoredEvent;
use crate::row::Row;

/// What the details of an encrypted event begin with.
const START: &str = r#"{"sealed":""#;

/// The columns that are encrypted, beside `user_id`.
const SEALED: [Column; 13] = [
    Column::Department,
    Column::CredentialId,
    Column::ActorChain,
    Column::UserAgent,
    Column::ClientAddr,
    Column::ArgumentsDigest,
    Column::CallDigest,
    Column::Reason,
    Column::ReasonData,
    Column::Evaluation,
    Column::ResultDigest,
    Column::Error,
    Column::Detail,
];

/// Encrypts what `row`, an event of the log `origin`, says about the person of `key`; `None` when that
/// fails.
pub(crate) fn seal(row: &mut Row, origin: &str, key: &DataKey) -> Option<()> {
    let id = row.id()?;
    let clear_detail = *row.value(Column::Kind) == Value::Static("ai_request");
    let mut members = Map::new();
    for column in SEALED {
        if column == Column::Detail && clear_detail {
            continue;
        }
        let text = match row.value(column) {
            Value::Text(text) => text.to_string(),
            Value::Static(text) => (*text).to_owned(),
            Value::Digest(digest) => hex::encode(digest),
            Value::Null | Value::Integer(_) | Value::Id(_) => continue,
        };
        members.insert(column.name().to_owned(), text.into());
        row.set(column, Value::Null);
    }
    members.insert(Column::UserId.name().to_owned(), (*key.person.user).into());
    let plain = Zeroizing::new(serde_json::to_vec(&members).ok()?);
    let sealed = key.cipher.seal(&context(origin, &id, &key.pseudonym), &plain)?;
    let rest = match row.value(Column::Detail) {
        // An object with members, in which this one comes first.
        Value::Text(detail) if detail.len() > 2 => format!(",{}", detail.get(1..)?),
        _ => "}".to_owned(),
    };
    row.set(Column::Detail, format!("{START}{}\"{rest}", STANDARD_NO_PAD.encode(sealed)));
    row.set(Column::TenantId, key.person.tenant.clone());
    row.set(Column::UserId, key.pseudonym.clone());
    Some(())
}

/// Decrypts an event; `None`, and nothing changed, when it is not what was encrypted with `key`.
pub(super) fn open(event: &mut StoredEvent, key: &DataKey) -> Option<()> {
    let detail = event.detail.as_deref()?;
    let (sealed, rest) = detail.strip_prefix(START)?.split_once('"')?;
    let id = event.id.as_slice().try_into().ok()?;
    let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
    let plain = key.cipher.open(&context(&event.origin, id, &key.pseudonym), sealed)?;
    let members: Map<String, Json> = serde_json::from_slice(&plain).ok()?;
    let rest = rest.strip_prefix(',').map(|rest| format!("{{{rest}"));
    let text =
        |column: Column| members.get(column.name()).and_then(Json::as_str).map(ToOwned::to_owned);
    let digest = |column: Column| text(column).and_then(|digits| hex::decode(digits).ok());
    event.user_id = text(Column::UserId);
    event.department = text(Column::Department);
    event.credential_id = text(Column::CredentialId);
    event.actor_chain = text(Column::ActorChain);
    event.user_agent = text(Column::UserAgent);
    event.client_addr = text(Column::ClientAddr);
    event.arguments_digest = digest(Column::ArgumentsDigest);
    event.call_digest = digest(Column::CallDigest);
    event.reason = text(Column::Reason);
    event.reason_data = text(Column::ReasonData);
    event.evaluation = text(Column::Evaluation);
    event.result_digest = digest(Column::ResultDigest);
    event.error = text(Column::Error);
    event.detail = text(Column::Detail).or(rest);
    Some(())
}

/// Whether something of an event is encrypted.
pub(super) fn is_sealed(event: &StoredEvent) -> bool {
    event.detail.as_deref().is_some_and(|detail| detail.starts_with(START))
}

/// Says of an encrypted event why it is not shown, instead of the ciphertext.
pub(super) fn say(event: &mut StoredEvent, why: &str) {
    let parts =
        event.detail.as_deref().and_then(|detail| detail.strip_prefix(START)?.split_once('"'));
    if let Some((_, rest)) = parts {
        event.detail = Some(format!("{START}{why}\"{rest}"));
    }
}

/// The digest of the call in what was encrypted of a decision of the log `origin`, and the credential.
pub(super) fn call_in(
    (origin, id): (&str, &[u8; 16]),
    detail: &str,
    key: &DataKey,
) -> Option<(Vec<u8>, Option<String>)> {
    let (sealed, _) = detail.strip_prefix(START)?.split_once('"')?;
    let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
    let plain = key.cipher.open(&context(origin, id, &key.pseudonym), sealed)?;
    let members: Map<String, Json> = serde_json::from_slice(&plain).ok()?;
    let text = |column: Column| members.get(column.name()).and_then(Json::as_str);
    let credential = text(Column::CredentialId).map(ToOwned::to_owned);
    Some((hex::decode(text(Column::CallDigest)?).ok()?, credential))
}

/// What ties a ciphertext to its event.
fn context(origin: &str, id: &[u8; 16], pseudonym: &str) -> Vec<u8> {
    let parts: [&[u8]; 6] = [
        b"systemprompt-audit-sealed-1\0",
        origin.as_bytes(),
        b"\0",
        id,
        b"\0",
        pseudonym.as_bytes(),
    ];
    parts.concat()
}
