use std::collections::{HashMap, HashSet};

use serde_json::Value;
use systemprompt_core::llm::{Origin, StreamEvent};

use super::super::answer::{self, parts, text};
use super::LONGEST_ANSWER;
use super::slot::{Kind, Slot, kind_of};
use crate::dialect::Source;

/// The most blocks of one answer.
const MOST_BLOCKS: usize = 10_000;

/// Which block: the item by its place in `output`, and for a message the part by its place in it.
type Key = (u64, Option<u64>);

/// The blocks of an answer, in the order in which they began; they are written one after the other.
pub(super) struct Blocks {
    origin: Origin,
    slots: Vec<Slot>,
    keys: HashMap<Key, usize>,
    /// The place of an item in `output`, by its id.
    places: HashMap<String, u64>,
    /// The places of the items that are whole.
    done: HashSet<u64>,
    /// The item that the last event was about, for servers that do not say.
    last: u64,
    /// The first block that is not whole.
    head: usize,
    /// The next block's index.
    index: usize,
    /// Bytes of text so far.
    size: usize,
    /// Whether a tool was called.
    pub(super) tools: bool,
    /// Whether the model declined.
    pub(super) refused: bool,
}

impl Blocks {
    pub(super) fn new(from: &Source) -> Self {
        Self {
            origin: answer::origin(from),
            slots: Vec::new(),
            keys: HashMap::new(),
            places: HashMap::new(),
            done: HashSet::new(),
            last: 0,
            head: 0,
            index: 0,
            size: 0,
            tools: false,
            refused: false,
        }
    }

    /// Takes an event that is about an item.
    pub(super) fn event(&mut self, kind: &str, event: &Value) {
        let delta = text(event, "delta");
        match kind {
            "response.output_item.added" => self.item_added(event),
            "response.output_item.done" => {
                if let Some(item) = event.get("item") {
                    self.item_done(self.place(event, text(item, "id")), item);
                }
            }
            "response.content_part.added" => {
                if let Some(part) = event.get("part") {
                    self.part_of(event, text(part, "type"));
                }
            }
            "response.content_part.done" => {
                if let Some(part) = event.get("part") {
                    let place = self.place_of(event);
                    self.part_done(place, content_index(event), part);
                }
            }
            "response.output_text.delta" => self.add(event, "output_text", delta),
            "response.refusal.delta" => self.add(event, "refusal", delta),
            "response.output_text.done" => {
                self.finish_part(event, "output_text", text(event, "text"))
            }
            "response.refusal.done" => self.finish_part(event, "refusal", text(event, "refusal")),
            "response.function_call_arguments.delta" => self.call(event, false, delta, false),
            "response.custom_tool_call_input.delta" => self.call(event, true, delta, false),
            "response.function_call_arguments.done" => {
                self.call(event, false, text(event, "arguments"), true);
            }
            "response.custom_tool_call_input.done" => {
                self.call(event, true, text(event, "input"), true);
            }
            "response.reasoning_summary_text.delta" => self.think(event, false, delta, false),
            "response.reasoning_text.delta" => self.think(event, true, delta, false),
            "response.reasoning_summary_text.done" => {
                self.think(event, false, text(event, "text"), true);
            }
            "response.reasoning_text.done" => self.think(event, true, text(event, "text"), true),
            // The others tell how a provider's own tools come along, or of annotations.
            _ => {}
        }
    }

    /// Takes `output` of the end of the answer: what of it did not come before is new. Whether every call says
    /// which tool is meant.
    pub(super) fn complete(&mut self, output: &[Value]) -> bool {
        for (place, item) in (0..).zip(output) {
            let place = self.places.get(text(item, "id")).copied().unwrap_or(place);
            if !self.done.contains(&place) {
                self.item_done(place, item);
            }
        }
        for slot in &mut self.slots {
            slot.close();
        }
        self.slots.iter().all(|slot| !slot.is_call() || slot.is_named())
    }

