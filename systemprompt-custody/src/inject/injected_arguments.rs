use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use systemprompt_core::call::{Arguments, Node, ToolCall};
use zeroize::Zeroizing;

use super::bindings::ArgumentSink;
use super::placeholder::{self, Part};
use super::{InjectError, NamedSecret, pointer};

/// The arguments of a call as its tool gets them: JSON, with the declared secrets in place.
pub struct InjectedArguments(Text);

enum Text {
    /// As it was sent.
    Sent(Bytes),
    /// With secrets in it.
    Filled(Zeroizing<Vec<u8>>),
}

/// A string of the arguments that holds placeholders.
pub(super) struct ArgumentPlace {
    /// Which string it is, counting all names and values in the order of the text.
    pub(super) index: usize,
    pub(super) pointer: String,
    pub(super) parts: Vec<Part>,
}

impl InjectedArguments {
    /// The JSON text. Named so that a reviewer can find every use.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        match &self.0 {
            Text::Sent(text) => text,
            Text::Filled(text) => text,
        }
    }

    /// Whether there are secrets in it.
    #[must_use]
    pub fn holds_secrets(&self) -> bool {
        matches!(self.0, Text::Filled(_))
    }

    /// Where in the arguments of `call` secrets go, all of which `sinks` have to declare.
    pub(super) fn places(
        call: &ToolCall,
        sinks: &[ArgumentSink],
    ) -> Result<Vec<ArgumentPlace>, InjectError> {
        let tool = call.tool().name();
        let sinks = sinks.iter().filter(|sink| sink.tool == *tool).collect();
        let mut search = Search { sinks, index: 0, path: Vec::new(), places: Vec::new() };
        search.node(call.arguments().root())?;
        Ok(search.places)
    }

    /// The arguments with some of their strings replaced.
    pub(super) fn new(arguments: &Arguments, filled: &[(usize, Zeroizing<String>)]) -> Self {
        if filled.is_empty() {
            return Self(Text::Sent(arguments.to_bytes()));
        }
        let raw = arguments.raw();
        // The longest escape of a byte has six characters; with room for all, nothing moves.
        let room = filled.iter().map(|(_, text)| text.len() * 6 + 2).sum::<usize>();
        let mut text = Zeroizing::new(Vec::with_capacity(raw.len() + room));
        let mut filled = filled.iter();
        let mut next = filled.next();
        let mut done = 0;
        for (index, string) in strings(raw).enumerate() {
            let Some((_, value)) = next.filter(|(place, _)| *place == index) else { continue };
            text.extend_from_slice(raw.get(done..string.start).unwrap_or_default());
            // A string is written into memory without fail.
            let _ = serde_json::to_writer(&mut *text, value.as_str());
            done = string.end;
            next = filled.next();
        }
        text.extend_from_slice(raw.get(done..).unwrap_or_default());
        Self(Text::Filled(text))
    }
}

impl fmt::Debug for InjectedArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InjectedArguments({} bytes)", self.expose().len())
    }
}

/// The strings of a JSON text, names and values, in order and with their quotation marks.
fn strings(json: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + json.get(at..)?.iter().position(|byte| *byte == b'"')?;
        let mut end = start + 1;
        loop {
            match json.get(end)? {
                b'\\' => end += 2,
                b'"' => break,
                _ => end += 1,
            }
        }
        at = end + 1;
        Some(start..at)
    })
}

struct Search<'c> {
    sinks: Vec<&'c ArgumentSink>,
    index: usize,
    path: Vec<String>,
    places: Vec<ArgumentPlace>,
}

impl<'c> Search<'c> {
    fn node(&mut self, node: &'c Node) -> Result<(), InjectError> {
        match node {
            Node::Null | Node::Bool(_) | Node::Number(_) => {}
            Node::String(text) => {
                self.value(text)?;
                self.index += 1;
            }
            Node::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.path.push(number.to_string());
                    self.node(item)?;
                    self.path.pop();
                }
            }
            Node::Object(members) => {
                for (name, value) in members {
                    self.name(name)?;
                    self.index += 1;
                    self.path.push(name.to_string());
                    self.node(value)?;
                    self.path.pop();
                }
            }
        }
        Ok(())
    }

    /// A name takes no secret.
    fn name(&self, name: &str) -> Result<(), InjectError> {
        if !placeholder::occurs_in(name) {
            return Ok(());
        }
        let place = || "the name of an argument".to_owned();
        for part in read(name, place)? {
            if let Part::Secret(secret) = part {
                return Err(InjectError::Undeclared { secret: secret.to_string(), place: place() });
            }
        }
        Ok(())
    }

    fn value(&mut self, text: &str) -> Result<(), InjectError> {
        if !placeholder::occurs_in(text) {
            return Ok(());
        }
        let pointer =
            self.path.iter().fold(String::new(), |parent, key| pointer::child(&parent, key));
        let place = || format!("argument `{pointer}`");
        let mut parts = read(text, place)?;
        let mut any = false;
        for part in &mut parts {
            let Part::Secret(secret) = part else { continue };
            let declared = self
                .sinks
                .iter()
                .find(|sink| sink.argument == pointer && secret.is_covered_by(&sink.secret));
            let Some(declared) = declared else {
                return Err(InjectError::Undeclared { secret: secret.to_string(), place: place() });
            };
            let version = secret.version().or(declared.secret.version());
            *secret = NamedSecret::new(secret.name().clone(), version);
            any = true;
        }
        if any {
            self.places.push(ArgumentPlace { index: self.index, pointer, parts });
        }
        Ok(())
    }
}

fn read(text: &str, place: impl Fn() -> String) -> Result<Vec<Part>, InjectError> {
    placeholder::split(text).map_err(|fault| InjectError::Malformed { place: place(), fault })
}
