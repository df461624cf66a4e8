use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use systemprompt_core::llm::Dialect;

use super::head::Head;
use crate::sse::{FrameSplitter, write_comment, write_frame};

/// Most bytes of an event that the encoder writes.
const LONGEST: usize = 256 << 20;

/// Where a stream that was passed on as it came goes on as the encoder writes it. The encoder has written along,
/// unheard, and calls things by names of its own: to the caller they keep those that the provider gave them.
#[derive(Debug)]
pub(super) struct Joint {
    dialect: Dialect,
    /// Events that were passed on.
    passed: u64,
    /// Events that were written since.
    written: u64,
    /// The items or blocks that were passed on, in order.
    items: Vec<Item>,
    /// The parts of items that were: where the item is, and the part in it.
    parts: HashSet<(u64, u64)>,
    /// The places that the encoder's items have for the caller.
    places: BTreeMap<u64, u64>,
    /// How many items the caller knows of.
    known: u64,
}

/// An item as its provider told it.
#[derive(Debug)]
struct Item {
    place: u64,
    kind: String,
    id: String,
    /// The whole of it.
    done: Option<Value>,
    /// Whether the encoder has begun it, too.
    paired: bool,
}

impl Joint {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            passed: 0,
            written: 0,
            items: Vec::new(),
            parts: HashSet::new(),
            places: BTreeMap::new(),
            known: 0,
        }
    }

    /// Notes a frame that was passed on, and what the encoder wrote for it, unheard.
    pub(super) fn pass(&mut self, head: Head, unheard: &[u8]) {
        if !head.kind.is_empty() {
            self.passed += 1;
        }
        match (self.dialect, &*head.kind) {
            (Dialect::Anthropic, "content_block_start") => self.known += 1,
            (Dialect::Responses, "response.output_item.added") => self.added(head),
            (Dialect::Responses, kind) if begins_a_part(kind) => {
                self.parts.extend(head.place.zip(head.part));
            }
            (Dialect::Responses, "response.output_item.done") => {
                let place = head.place;
                let item = self.items.iter_mut().rev().find(|item| Some(item.place) == place);
                if let Some(item) = item {
                    item.done = head.item;
                }
            }
            _ => {}
        }
        let begins: &[u8] = match self.dialect {
            Dialect::Anthropic => b"content_block_start",
            _ => b"response.output_item.added",
        };
        if memchr::memmem::find(unheard, begins).is_some() {
            events(unheard).iter().for_each(|event| self.pair(event));
        }
    }

    fn added(&mut self, head: Head) {
        let Some(place) = head.place else { return };
        let member = |name: &str| {
            let text = head.item.as_ref().and_then(|item| item.get(name)?.as_str());
            text.unwrap_or_default().to_owned()
        };
        let (kind, id) = (member("type"), member("id"));
        self.known = self.known.max(place.saturating_add(1));
        self.items.push(Item { place, kind, id, done: None, paired: false });
    }

    /// Gives what the encoder begins the place of what was passed on for it, or a new one.
    fn pair(&mut self, event: &Value) {
        match (self.dialect, text(event, "type")) {
            (Dialect::Anthropic, "content_block_start") => {
                let Some(own) = event.get("index").and_then(Value::as_u64) else { return };
                let place =
                    if self.written == 0 { self.known.saturating_sub(1) } else { self.known };
                self.known = self.known.max(place + 1);
                self.places.insert(own, place);
            }
            (Dialect::Responses, "response.output_item.added") => {
                let Some(own) = event.get("output_index").and_then(Value::as_u64) else { return };
                let kind = event.get("item").map(|item| text(item, "type")).unwrap_or_default();
                let place = match self.twin(kind) {
                    Some(item) => {
                        item.paired = true;
                        item.place
                    }
                    None => self.known,
                };
                self.known = self.known.max(place + 1);
                self.places.insert(own, place);
            }
            _ => {}
        }
    }

    /// The item that was passed on for one that the encoder begins: the last of its kind, which is open still
    /// where the encoder is heard.
    fn twin(&mut self, kind: &str) -> Option<&mut Item> {
        let is_heard = self.written > 0;
        let mut last = self.items.iter_mut().rev();
        last.find(|item| !item.paired && item.kind == kind && !(is_heard && item.done.is_some()))
    }

    /// Whether the caller has seen the beginning of what an event begins: an item or a part of it that had no word
    /// yet when it was passed on, so that the encoder did not know of it.
    fn is_told(&self, event: &Value) -> bool {
        let kind = text(event, "type");
        let number = |name: &str| event.get(name).and_then(Value::as_u64);
        let place = number("output_index").and_then(|own| self.places.get(&own));
        let Some(place) = place.filter(|_| self.dialect == Dialect::Responses) else {
            return false;
        };
        if kind == "response.output_item.added" {
            return self.items.iter().any(|item| item.place == *place && item.paired);
        }
        let part = number("content_index").or_else(|| number("summary_index"));
        begins_a_part(kind) && part.is_some_and(|part| self.parts.contains(&(*place, part)))
    }

    /// Writes what the encoder wrote, so that it goes on from what was passed on.
    pub(super) fn go_on(&mut self, written: &[u8], out: &mut Vec<u8>) {
        if !matches!(self.dialect, Dialect::Anthropic | Dialect::Responses) {
            out.extend_from_slice(written);
            return;
        }
        let mut splitter = FrameSplitter::new(LONGEST);
        splitter.push(written);
        while let Ok(Some(frame)) = splitter.next_frame() {
            let event = frame.data.as_deref().and_then(|data| serde_json::from_slice(data).ok());
            let Some(mut event) = event else {
                write_comment(out, "keepalive");
                continue;
            };
            self.written += 1;
            self.pair(&event);
            if self.is_told(&event) {
                self.written -= 1;
                continue;
            }
            self.rename(&mut event);
            let data = event.to_string();
            write_frame(out, frame.event.as_deref(), data.as_bytes());
        }
    }

    fn rename(&mut self, event: &mut Value) {
        if self.dialect == Dialect::Anthropic {
            if let Some(place) = event.get_mut("index") {
                self.replace(place);
            }
            return;
        }
        let number = self.passed + self.written - 1;
        let names = self.names();
        if let Some(event) = event.as_object_mut() {
            event.insert("sequence_number".to_owned(), number.into());
        }
        let own = event.get("output_index").and_then(Value::as_u64);
        if let Some(place) = event.get_mut("output_index") {
            self.replace(place);
        }
        let name = own.and_then(|own| names.get(&own));
        for pointer in ["/item_id", "/item/id"] {
            if let (Some(id), Some(name)) = (event.pointer_mut(pointer), name) {
                *id = name.clone().into();
            }
        }
        if let Some(output) = event.pointer_mut("/response/output")
            && let Some(items) = output.as_array_mut()
        {
            let own = std::mem::take(items);
            *items = self.output(own, &names);
        }
    }

    fn replace(&self, place: &mut Value) {
        let known = place.as_u64().and_then(|own| self.places.get(&own));
        if let Some(known) = known {
            *place = (*known).into();
        }
    }

    /// The ids that the encoder's items have for the caller, by their own places.
    fn names(&self) -> HashMap<u64, String> {
        let name = |(own, place): (&u64, &u64)| {
            let item = self.items.iter().find(|item| item.place == *place && item.paired)?;
            (!item.id.is_empty()).then(|| (*own, item.id.clone()))
        };
        self.places.iter().filter_map(name).collect()
    }

    /// The items of the answer in their places: those that were passed on whole as they came.
    fn output(&self, own: Vec<Value>, names: &HashMap<u64, String>) -> Vec<Value> {
        let mut all = BTreeMap::new();
        for (at, mut item) in (0..).zip(own) {
            if let (Some(id), Some(name)) = (item.get_mut("id"), names.get(&at)) {
                *id = name.clone().into();
            }
            all.insert(self.places.get(&at).copied().unwrap_or(at), item);
        }
        for item in &self.items {
            if let Some(done) = &item.done {
                all.insert(item.place, done.clone());
            }
        }
        all.into_values().collect()
    }
}

fn begins_a_part(kind: &str) -> bool {
    matches!(kind, "response.content_part.added" | "response.reasoning_summary_part.added")
}

fn events(written: &[u8]) -> Vec<Value> {
    let mut splitter = FrameSplitter::new(LONGEST);
    splitter.push(written);
    let mut all = Vec::new();
    while let Ok(Some(frame)) = splitter.next_frame() {
        all.extend(frame.data.as_deref().and_then(|data| serde_json::from_slice(data).ok()));
    }
    all
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
