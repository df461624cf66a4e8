//! What a stream of Chat Completions must look like, as its clients rely on it.
//!
//! [`ChatGrammar`] is fed the bytes that a client gets and names the first thing that is wrong:
//!
//! - every `data:` is a chunk, an error or `[DONE]`; comments may stand anywhere before the end
//! - all chunks have the same `id`, `model` and `created`
//! - `role` comes once, with the first choice
//! - calls are numbered from 0; the first piece of each has its id, type and name, no later one has
//! - the arguments of a call come together as a JSON object, unless the answer ended at its limit
//! - `finish_reason` comes once, and nothing but usage after it
//! - the chunk with the usage comes only if it was asked for, once, with empty `choices`
//! - `[DONE]` comes last, after a `finish_reason` or an error

use serde_json::{Map, Value};

use crate::sse::{Frame, FrameSplitter};

/// The most bytes of a frame that is looked at.
const FRAME: usize = 64 << 20;

/// Checks one stream.
#[derive(Debug)]
pub struct ChatGrammar {
    splitter: FrameSplitter,
    usage_asked: bool,
    frames: usize,
    /// `id`, `model` and `created` of the first chunk.
    head: Option<[Value; 3]>,
    role: bool,
    calls: Vec<Call>,
    finish: Option<String>,
    usage: bool,
    error: bool,
    done: bool,
}

#[derive(Debug)]
struct Call {
    arguments: String,
    is_text: bool,
}

/// What is wrong with a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("frame {frame}: {what}")]
pub struct Violation {
    /// The number of the frame, from 0; the number of all frames when the end is wrong.
    pub frame: usize,
    /// What is wrong with it.
    pub what: String,
}

impl ChatGrammar {
    /// A checker of a stream whose request did or did not ask for usage (`stream_options.include_usage`).
    #[must_use]
    pub fn new(usage_asked: bool) -> Self {
        Self {
            splitter: FrameSplitter::new(FRAME),
            usage_asked,
            frames: 0,
            head: None,
            role: false,
            calls: Vec::new(),
            finish: None,
            usage: false,
            error: false,
            done: false,
        }
    }

    /// Checks a whole stream.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub fn check(bytes: &[u8], usage_asked: bool) -> Result<(), Violation> {
        let mut grammar = Self::new(usage_asked);
        grammar.push(bytes)?;
        grammar.finish()
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The first [`Violation`] among the frames that they end.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.splitter.push(bytes);
        loop {
            let frame = self.splitter.next_frame();
            let frame = frame.map_err(|error| self.violation(error.to_string()))?;
            let Some(frame) = frame else { return Ok(()) };
            self.frame(&frame).map_err(|what| self.violation(what))?;
            self.frames += 1;
        }
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// A [`Violation`] when it is not whole.
    pub fn finish(self) -> Result<(), Violation> {
        if !self.splitter.pending().is_empty() {
            return Err(self.violation("the last frame has no blank line after it"));
        }
        if !self.done {
            return Err(self.violation("the stream ends without `[DONE]`"));
        }
        Ok(())
    }

    fn violation(&self, what: impl Into<String>) -> Violation {
        Violation { frame: self.frames, what: what.into() }
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), String> {
        require(!self.done, "something follows `[DONE]`")?;
        require(frame.event.is_none(), "the frame has an `event`")?;
        let Some(data) = &frame.data else { return Ok(()) };
        if data.as_ref() == b"[DONE]" {
            self.done = true;
            require(self.error || self.finish.is_some(), "`[DONE]` without a `finish_reason`")?;
            return if self.error { Ok(()) } else { self.arguments() };
        }
        require(!self.error, "something other than `[DONE]` follows the error")?;
        let chunk: Map<String, Value> =
            serde_json::from_slice(data).map_err(|error| format!("no JSON object: {error}"))?;
        match chunk.get("error") {
            Some(error) => self.error(error, chunk.len()),
            None => self.chunk(&chunk),
        }
    }

