use serde::Serialize;
use serde_json::Value;

use crate::sse::write_frame;

/// An event on the wire. Its name is its type.
#[derive(Debug, Default, Serialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<&'a str>,
    /// Of the event `error`, which has it even where it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) param: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a Value>,
}

/// Writes events with their numbers, or nothing where only the last object is wanted.
#[derive(Debug)]
pub(super) struct Writer {
    next: u64,
    silent: bool,
}

impl Writer {
    pub(super) const fn new(silent: bool) -> Self {
        Self { next: 0, silent }
    }

    pub(super) fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        if self.silent {
            return;
        }
        let event = Event { sequence_number: self.next, ..event };
        self.next += 1;
        let data = serde_json::to_vec(&event).unwrap_or_default();
        write_frame(out, Some(event.kind), &data);
    }
}