    /// Writes what can be written: the first block that is not whole, and what follows once it is.
    pub(super) fn write(&mut self, from: &Source, out: &mut Vec<StreamEvent>) {
        while let Some(slot) = self.slots.get_mut(self.head) {
            if !slot.write(&mut self.index, from, out) {
                return;
            }
            self.head += 1;
        }
    }

    /// Whether there are more than an answer may have.
    pub(super) fn are_too_many(&self) -> bool {
        self.size > LONGEST_ANSWER
            || self.slots.len() > MOST_BLOCKS
            || self.done.len() > MOST_BLOCKS
    }

    /// The place of the item with `id` that an event is about.
    fn place(&self, event: &Value, id: &str) -> u64 {
        let known = self.places.get(id).copied();
        known.or_else(|| event.get("output_index").and_then(Value::as_u64)).unwrap_or(self.last)
    }

    /// The place of the item that an event is about, which the next may be about as well.
    fn place_of(&mut self, event: &Value) -> u64 {
        self.last = self.place(event, text(event, "item_id"));
        self.last
    }

    fn item_added(&mut self, event: &Value) {
        let Some(item) = event.get("item").filter(|item| item.is_object()) else { return };
        let id = text(item, "id");
        let said = event.get("output_index").and_then(Value::as_u64);
        // Some servers do not say a place, or say the same one of all items.
        let free = |place: &u64| !self.places.iter().any(|(other, at)| at == place && other != id);
        let next = || self.keys.keys().map(|(at, _)| at.saturating_add(1)).max().unwrap_or(0);
        let place = said.filter(free).unwrap_or_else(next);
        self.last = place;
        if !id.is_empty() && self.places.len() < MOST_BLOCKS {
            self.places.insert(id.to_owned(), place);
        }
        let Some(kind) = kind_of(item) else { return };
        let early = match &kind {
            Kind::Call { text: false, .. } => text(item, "arguments"),
            Kind::Call { text: true, .. } => text(item, "input"),
            _ => "",
        };
        self.size = self.size.saturating_add(early.len());
        if let Some(slot) = self.slot((place, None), kind) {
            slot.keep_early(early);
        }
    }

    /// The block with `key`, which begins here if there is none yet. `None` when there are too many.
    fn slot(&mut self, key: Key, kind: Kind) -> Option<&mut Slot> {
        let at = match self.keys.get(&key) {
            Some(at) => *at,
            None => {
                // One more than may be is kept as the sign that there were.
                if self.slots.len() > MOST_BLOCKS {
                    return None;
                }
                self.tools |= matches!(kind, Kind::Call { .. });
                self.slots.push(Slot::new(kind));
                self.keys.insert(key, self.slots.len() - 1);
                self.slots.len() - 1
            }
        };
        self.slots.get_mut(at)
    }

    fn part_of(&mut self, event: &Value, kind: &str) -> Option<&mut Slot> {
        let place = self.place_of(event);
        let kind = match kind {
            "output_text" | "text" => Kind::Text,
            "refusal" => Kind::Refusal,
            // `reasoning_text` is a part of a thought, which is one block.
            _ => return None,
        };
        self.slot((place, Some(content_index(event))), kind)
    }

    fn add(&mut self, event: &Value, kind: &str, delta: &str) {
        let size = self.part_of(event, kind).map_or(0, |slot| slot.add(delta));
        self.size = self.size.saturating_add(size);
        self.refused |= kind == "refusal" && size > 0;
    }

    fn finish_part(&mut self, event: &Value, kind: &str, whole: &str) {
        let Some(slot) = self.part_of(event, kind) else { return };
        let size = slot.complete(whole);
        slot.close();
        self.size = self.size.saturating_add(size);
        self.refused |= kind == "refusal" && !whole.is_empty();
    }