    fn error(&mut self, error: &Value, members: usize) -> Result<(), String> {
        self.error = true;
        require(members == 1, "the error has members beside it")?;
        for name in ["message", "type"] {
            require(
                error.get(name).is_some_and(Value::is_string),
                &format!("error without `{name}`"),
            )?;
        }
        for name in ["param", "code"] {
            let is = error.get(name).is_some_and(|value| value.is_string() || value.is_null());
            require(is, &format!("error whose `{name}` is neither a string nor null"))?;
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Map<String, Value>) -> Result<(), String> {
        let object = chunk.get("object").and_then(Value::as_str);
        require(
            object == Some("chat.completion.chunk"),
            "`object` is not `chat.completion.chunk`",
        )?;
        let head =
            ["id", "model", "created"].map(|name| chunk.get(name).cloned().unwrap_or_default());
        let whole = matches!(&head, [Value::String(id), Value::String(_), Value::Number(_)] if !id.is_empty());
        require(whole, "`id`, `model` or `created` is missing")?;
        match &self.head {
            None => self.head = Some(head),
            Some(first) => require(*first == head, "`id`, `model` or `created` has changed")?,
        }
        let choices = chunk.get("choices").and_then(Value::as_array);
        let Some(choices) = choices else { return Err("`choices` is no array".to_owned()) };
        let usage = chunk.get("usage").filter(|usage| !usage.is_null());
        match (choices.as_slice(), usage) {
            ([], Some(usage)) => self.usage(usage),
            ([], None) => Err("a chunk that says nothing".to_owned()),
            ([choice], None) => self.choice(choice),
            ([_], Some(_)) => Err("usage beside a choice".to_owned()),
            _ => Err("more than one choice".to_owned()),
        }
    }

    fn usage(&mut self, usage: &Value) -> Result<(), String> {
        require(self.usage_asked, "usage that was not asked for")?;
        require(self.finish.is_some(), "usage before the `finish_reason`")?;
        require(!self.usage, "usage twice")?;
        self.usage = true;
        let number = |name: &str| usage.get(name).and_then(Value::as_u64);
        let sum = number("prompt_tokens").zip(number("completion_tokens"));
        let sum = sum.map(|(prompt, completion)| prompt.saturating_add(completion));
        require(sum.is_some() && sum == number("total_tokens"), "usage whose total is not its sum")
    }

    fn choice(&mut self, choice: &Value) -> Result<(), String> {
        require(self.finish.is_none(), "a choice after the `finish_reason`")?;
        require(choice.get("index").and_then(Value::as_u64) == Some(0), "a choice other than 0")?;
        let Some(Value::Object(delta)) = choice.get("delta") else {
            return Err("a choice without a `delta`".to_owned());
        };
        let role = delta.get("role");
        require(role.is_some() != self.role, "`role` is not in the first choice alone")?;
        require(role.is_none_or(|role| role == "assistant"), "a role other than `assistant`")?;
        self.role = true;
        for name in ["content", "refusal", "reasoning_content"] {
            let text = delta.get(name).is_none_or(|value| value.is_string() || value.is_null());
            require(text, &format!("`{name}` is no string"))?;
        }
        let details = delta.get("reasoning_details");
        require(details.is_none_or(Value::is_array), "`reasoning_details` is no array")?;
        match delta.get("tool_calls") {
            None => {}
            Some(Value::Array(calls)) => calls.iter().try_for_each(|call| self.call(call))?,
            Some(_) => return Err("`tool_calls` is no array".to_owned()),
        }
        match choice.get("finish_reason") {
            Some(Value::Null) => Ok(()),
            Some(Value::String(word)) => self.end(word),
            _ => Err("a choice without `finish_reason`".to_owned()),
        }
    }

    fn call(&mut self, call: &Value) -> Result<(), String> {
        let index = call.get("index").and_then(Value::as_u64);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or("a call without an `index`")?;
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_text = call.get("custom").is_some();
        let inner = call.get(if is_text { "custom" } else { "function" });
        let inner = inner.ok_or("a call without `function`")?;
        let said = text(inner, if is_text { "input" } else { "arguments" }).unwrap_or_default();
        if let Some(begun) = self.calls.get_mut(index) {
            require(call.get("id").is_none(), "a later piece of a call with an `id`")?;
            require(inner.get("name").is_none(), "a later piece of a call with a name")?;
            require(begun.is_text == is_text, "a call that changes its type")?;
            begun.arguments.push_str(&said);
            return Ok(());
        }
        require(index == self.calls.len(), "calls are not numbered in order")?;
        let named = text(call, "id").is_some_and(|id| !id.is_empty())
            && text(inner, "name").is_some_and(|name| !name.is_empty());
        require(named, "the first piece of a call without id and name")?;
        let kind = if is_text { "custom" } else { "function" };
        require(text(call, "type").as_deref() == Some(kind), "a call without its type")?;
        self.calls.push(Call { arguments: said, is_text });
        Ok(())
    }

    fn end(&mut self, word: &str) -> Result<(), String> {
        let known = ["stop", "length", "tool_calls", "content_filter", "function_call"];
        require(known.contains(&word), &format!("`finish_reason` is `{word}`"))?;
        require(word != "tool_calls" || !self.calls.is_empty(), "`tool_calls` without calls")?;
        self.finish = Some(word.to_owned());
        Ok(())
    }

    /// Whether all arguments are JSON. An answer that ended at its limit may have broken off in the middle.
    fn arguments(&self) -> Result<(), String> {
        if self.finish.as_deref() != Some("tool_calls") {
            return Ok(());
        }
        for (at, call) in self.calls.iter().enumerate().filter(|(_, call)| !call.is_text) {
            let read = serde_json::from_str::<Map<String, Value>>(&call.arguments);
            require(read.is_ok(), &format!("the arguments of call {at} are no JSON object"))?;
        }
        Ok(())
    }
}

fn require(is: bool, what: &str) -> Result<(), String> {
    if is { Ok(()) } else { Err(what.to_owned()) }
}

#[cfg(test)]
mod tests;
