//! A checker of Responses streams.
//!
//! Feed it the bytes that a client is sent; it names the first event that breaks the order that clients
//! rely on. Its rules, after the event types of the official SDKs:
//!
//! - every event has a name, which is the `type` in its data, and a `sequence_number`, from 0 by 1;
//! - `response.created` comes first and once, and the id of the response stays the same;
//! - an item is added before anything is said of it, at the next `output_index`, under an id of its own, and
//!   `item_id`, `output_index`, `content_index` and `summary_index` belong together;
//! - what a `done` says is what the deltas said, and it is said once;
//! - every item is done before the answer is, and the last event's `output` is those items;
//! - there is exactly one last event: `response.completed`, `response.incomplete`, `response.failed` or
//!   `error`; but `response.failed` and one `error` may say the same failure, in either order. Items that a
//!   failure interrupts stay open. `[DONE]` belongs to another wire.
//!
//! ```
//! use systemprompt_providers::dialect::responses::grammar::check;
//!
//! let violation = check(b"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":0}\n\n");
//! assert_eq!(
//!     violation.unwrap_err().to_string(),
//!     "event 0 (`response.completed`): the first event must be `response.created`",
//! );
//! ```

use serde_json::Value;

use super::answer::text;
use crate::sse::{Frame, FrameSplitter};

mod item;

use item::Items;

/// The most bytes of one event.
const LONGEST_EVENT: usize = 256 << 20;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// `response.completed`.
    Completed,
    /// `response.incomplete`.
    Incomplete,
    /// `response.failed`, alone or with an `error` beside it.
    Failed,
    /// `error` alone.
    Error,
}

/// What breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event} (`{kind}`): {message}")]
pub struct Violation {
    /// The event, counted from 0; comments do not count.
    pub event: u64,
    /// Its type; empty for one that cannot be read, and at the end of the stream.
    pub kind: String,
    /// What is wrong with it.
    pub message: String,
}

/// Checks a whole stream.
///
/// # Errors
/// The first [`Violation`].
pub fn check(stream: &[u8]) -> Result<Ending, Violation> {
    let mut checker = Checker::new();
    checker.push(stream)?;
    checker.finish()
}

/// Checks a stream as it comes.
#[derive(Debug)]
pub struct Checker {
    splitter: FrameSplitter,
    events: u64,
    response: Option<String>,
    items: Items,
    ending: Option<Ending>,
    /// Whether a failure was said twice.
    repeated: bool,
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

impl Checker {
    /// A checker of a stream that begins.
    #[must_use]
    pub fn new() -> Self {
        Self {
            splitter: FrameSplitter::new(LONGEST_EVENT),
            events: 0,
            response: None,
            items: Items::default(),
            ending: None,
            repeated: false,
        }
    }

    /// Takes the next bytes, cut anywhere.
    ///
    /// # Errors
    /// The first [`Violation`] in them.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.splitter.push(bytes);
        loop {
            let frame = self.splitter.next_frame();
            match frame.map_err(|error| self.violation("", error.to_string()))? {
                None => return Ok(()),
                Some(frame) if frame.is_comment() => {}
                Some(frame) => {
                    self.frame(&frame)?;
                    self.events += 1;
                }
            }
        }
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// A [`Violation`] when it is not whole.
    pub fn finish(self) -> Result<Ending, Violation> {
        if !self.splitter.pending().is_empty() {
            return Err(self.violation("", "the stream ends in the middle of an event"));
        }
        self.ending.ok_or_else(|| self.violation("", "the stream ends without a last event"))
    }

    fn violation(&self, kind: &str, message: impl Into<String>) -> Violation {
        Violation { event: self.events, kind: kind.to_owned(), message: message.into() }
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), Violation> {
        let data = frame.data.as_deref().unwrap_or_default();
        let event: Value = serde_json::from_slice(data)
            .map_err(|error| self.violation("", format!("the data is not JSON: {error}")))?;
        let kind = text(&event, "type");
        self.event(kind, frame.event.as_deref(), &event)
            .map_err(|message| self.violation(kind, message))
    }

    fn event(&mut self, kind: &str, name: Option<&str>, event: &Value) -> Result<(), String> {
        if name != Some(kind) {
            return Err(format!("the name of the event is `{}`", name.unwrap_or_default()));
        }
        if event.get("sequence_number").and_then(Value::as_u64) != Some(self.events) {
            return Err(format!("`sequence_number` must be {}", self.events));
        }
        if let Some(ending) = self.ending {
            let pair = [(Ending::Failed, "error"), (Ending::Error, "response.failed")];
            if self.repeated || !pair.contains(&(ending, kind)) {
                return Err("it comes after the last event".to_owned());
            }
            self.repeated = true;
        }
        match kind {
            "response.created" => self.created(event),
            "error" => self.error(event),
            _ if self.response.is_none() => {
                Err("the first event must be `response.created`".to_owned())
            }
            "response.in_progress" | "response.queued" => self.same_response(event).map(|_| ()),
            "response.completed" => self.end(event, "completed", Ending::Completed),
            "response.incomplete" => self.end(event, "incomplete", Ending::Incomplete),
            "response.failed" => self.end(event, "failed", Ending::Failed),
            _ => self.items.event(kind, event),
        }
    }

    fn created(&mut self, event: &Value) -> Result<(), String> {
        if self.response.is_some() {
            return Err("it comes twice".to_owned());
        }
        let id = text(event.get("response").unwrap_or(&Value::Null), "id");
        if id.is_empty() {
            return Err("`response.id` is missing".to_owned());
        }
        self.response = Some(id.to_owned());
        Ok(())
    }

    fn error(&mut self, event: &Value) -> Result<(), String> {
        // OpenAI sends the members in `error`, and documents them without it.
        let nested = event.get("error").unwrap_or(&Value::Null);
        if text(event, "message").is_empty() && text(nested, "message").is_empty() {
            return Err("`message` is missing".to_owned());
        }
        self.ending = self.ending.or(Some(Ending::Error));
        Ok(())
    }

    fn same_response<'a>(&self, event: &'a Value) -> Result<&'a Value, String> {
        let response = event.get("response").ok_or("`response` is missing")?;
        if Some(text(response, "id")) != self.response.as_deref() {
            return Err("`response.id` is another".to_owned());
        }
        Ok(response)
    }

    fn end(&mut self, event: &Value, status: &str, ending: Ending) -> Result<(), String> {
        let response = self.same_response(event)?;
        if text(response, "status") != status {
            return Err(format!("`response.status` must be `{status}`"));
        }
        if ending == Ending::Failed {
            if response.pointer("/error/message").and_then(Value::as_str).is_none() {
                return Err("`response.error.message` is missing".to_owned());
            }
        } else {
            self.items.all_done()?;
            if !response.get("usage").is_some_and(Value::is_object) {
                return Err("`response.usage` is missing".to_owned());
            }
        }
        if ending == Ending::Incomplete
            && response.pointer("/incomplete_details/reason").and_then(Value::as_str).is_none()
        {
            return Err("`response.incomplete_details.reason` is missing".to_owned());
        }
        self.items.are(response.get("output").unwrap_or(&Value::Null))?;
        self.ending = Some(ending);
        Ok(())
    }
}