    fn part_done(&mut self, place: u64, content_index: u64, part: &Value) {
        let (kind, whole) = match text(part, "type") {
            "output_text" | "text" => (Kind::Text, text(part, "text")),
            "refusal" => (Kind::Refusal, text(part, "refusal")),
            "reasoning_text" | "summary_text" => return,
            _ => (Kind::Unknown(Some(part.clone())), ""),
        };
        self.refused |= matches!(kind, Kind::Refusal) && !whole.is_empty();
        let Some(slot) = self.slot((place, Some(content_index)), kind) else { return };
        let size = slot.complete(whole);
        slot.close();
        self.size = self.size.saturating_add(size);
    }

    /// Takes arguments: a piece of them, or the whole.
    fn call(&mut self, event: &Value, takes_text: bool, said: &str, whole: bool) {
        let place = self.place_of(event);
        let kind = Kind::Call {
            id: text(event, "call_id").to_owned(),
            name: text(event, "name").to_owned(),
            text: takes_text,
        };
        let Some(slot) = self.slot((place, None), kind).filter(|slot| slot.is_call()) else {
            return;
        };
        let size = if whole { slot.complete(said) } else { slot.add(said) };
        if let Kind::Call { name, .. } = slot.kind_mut() {
            fill(name, text(event, "name"));
        }
        if whole && slot.is_named() {
            slot.close();
        }
        self.size = self.size.saturating_add(size);
    }

    /// Takes words of a thought: a piece of a part, or a whole part.
    fn think(&mut self, event: &Value, raw: bool, said: &str, whole: bool) {
        let place = self.place_of(event);
        let part = if raw { "content_index" } else { "summary_index" };
        let part = event.get(part).and_then(Value::as_u64).unwrap_or(0);
        let part = usize::try_from(part).unwrap_or(usize::MAX);
        if said.is_empty() {
            return;
        }
        let Some(slot) = self.slot((place, None), Kind::Thinking { raw: None }) else { return };
        if slot.turn_to(part, raw) {
            let size = if whole { slot.complete(said) } else { slot.add(said) };
            self.size = self.size.saturating_add(size);
        }
    }

    /// Takes a whole item: what of it did not come before is new.
    fn item_done(&mut self, place: u64, item: &Value) {
        self.last = place;
        let Some(kind) = kind_of(item) else {
            for (number, part) in (0..).zip(parts(item)) {
                self.part_done(place, number, part);
            }
            self.close(place);
            return;
        };
        self.done.insert(place);
        let origin = self.origin.clone();
        let Some(slot) = self.slot((place, None), kind) else { return };
        let mut size = 0;
        match slot.kind_mut() {
            Kind::Call { id, name, text: takes_text } => {
                if let Some(Kind::Call { id: new_id, name: new_name, .. }) = kind_of(item) {
                    fill(id, &new_id);
                    fill(name, &new_name);
                }
                let member = if *takes_text { "input" } else { "arguments" };
                size = slot.complete(text(item, member));
            }
            Kind::Thinking { .. } => {
                for (member, raw) in [("content", true), ("summary", false)] {
                    let all = item.get(member).and_then(Value::as_array);
                    let all = all.map(Vec::as_slice).unwrap_or_default();
                    for (number, part) in all.iter().enumerate() {
                        let whole = text(part, "text");
                        if !whole.is_empty() && slot.turn_to(number, raw) {
                            size += slot.complete(whole);
                        }
                    }
                }
                slot.prove(answer::state(item, &origin));
            }
            Kind::Unknown(value) => *value = Some(item.clone()),
            Kind::Text | Kind::Refusal => {}
        }
        slot.close();
        self.size = self.size.saturating_add(size);
    }

    /// The item at `place` is whole, and all its parts are.
    fn close(&mut self, place: u64) {
        self.done.insert(place);
        for ((at, _), number) in &self.keys {
            if *at == place
                && let Some(slot) = self.slots.get_mut(*number)
            {
                slot.close();
            }
        }
    }
}

fn content_index(event: &Value) -> u64 {
    event.get("content_index").and_then(Value::as_u64).unwrap_or(0)
}

fn fill(member: &mut String, with: &str) {
    if member.is_empty() {
        with.clone_into(member);
    }
}
