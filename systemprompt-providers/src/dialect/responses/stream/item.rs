use serde_json::{Value, json};

use super::event::{Event, Writer};

/// An item of `output` that is being written.
#[derive(Debug)]
pub(super) struct Item {
    id: String,
    /// Its place in `output`.
    place: usize,
    /// Whether it was said that it begins.
    begun: bool,
    /// Whether `done` was said of its words or arguments, if it is no message.
    whole: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Message {
        /// The parts that are whole.
        parts: Vec<Value>,
        open: Option<Part>,
    },
    Reasoning {
        text: String,
        encrypted: Option<String>,
    },
    Call {
        call_id: String,
        name: String,
        /// Whether it takes a text (`custom_tool_call`).
        text: bool,
        input: String,
    },
}

/// A part of a message that is being written.
#[derive(Debug)]
struct Part {
    refusal: bool,
    text: String,
}

impl Item {
    pub(super) fn message(id: String, place: usize) -> Self {
        Self {
            id,
            place,
            begun: false,
            whole: false,
            kind: Kind::Message { parts: Vec::new(), open: None },
        }
    }

    pub(super) fn reasoning(id: String, place: usize) -> Self {
        let kind = Kind::Reasoning { text: String::new(), encrypted: None };
        Self { id, place, begun: false, whole: false, kind }
    }

    pub(super) fn call(id: String, place: usize, call_id: &str, name: &str, text: bool) -> Self {
        let (call_id, name) = (call_id.to_owned(), name.to_owned());
        let kind = Kind::Call { call_id, name, text, input: String::new() };
        Self { id, place, begun: false, whole: false, kind }
    }

    pub(super) const fn is_message(&self) -> bool {
        matches!(self.kind, Kind::Message { .. })
    }

