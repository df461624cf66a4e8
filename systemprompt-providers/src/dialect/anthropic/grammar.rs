//! A checker of streams of Anthropic Messages, for tests: does what a client receives keep the rules
//! that official clients rely on?
//!
//! The rules, from the streaming guide of the API and from what its SDKs raise errors for: every event has a
//! name, the one in its data; one `message_start` comes first; blocks have the indexes 0, 1, 2, ... and one
//! is open at a time; the deltas fit their block; the pieces of a call's input are a JSON object together;
//! then one `message_delta`, `message_stop`, and nothing. `ping` may stand anywhere before the end, and `error`
//! ends a stream at any point.

use serde_json::{Map, Value};

use crate::sse::{Frame, FrameSplitter};

/// The most bytes of one frame.
const MOST: usize = 64 << 20;

const BLOCKS: [&str; 14] = [
    "text",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
    "mcp_tool_use",
    "mcp_tool_result",
];

const REASONS: [&str; 7] = [
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
];

/// The first thing in a stream that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event}: {rule}")]
pub struct Violation {
    /// The number of the event, from 0; comments count too.
    pub event: usize,
    /// What is wrong.
    pub rule: String,
}

/// How a stream that keeps the rules ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With `message_stop`.
    Whole,
    /// With `error`.
    Failed,
}

/// Checks a stream as it comes.
#[derive(Debug)]
pub struct Checker {
    splitter: FrameSplitter,
    events: usize,
    phase: Phase,
    next: u64,
    open: Option<Open>,
    /// Whether the input of a call is no object; allowed where the answer was cut off.
    broken: bool,
    violation: Option<Violation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    Within,
    /// `message_delta` came.
    Ending,
    Ended(End),
}

#[derive(Debug)]
struct Open {
    kind: String,
    input: String,
    signed: bool,
}

