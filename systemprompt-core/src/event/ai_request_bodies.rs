use serde::{Deserialize, Serialize};

use super::{AuditBody, EventKind};
use crate::id::{AiRequestId, EventId};

/// What was asked of a model and what it answered, where the configuration says that it is recorded.
///
/// It is the `detail` of an event of the kind [`EventKind::AiRequestBodies`], whose id is that of the request.
/// A log keeps it encrypted or not at all, and shows the texts only to who asks for those of this request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AiRequestBodies {
    /// The request's id, as in its [`AiRequest`](super::AiRequest).
    pub request_id: AiRequestId,
    /// What was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RecordedBody>,
    /// What the caller got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<RecordedBody>,
}

/// A body, its secrets redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedBody {
    /// SHA-256 of the body as in the [`AiRequest`](super::AiRequest), before anything was redacted, in
    /// hexadecimal.
    pub sha256: String,
    /// How many bytes the body has that was redacted for the record.
    pub bytes: u64,
    /// Where it was cut, in bytes, because it is longer than what is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_at: Option<u64>,
    /// The body; left out where events are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl AiRequestBodies {
    /// The event that the bodies of a request stand in; `None` for an id that was not generated.
    #[must_use]
    pub fn event_of(request: &AiRequestId) -> Option<EventId> {
        request.as_str().parse().ok()
    }
}

impl From<AiRequestBodies> for AuditBody {
    fn from(bodies: AiRequestBodies) -> Self {
        // A structure of ours without maps: there is nothing that could fail.
        let detail = serde_json::to_value(bodies).unwrap_or_default();
        Self::Other { kind: EventKind::AiRequestBodies, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_of_a_request_has_its_id() {
        let request = AiRequestId::generate();
        let event = AiRequestBodies::event_of(&request).unwrap();
        assert_eq!(event.to_string(), request.as_str());
        assert_eq!(AiRequestBodies::event_of(&AiRequestId::parse("mine").unwrap()), None);
    }
}
