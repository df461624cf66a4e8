//! Filters on columns that may be encrypted, which the database cannot look into.

use std::cmp::Reverse;

use serde_json::Value as Json;

use super::bodies::is_bodies;
use super::reader::AuditReader;
use super::search::{Found, Hit};
use super::stored::StoredEvent;
use super::{EventFilter, ReadScope};
use crate::QueryError;
use crate::place::Place;
use crate::subject::reveal;

/// Events that are decrypted together.
const AT_ONCE: usize = 1_000;

/// Most events that are decrypted for a page.
const MOST: usize = 20_000;

/// `filter` without what the database cannot look into, if there is any of that.
pub(super) fn in_clear(filter: &EventFilter) -> Option<EventFilter> {
    let clear = EventFilter {
        department: None,
        credential_id: None,
        actor: None,
        user_agent: None,
        client_addr: None,
        arguments_digest: None,
        call_digest: None,
        result_digest: None,
        text: None,
        ..filter.clone()
    };
    (clear != *filter).then_some(clear)
}

/// Whether a decrypted event is what the rest of `filter` describes.
pub(super) fn describes(filter: &EventFilter, event: &StoredEvent) -> bool {
    let same = |wanted: &Option<String>, value: &Option<String>| {
        wanted.is_none() || wanted.as_ref() == value.as_ref()
    };
    let digest = |wanted: &Option<systemprompt_core::call::Digest>, value: &Option<Vec<u8>>| {
        wanted.is_none_or(|wanted| value.as_deref() == Some(wanted.as_bytes().as_slice()))
    };
    same(&filter.department, &event.department)
        && same(&filter.credential_id, &event.credential_id)
        && same(&filter.user_agent, &event.user_agent)
        && same(&filter.client_addr, &event.client_addr)
        && digest(&filter.arguments_digest, &event.arguments_digest)
        && digest(&filter.call_digest, &event.call_digest)
        && digest(&filter.result_digest, &event.result_digest)
        && filter.actor.as_ref().is_none_or(|actor| acts(actor, event))
        && filter.text.as_ref().is_none_or(|text| says(text, event))
}

fn acts(actor: &str, event: &StoredEvent) -> bool {
    let chain = event.actor_chain.as_deref();
    let chain = chain.and_then(|chain| serde_json::from_str::<Vec<Json>>(chain).ok());
    chain.is_some_and(|chain| chain.iter().any(|other| other.as_str() == Some(actor)))
}

fn says(text: &str, event: &StoredEvent) -> bool {
    let text = text.to_ascii_lowercase();
    // What nobody is shown in a list is not to be found out by searching either.
    let detail = event.detail.as_ref().filter(|_| !is_bodies(&event.kind)).cloned();
    let columns = [&event.reason, &event.reason_data, &event.error, &detail];
    columns.into_iter().flatten().any(|value| value.to_ascii_lowercase().contains(&text))
}

impl AuditReader {
    /// A page of what `filter` describes among the events that `clear`, the same without what cannot be
    /// looked into, leads to.
    pub(super) async fn sift(
        &self,
        scope: &ReadScope,
        (clear, filter): (&EventFilter, &EventFilter),
        before: Place,
        rows: usize,
    ) -> Result<Found, QueryError> {
        let (mut events, mut before, mut read) = (Vec::new(), before, 0);
        loop {
            let Found { events: mut some, next, .. } =
                self.of_user(scope, clear, before, AT_ONCE).await?;
            read += some.len();
            reveal(&self.pool, self.keys.as_ref(), some.iter_mut().map(|hit| &mut hit.event))
                .await?;
            events.extend(some.into_iter().filter(|hit| describes(filter, &hit.event)));
            events.sort_unstable_by_key(|hit| Reverse(hit.place()));
            if events.len() > rows {
                events.truncate(rows);
                let next = events.last().map(Hit::place);
                return Ok(Found { events, next, cut: false });
            }
            match next {
                Some(next) if read < MOST => before = next,
                next => return Ok(Found { events, next, cut: next.is_some() }),
            }
        }
    }
}
