//! What was asked of models and answered, which is shown request by request and in no list.

use serde_json::Value;
use systemprompt_core::event::{AiRequestBodies, EventKind};
use systemprompt_core::id::AiRequestId;

use super::{AuditReader, EventFilter, ReadScope};
use crate::QueryError;
use crate::place::Place;
use crate::subject::reveal;

/// What the log has of the bodies of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundBodies {
    /// They can be read.
    Readable(Box<AiRequestBodies>),
    /// They are there and cannot be read.
    Unreadable(UnreadableBodies),
}

/// Why bodies cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnreadableBodies {
    /// The caller was erased.
    Erased,
    /// No key encryption key is configured.
    NoKey,
    /// The key encryption key cannot be reached, or is not the one.
    Unavailable,
    /// They are not what was encrypted.
    Changed,
}

impl AuditReader {
    /// The bodies of a request to a model; `None` when none are recorded, or not in `scope`.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn bodies(
        &self,
        scope: &ReadScope,
        request: &AiRequestId,
    ) -> Result<Option<FoundBodies>, QueryError> {
        let Some(id) = AiRequestBodies::event_of(request) else { return Ok(None) };
        let kind = Some(EventKind::AiRequestBodies);
        let filter = EventFilter { id: Some(id), kind, ..EventFilter::default() };
        let mut found = self.of_user(scope, &filter, Place::END, 1).await?;
        let stored = found.events.iter_mut().map(|hit| &mut hit.event);
        reveal(&self.pool, self.keys.as_ref(), stored).await?;
        let Some(event) = found.events.into_iter().next().map(|hit| hit.event) else {
            return Ok(None);
        };
        let detail = event.detail.as_deref().unwrap_or_default();
        let bodies = serde_json::from_str::<AiRequestBodies>(detail);
        Ok(Some(match bodies {
            Ok(bodies) if bodies.request_id == *request => FoundBodies::Readable(Box::new(bodies)),
            _ => FoundBodies::Unreadable(UnreadableBodies::of(detail)),
        }))
    }
}

impl UnreadableBodies {
    fn of(detail: &str) -> Self {
        let detail: Value = serde_json::from_str(detail).unwrap_or_default();
        match detail.get("sealed").and_then(Value::as_str) {
            Some("erased") => Self::Erased,
            Some("no_key") => Self::NoKey,
            Some("unavailable") => Self::Unavailable,
            _ => Self::Changed,
        }
    }
}

pub(super) fn is_bodies(kind: &str) -> bool {
    kind == EventKind::AiRequestBodies.as_str()
}

/// The details of an event as a list, a stream or an export shows them: of bodies neither the texts nor what they
/// were encrypted to.
pub(super) fn listed(kind: &str, detail: Option<Value>) -> Option<Value> {
    // Longer than any reason why something is not shown.
    const REASON: usize = 32;
    let mut detail = detail?;
    if !is_bodies(kind) {
        return Some(detail);
    }
    for body in ["request", "answer"] {
        if let Some(body) = detail.get_mut(body).and_then(Value::as_object_mut) {
            body.remove("text");
        }
    }
    if let Some(sealed) = detail.get_mut("sealed")
        && sealed.as_str().is_none_or(|sealed| sealed.len() > REASON)
    {
        *sealed = "left_out".into();
    }
    Some(detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_shows_that_there_are_bodies_and_not_which() {
        let kind = EventKind::AiRequestBodies.as_str();
        let of = |detail: Value| listed(kind, Some(detail)).unwrap();
        assert_eq!(
            of(json!({"request": {"bytes": 3, "text": "abc"}, "answer": {"text": "d"}})),
            json!({"request": {"bytes": 3}, "answer": {}})
        );
        let ciphertext = "A".repeat(1000);
        assert_eq!(of(json!({"sealed": ciphertext})), json!({"sealed": "left_out"}));
        assert_eq!(of(json!({"sealed": "erased"})), json!({"sealed": "erased"}));
        assert_eq!(listed(kind, None), None);
        let other = json!({"request": {"text": "abc"}, "sealed": ciphertext});
        assert_eq!(listed("tracked", Some(other.clone())), Some(other));
    }
}
