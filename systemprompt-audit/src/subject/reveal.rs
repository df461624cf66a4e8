//! Encrypted events on their way to who reads them.

use std::collections::{BTreeSet, HashMap};

use systemprompt_core::database::DbPool;

use super::{PREFIX, SubjectKeys, SubjectRow, sealed};
use crate::QueryError;
use crate::open_permit::OpenPermitRow;
use crate::query::StoredEvent;
use crate::store::pooled;

/// Says who the persons of `events` are, and decrypts what `keys` open. What cannot be shown says why in
/// the member `sealed` of its details: `erased`, `no_key`, `unavailable`, or `changed`.
pub(crate) async fn reveal<'e>(
    pool: &DbPool,
    keys: Option<&SubjectKeys>,
    events: impl IntoIterator<Item = &'e mut StoredEvent>,
) -> Result<(), QueryError> {
    let mut events: Vec<_> = events.into_iter().filter(|event| is_pseudonymous(event)).collect();
    let pseudonyms: BTreeSet<_> = events.iter().filter_map(|event| event.user_id.clone()).collect();
    let turn = keys.map(SubjectKeys::turn).unwrap_or_default();
    let subjects = subjects(pool, pseudonyms).await?;
    for event in &mut events {
        let subject = event.user_id.as_ref().and_then(|pseudonym| subjects.get(pseudonym));
        let Some(row) = subject else {
            sealed::say(event, "erased");
            continue;
        };
        let hidden = match keys {
            _ if !sealed::is_sealed(event) => None,
            None => Some("no_key"),
            Some(keys) => match keys.of_row(row, turn).await {
                Ok(key) if sealed::open(event, &key).is_some() => continue,
                Ok(_) => Some("changed"),
                Err(error) => {
                    tracing::warn!(%error, "an encrypted event cannot be read");
                    Some("unavailable")
                }
            },
        };
        if let Some(why) = hidden {
            sealed::say(event, why);
        }
        event.user_id = Some(row.user_id.clone());
        event.department = Some(row.department.clone()).filter(|name| !name.is_empty());
    }
    Ok(())
}

/// The pseudonyms of a user, of one tenant or of all.
///
/// # Errors
/// [`QueryError`] when the database cannot be read.
pub async fn pseudonyms_of(
    pool: &DbPool,
    user: &str,
    tenant: Option<&str>,
) -> Result<Vec<String>, QueryError> {
    let rows: Vec<SubjectRow> = pooled!(pool, subjects::of_user(user, tenant))?;
    Ok(rows.into_iter().map(|row| row.pseudonym).collect())
}

/// Says who the owners of permits of the log `origin` are, and what their calls were; those that cannot be
/// read are left out.
pub(crate) async fn reveal_permits(
    pool: &DbPool,
    keys: Option<&SubjectKeys>,
    origin: &str,
    permits: Vec<OpenPermitRow>,
) -> Result<Vec<OpenPermitRow>, QueryError> {
    let sealed = |permit: &OpenPermitRow| is_pseudonym(&permit.user_id);
    let pseudonyms: BTreeSet<_> =
        permits.iter().filter(|permit| sealed(permit)).map(|p| p.user_id.clone()).collect();
    let turn = keys.map(SubjectKeys::turn).unwrap_or_default();
    let subjects = subjects(pool, pseudonyms).await?;
    let mut revealed = Vec::with_capacity(permits.len());
    for mut permit in permits {
        if sealed(&permit) {
            let (Some(row), Some(keys)) = (subjects.get(&permit.user_id), keys) else { continue };
            let Ok(key) = keys.of_row(row, turn).await else { continue };
            let id = permit.id.as_slice().try_into().ok();
            let call = id
                .zip(permit.detail.as_deref())
                .and_then(|(id, detail)| sealed::call_in((origin, id), detail, &key));
            let Some((digest, credential)) = call else { continue };
            permit.user_id.clone_from(&row.user_id);
            (permit.call_digest, permit.credential_id) = (Some(digest), credential);
        }
        revealed.push(permit);
    }
    Ok(revealed)
}

async fn subjects(
    pool: &DbPool,
    pseudonyms: BTreeSet<String>,
) -> Result<HashMap<String, SubjectRow>, QueryError> {
    if pseudonyms.is_empty() {
        return Ok(HashMap::new());
    }
    let pseudonyms: Vec<_> = pseudonyms.into_iter().collect();
    let rows: Vec<SubjectRow> = pooled!(pool, subjects::by_pseudonym(&pseudonyms))?;
    Ok(rows.into_iter().map(|row| (row.pseudonym.clone(), row)).collect())
}

fn is_pseudonymous(event: &StoredEvent) -> bool {
    event.user_id.as_deref().is_some_and(is_pseudonym)
}

/// Whether a user is named by a pseudonym.
pub(crate) fn is_pseudonym(user: &str) -> bool {
    let name = user.strip_prefix(PREFIX);
    name.is_some_and(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
