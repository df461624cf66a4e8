use serde_json::Value;

use super::super::answer::text;

/// The items of `output` so far, each at its place.
#[derive(Debug, Default)]
pub(super) struct Items {
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    id: String,
    kind: String,
    /// What a call said of itself when it began.
    call: Option<(String, String)>,
    content: Vec<Part>,
    summary: Vec<Part>,
    /// The arguments of a call.
    arguments: Part,
    /// As it stood when it was whole.
    done: Option<Value>,
}

/// A text that comes in pieces.
#[derive(Debug, Default)]
struct Part {
    kind: String,
    text: String,
    text_done: bool,
    done: bool,
}

impl Items {
    pub(super) fn event(&mut self, kind: &str, event: &Value) -> Result<(), String> {
        match kind {
            "response.output_item.added" => return self.added(event),
            "response.output_item.done" => return self.done(event),
            _ => {}
        }
        let Some(what) = What::of(kind) else { return Ok(()) };
        let item = self.item(event)?;
        if text(event, "item_id") != item.id {
            return Err(format!("`item_id` must be `{}`", item.id));
        }
        if !what.fits.contains(&item.kind.as_str()) {
            return Err(format!("the item is a `{}`", item.kind));
        }
        item.take(&what, event)
    }

    /// Whether everything that began is whole.
    pub(super) fn all_done(&self) -> Result<(), String> {
        match self.items.iter().position(|item| item.done.is_none()) {
            None => Ok(()),
            Some(at) => Err(format!("item {at} is not done")),
        }
    }

    /// Whether `output` is the items that are done.
    pub(super) fn are(&self, output: &Value) -> Result<(), String> {
        let done: Vec<&Value> = self.items.iter().filter_map(|item| item.done.as_ref()).collect();
        let said = output.as_array().ok_or("`response.output` is missing")?;
        if said.len() != done.len() {
            return Err(format!("`response.output` must have {} items", done.len()));
        }
        match said.iter().zip(done).position(|(said, done)| said != done) {
            None => Ok(()),
            Some(at) => Err(format!("`response.output.{at}` is not the item that was done")),
        }
    }

    fn added(&mut self, event: &Value) -> Result<(), String> {
        let place = self.items.len();
        if index(event, "output_index")? != place {
            return Err(format!("`output_index` must be {place}"));
        }
        let value = event.get("item").ok_or("`item` is missing")?;
        let (id, kind) = (text(value, "id"), text(value, "type"));
        if id.is_empty() || kind.is_empty() {
            return Err("`item.id` or `item.type` is missing".to_owned());
        }
        if self.items.iter().any(|item| item.id == id) {
            return Err(format!("the id `{id}` is another item's"));
        }
        let call = matches!(kind, "function_call" | "custom_tool_call");
        let call =
            call.then(|| (text(value, "call_id").to_owned(), text(value, "name").to_owned()));
        if call.as_ref().is_some_and(|(id, name)| id.is_empty() || name.is_empty()) {
            return Err("`item.call_id` or `item.name` is missing".to_owned());
        }
        self.items.push(Item {
            id: id.to_owned(),
            kind: kind.to_owned(),
            call,
            content: Vec::new(),
            summary: Vec::new(),
            arguments: Part::default(),
            done: None,
        });
        Ok(())
    }

    /// The item that an event is about, which must be open.
    fn item(&mut self, event: &Value) -> Result<&mut Item, String> {
        let place = index(event, "output_index")?;
        let item = self.items.get_mut(place).ok_or(format!("item {place} was not added"))?;
        if item.done.is_some() {
            return Err(format!("item {place} is done already"));
        }
        Ok(item)
    }

    fn done(&mut self, event: &Value) -> Result<(), String> {
        let item = self.item(event)?;
        let value = event.get("item").ok_or("`item` is missing")?;
        if text(value, "id") != item.id || text(value, "type") != item.kind {
            return Err("`item.id` or `item.type` is another than when it was added".to_owned());
        }
        // The items of a provider's own tools come whole.
        if matches!(item.kind.as_str(), "message" | "reasoning") {
            same_parts(&item.content, value.get("content"), "content")?;
            same_parts(&item.summary, value.get("summary"), "summary")?;
        }
        if let Some((id, name)) = &item.call {
            if text(value, "call_id") != id || text(value, "name") != name {
                return Err("`item.call_id` or `item.name` is another than before".to_owned());
            }
            let member = if item.kind == "function_call" { "arguments" } else { "input" };
            if !item.arguments.text_done {
                return Err(format!("the {member} of the call are not done"));
            }
            if text(value, member) != item.arguments.text {
                return Err(format!("`item.{member}` is not what the deltas said"));
            }
        }
        item.done = Some(value.clone());
        Ok(())
    }
}

impl Item {
    fn take(&mut self, what: &What, event: &Value) -> Result<(), String> {
        let (parts, member) = match what.place {
            Place::Arguments => return self.arguments.take(what, event),
            Place::Content => (&mut self.content, "content_index"),
            Place::Summary => (&mut self.summary, "summary_index"),
        };
        let at = index(event, member)?;
        if what.step == Step::Added {
            if at != parts.len() {
                return Err(format!("`{member}` must be {}", parts.len()));
            }
            let part = event.get("part").ok_or("`part` is missing")?;
            parts.push(Part { kind: text(part, "type").to_owned(), ..Part::default() });
            return Ok(());
        }
        let part = parts.get_mut(at).ok_or(format!("part {at} was not added"))?;
        part.take(what, event)
    }
}