/// Checks a whole stream.
///
/// # Errors
/// The first [`Violation`].
pub fn check(stream: &[u8]) -> Result<End, Violation> {
    let mut checker = Checker::new();
    checker.push(stream)?;
    checker.finish()
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

impl Checker {
    /// A checker of one stream.
    #[must_use]
    pub fn new() -> Self {
        Self {
            splitter: FrameSplitter::new(MOST),
            events: 0,
            phase: Phase::Before,
            next: 0,
            open: None,
            broken: false,
            violation: None,
        }
    }

    /// Checks the next bytes, wherever they were cut.
    ///
    /// # Errors
    /// The first [`Violation`] of the stream, again and again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.splitter.push(bytes);
        loop {
            let frame = match self.splitter.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return self.violation.clone().map_or(Ok(()), Err),
                Err(error) => return self.violate(error.to_string()),
            };
            self.take(&frame)?;
        }
    }

    /// Checks that the stream is whole.
    ///
    /// # Errors
    /// The first [`Violation`]; a stream that was cut off is one.
    pub fn finish(mut self) -> Result<End, Violation> {
        if let Some(violation) = self.violation {
            return Err(violation);
        }
        let splitter = std::mem::replace(&mut self.splitter, FrameSplitter::new(0));
        if let Some(frame) = splitter.finish() {
            self.take(&frame)?;
        }
        match self.phase {
            Phase::Ended(end) => Ok(end),
            Phase::Before => Err(self.violation("there is no `message_start`")),
            Phase::Within | Phase::Ending => Err(self.violation("there is no `message_stop`")),
        }
    }

    fn violation(&self, rule: impl Into<String>) -> Violation {
        Violation { event: self.events, rule: rule.into() }
    }

    fn violate(&mut self, rule: impl Into<String>) -> Result<(), Violation> {
        let violation = self.violation.clone().unwrap_or_else(|| self.violation(rule));
        self.violation = Some(violation.clone());
        Err(violation)
    }

    fn take(&mut self, frame: &Frame) -> Result<(), Violation> {
        if let Some(violation) = &self.violation {
            return Err(violation.clone());
        }
        if !frame.is_comment()
            && let Err(rule) = self.frame(frame)
        {
            return self.violate(rule);
        }
        self.events += 1;
        Ok(())
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), String> {
        let name = frame.event.as_deref().ok_or("it has no name")?;
        let data = frame.data.as_ref().ok_or("it has no data")?;
        let data: Map<String, Value> =
            serde_json::from_slice(data).map_err(|_| "its data is no JSON object")?;
        let kind = string(&data, "type")?;
        if kind != name {
            return Err(format!("it is called `{name}`, and its data says `{kind}`"));
        }
        if let Phase::Ended(_) = self.phase {
            return Err(format!("`{name}` comes after the end"));
        }
        match name {
            "ping" => Ok(()),
            "error" => self.error(&data),
            "message_start" => self.message_start(&data),
            _ if self.phase == Phase::Before => {
                Err(format!("`{name}` comes before `message_start`"))
            }
            "message_stop" => self.message_stop(),
            _ if self.phase == Phase::Ending => {
                Err(format!("`{name}` comes after `message_delta`"))
            }
            "content_block_start" => self.block_start(&data),
            "content_block_delta" => self.block_delta(&data),
            "content_block_stop" => self.block_stop(&data),
            "message_delta" => self.message_delta(&data),
            _ => Err(format!("`{name}` is no event of this wire")),
        }
    }

    fn error(&mut self, data: &Map<String, Value>) -> Result<(), String> {
        let error = object(data, "error")?;
        string(error, "type")?;
        string(error, "message")?;
        self.phase = Phase::Ended(End::Failed);
        Ok(())
    }

    fn message_start(&mut self, data: &Map<String, Value>) -> Result<(), String> {
        if self.phase != Phase::Before {
            return Err("there is a second `message_start`".to_owned());
        }
        let message = object(data, "message")?;
        for (name, value) in [("type", "message"), ("role", "assistant")] {
            if string(message, name)? != value {
                return Err(format!("`message.{name}` is not `{value}`"));
            }
        }
        for name in ["id", "model"] {
            if string(message, name)?.is_empty() {
                return Err(format!("`message.{name}` is empty"));
            }
        }
        if message.get("content") != Some(&Value::Array(Vec::new())) {
            return Err("`message.content` is not empty".to_owned());
        }
        if message.get("stop_reason") != Some(&Value::Null) {
            return Err("`message.stop_reason` is not null".to_owned());
        }
        let usage = object(message, "usage")?;
        number(usage, "input_tokens")?;
        number(usage, "output_tokens")?;
        self.phase = Phase::Within;
        Ok(())
    }

    fn block_start(&mut self, data: &Map<String, Value>) -> Result<(), String> {
        if self.open.is_some() {
            return Err("a block begins while another one is open".to_owned());
        }
        let index = number(data, "index")?;
        if index != self.next {
            return Err(format!("the index is {index}, not {}", self.next));
        }
        let block = object(data, "content_block")?;
        let kind = string(block, "type")?;
        if !BLOCKS.contains(&kind) {
            return Err(format!("there is no block of type `{kind}`"));
        }
        match kind {
            "text" => string(block, "text").map(drop)?,
            "thinking" => string(block, "thinking").map(drop)?,
            "redacted_thinking" => string(block, "data").map(drop)?,
            "tool_use" | "server_tool_use" => {
                for name in ["id", "name"] {
                    if string(block, name)?.is_empty() {
                        return Err(format!("`content_block.{name}` is empty"));
                    }
                }
                object(block, "input")?;
            }
            _ => {}
        }
        self.open = Some(Open { kind: kind.to_owned(), input: String::new(), signed: false });
        Ok(())
    }

    fn block_delta(&mut self, data: &Map<String, Value>) -> Result<(), String> {
        let index = number(data, "index")?;
        let next = self.next;
        let open = self.open.as_mut().filter(|_| index == next);
        let open = open.ok_or_else(|| format!("block {index} is not open"))?;
        let delta = object(data, "delta")?;
        let kind = string(delta, "type")?;
        match (open.kind.as_str(), kind) {
            ("text", "text_delta") => string(delta, "text").map(drop),
            ("text", "citations_delta") => object(delta, "citation").map(drop),
            ("thinking", "thinking_delta") if !open.signed => string(delta, "thinking").map(drop),
            ("thinking", "signature_delta") if !open.signed => {
                open.signed = true;
                string(delta, "signature").map(drop)
            }
            ("thinking", _) if open.signed => Err(format!("`{kind}` comes after the signature")),
            ("tool_use" | "server_tool_use" | "mcp_tool_use", "input_json_delta") => {
                open.input.push_str(string(delta, "partial_json")?);
                Ok(())
            }
            (block, _) => Err(format!("a block of type `{block}` has no `{kind}`")),
        }
    }

    fn block_stop(&mut self, data: &Map<String, Value>) -> Result<(), String> {
        let index = number(data, "index")?;
        let open = self.open.take().filter(|_| index == self.next);
        let open = open.ok_or_else(|| format!("block {index} is not open"))?;
        self.next += 1;
        let object = serde_json::from_str::<Map<String, Value>>(&open.input);
        self.broken |= !open.input.is_empty() && object.is_err();
        Ok(())
    }

    fn message_delta(&mut self, data: &Map<String, Value>) -> Result<(), String> {
        if self.open.is_some() {
            return Err("`message_delta` comes while a block is open".to_owned());
        }
        let reason = string(object(data, "delta")?, "stop_reason")?;
        if !REASONS.contains(&reason) {
            return Err(format!("there is no reason to stop called `{reason}`"));
        }
        number(object(data, "usage")?, "output_tokens")?;
        if self.broken && matches!(reason, "end_turn" | "tool_use" | "pause_turn") {
            return Err("the input of a call is no JSON object".to_owned());
        }
        self.phase = Phase::Ending;
        Ok(())
    }

    fn message_stop(&mut self) -> Result<(), String> {
        if self.phase != Phase::Ending {
            return Err("`message_stop` comes without `message_delta`".to_owned());
        }
        self.phase = Phase::Ended(End::Whole);
        Ok(())
    }
}

fn string<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    object.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is no string"))
}

fn number(object: &Map<String, Value>, name: &str) -> Result<u64, String> {
    object.get(name).and_then(Value::as_u64).ok_or_else(|| format!("`{name}` is no number"))
}

fn object<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, String> {
    object.get(name).and_then(Value::as_object).ok_or_else(|| format!("`{name}` is no object"))
}

#[cfg(test)]
mod tests;