    pub(super) const fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Call { .. })
    }

    fn event<'a>(&'a self, kind: &'a str) -> Event<'a> {
        Event { kind, output_index: Some(self.place), item_id: Some(&self.id), ..Event::default() }
    }

    /// Writes that the item begins, once.
    pub(super) fn begin(&mut self, writer: &mut Writer, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let mut value = self.value("in_progress");
        // What proves a thought is there once it is whole.
        if let (Kind::Reasoning { .. }, Value::Object(item)) = (&self.kind, &mut value) {
            item.insert("encrypted_content".to_owned(), Value::Null);
        }
        let event = Event {
            kind: "response.output_item.added",
            output_index: Some(self.place),
            item: Some(&value),
            ..Event::default()
        };
        writer.write(event, out);
    }

    /// Begins a part of a message, after ending the one before.
    pub(super) fn begin_part(&mut self, refusal: bool, writer: &mut Writer, out: &mut Vec<u8>) {
        self.end_part(writer, out);
        let Kind::Message { parts, open } = &mut self.kind else { return };
        let at = parts.len();
        let part = Part { refusal, text: String::new() };
        let value = part.value();
        *open = Some(part);
        let event = Event {
            content_index: Some(at),
            part: Some(&value),
            ..self.event("response.content_part.added")
        };
        writer.write(event, out);
    }

    /// Ends the open part of a message, the words of a thought, or the arguments of a call.
    pub(super) fn end_part(&mut self, writer: &mut Writer, out: &mut Vec<u8>) {
        if let Kind::Message { parts, open } = &mut self.kind {
            let Some(part) = open.take() else { return };
            let (at, value) = (parts.len(), part.value());
            parts.push(value.clone());
            self.part_done(at, &part, &value, writer, out);
            return;
        }
        // No arguments are an object without members.
        if matches!(&self.kind, Kind::Call { text: false, input, .. } if input.is_empty()) {
            self.add("{}", writer, out);
        }
        if std::mem::replace(&mut self.whole, true) {
            return;
        }
        match &self.kind {
            Kind::Reasoning { text, .. } if !text.is_empty() => {
                self.summary_done(text, writer, out);
            }
            Kind::Reasoning { .. } | Kind::Message { .. } => {}
            Kind::Call { text: true, input, .. } => {
                let event = self.event("response.custom_tool_call_input.done");
                writer.write(Event { input: Some(input), ..event }, out);
            }
            Kind::Call { input, .. } => {
                let event = self.event("response.function_call_arguments.done");
                writer.write(Event { arguments: Some(input), ..event }, out);
            }
        }
    }

    fn summary_done(&self, text: &str, writer: &mut Writer, out: &mut Vec<u8>) {
        let event = self.event("response.reasoning_summary_text.done");
        writer.write(Event { summary_index: Some(0), text: Some(text), ..event }, out);
        let part = json!({ "type": "summary_text", "text": text });
        let event = self.event("response.reasoning_summary_part.done");
        writer.write(Event { summary_index: Some(0), part: Some(&part), ..event }, out);
    }

    fn part_done(
        &self,
        at: usize,
        part: &Part,
        value: &Value,
        writer: &mut Writer,
        out: &mut Vec<u8>,
    ) {
        let done = if part.refusal {
            let event = self.event("response.refusal.done");
            Event { content_index: Some(at), refusal: Some(&part.text), ..event }
        } else {
            let event = self.event("response.output_text.done");
            Event { content_index: Some(at), text: Some(&part.text), logprobs: Some([]), ..event }
        };
        writer.write(done, out);
        let event = self.event("response.content_part.done");
        writer.write(Event { content_index: Some(at), part: Some(value), ..event }, out);
    }

    /// Adds a piece of text or arguments.
    pub(super) fn add(&mut self, piece: &str, writer: &mut Writer, out: &mut Vec<u8>) {
        if self.whole {
            return;
        }
        self.begin(writer, out);
        match &mut self.kind {
            Kind::Message { open: None, .. } => {}
            Kind::Message { parts, open: Some(part) } => {
                part.text.push_str(piece);
                let (at, refusal) = (parts.len(), part.refusal);
                let event = if refusal {
                    self.event("response.refusal.delta")
                } else {
                    Event { logprobs: Some([]), ..self.event("response.output_text.delta") }
                };
                writer.write(Event { content_index: Some(at), delta: Some(piece), ..event }, out);
            }
            Kind::Reasoning { text, .. } => {
                let first = text.is_empty();
                text.push_str(piece);
                if first {
                    let part = json!({ "type": "summary_text", "text": "" });
                    let event = self.event("response.reasoning_summary_part.added");
                    writer.write(Event { summary_index: Some(0), part: Some(&part), ..event }, out);
                }
                let event = self.event("response.reasoning_summary_text.delta");
                writer.write(Event { summary_index: Some(0), delta: Some(piece), ..event }, out);
            }
            Kind::Call { text, input, .. } => {
                input.push_str(piece);
                let kind = if *text {
                    "response.custom_tool_call_input.delta"
                } else {
                    "response.function_call_arguments.delta"
                };
                writer.write(Event { delta: Some(piece), ..self.event(kind) }, out);
            }
        }
    }

    /// Sets what proves a thought; and its `id`, if it does not have one in the eyes of the caller yet.
    pub(super) fn prove(&mut self, state: String, id: Option<String>) {
        if let Kind::Reasoning { encrypted, .. } = &mut self.kind {
            *encrypted = Some(state);
            if let Some(id) = id.filter(|_| !self.begun) {
                self.id = id;
            }
        }
    }

    /// Ends the item, `completed` or `incomplete`, and gives it back as `output` has it.
    pub(super) fn end(mut self, status: &str, writer: &mut Writer, out: &mut Vec<u8>) -> Value {
        self.begin(writer, out);
        self.end_part(writer, out);
        let value = self.value(status);
        let event = Event {
            kind: "response.output_item.done",
            output_index: Some(self.place),
            item: Some(&value),
            ..Event::default()
        };
        writer.write(event, out);
        value
    }

    fn value(&self, status: &str) -> Value {
        let id = &self.id;
        match &self.kind {
            Kind::Message { parts, .. } => json!({
                "id": id, "type": "message", "role": "assistant", "status": status,
                "content": parts,
            }),
            Kind::Reasoning { text, encrypted } => {
                let summary: Vec<Value> = (!text.is_empty())
                    .then(|| json!({ "type": "summary_text", "text": text }))
                    .into_iter()
                    .collect();
                json!({
                    "id": id, "type": "reasoning", "summary": summary,
                    "encrypted_content": encrypted,
                })
            }
            Kind::Call { call_id, name, text: true, input, .. } => json!({
                "id": id, "type": "custom_tool_call", "status": status, "call_id": call_id,
                "name": name, "input": input,
            }),
            Kind::Call { call_id, name, input, .. } => json!({
                "id": id, "type": "function_call", "status": status, "call_id": call_id,
                "name": name, "arguments": input,
            }),
        }
    }
}

impl Part {
    fn value(&self) -> Value {
        if self.refusal {
            json!({ "type": "refusal", "refusal": self.text })
        } else {
            json!({ "type": "output_text", "text": self.text, "annotations": [], "logprobs": [] })
        }
    }
}