impl Part {
    fn take(&mut self, what: &What, event: &Value) -> Result<(), String> {
        if !what.part.is_empty() && self.kind != what.part {
            return Err(format!("the part is a `{}`", self.kind));
        }
        match what.step {
            Step::Added => Ok(()),
            Step::Delta if self.text_done => Err("its text is done already".to_owned()),
            Step::Delta => {
                let delta = event.get("delta").and_then(Value::as_str);
                self.text.push_str(delta.ok_or("`delta` is missing")?);
                Ok(())
            }
            Step::TextDone if self.text_done => Err("it comes twice".to_owned()),
            Step::TextDone => {
                self.text_done = true;
                self.is(event, what.member)
            }
            Step::Done if self.done => Err("it comes twice".to_owned()),
            Step::Done if !self.text_done => Err("the text of the part is not done".to_owned()),
            Step::Done => {
                self.done = true;
                let part = event.get("part").ok_or("`part` is missing")?;
                self.same(part)
            }
        }
    }

    fn is(&self, value: &Value, member: &str) -> Result<(), String> {
        if value.get(member).and_then(Value::as_str) == Some(self.text.as_str()) {
            Ok(())
        } else {
            Err(format!("`{member}` is not what the deltas said"))
        }
    }

    /// Whether `part` is this one.
    fn same(&self, part: &Value) -> Result<(), String> {
        if text(part, "type") != self.kind {
            return Err(format!("the part was added as a `{}`", self.kind));
        }
        self.is(part, if self.kind == "refusal" { "refusal" } else { "text" })
    }
}

fn same_parts(parts: &[Part], said: Option<&Value>, member: &str) -> Result<(), String> {
    let said = said.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if said.len() != parts.len() {
        return Err(format!("`item.{member}` must have {} parts", parts.len()));
    }
    for (at, (part, said)) in parts.iter().zip(said).enumerate() {
        if !part.done {
            return Err(format!("part {at} of the {member} is not done"));
        }
        part.same(said).map_err(|error| format!("`item.{member}.{at}`: {error}"))?;
    }
    Ok(())
}

fn index(event: &Value, member: &str) -> Result<usize, String> {
    let index = event.get(member).and_then(Value::as_u64);
    index.and_then(|index| usize::try_from(index).ok()).ok_or(format!("`{member}` is missing"))
}

/// What an event says of an item.
struct What {
    place: Place,
    step: Step,
    /// The types of items it may be said of.
    fits: &'static [&'static str],
    /// The type of the part; empty for any.
    part: &'static str,
    /// The member that has the whole text.
    member: &'static str,
}

#[derive(PartialEq, Eq)]
enum Place {
    Content,
    Summary,
    Arguments,
}

#[derive(PartialEq, Eq)]
enum Step {
    Added,
    Delta,
    TextDone,
    Done,
}

impl What {
    fn of(kind: &str) -> Option<Self> {
        const MESSAGE: &[&str] = &["message"];
        const REASONING: &[&str] = &["reasoning"];
        let (place, step, fits, part, member) = match kind.strip_prefix("response.")? {
            "content_part.added" => {
                (Place::Content, Step::Added, &["message", "reasoning"][..], "", "")
            }
            "content_part.done" => {
                (Place::Content, Step::Done, &["message", "reasoning"][..], "", "")
            }
            "output_text.delta" => (Place::Content, Step::Delta, MESSAGE, "output_text", ""),
            "output_text.done" => (Place::Content, Step::TextDone, MESSAGE, "output_text", "text"),
            "refusal.delta" => (Place::Content, Step::Delta, MESSAGE, "refusal", ""),
            "refusal.done" => (Place::Content, Step::TextDone, MESSAGE, "refusal", "refusal"),
            "reasoning_text.delta" => {
                (Place::Content, Step::Delta, REASONING, "reasoning_text", "")
            }
            "reasoning_text.done" => {
                (Place::Content, Step::TextDone, REASONING, "reasoning_text", "text")
            }
            "reasoning_summary_part.added" => (Place::Summary, Step::Added, REASONING, "", ""),
            "reasoning_summary_part.done" => (Place::Summary, Step::Done, REASONING, "", ""),
            "reasoning_summary_text.delta" => {
                (Place::Summary, Step::Delta, REASONING, "summary_text", "")
            }
            "reasoning_summary_text.done" => {
                (Place::Summary, Step::TextDone, REASONING, "summary_text", "text")
            }
            "function_call_arguments.delta" => {
                (Place::Arguments, Step::Delta, &["function_call"][..], "", "")
            }
            "function_call_arguments.done" => {
                (Place::Arguments, Step::TextDone, &["function_call"][..], "", "arguments")
            }
            "custom_tool_call_input.delta" => {
                (Place::Arguments, Step::Delta, &["custom_tool_call"][..], "", "")
            }
            "custom_tool_call_input.done" => {
                (Place::Arguments, Step::TextDone, &["custom_tool_call"][..], "", "input")
            }
            _ => return None,
        };
        Some(Self { place, step, fits, part, member })
    }
}
