use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::node::{Entry, excerpt};
use super::{Found, MAX_DEPTH, MAX_FAULTS, Node, Scalar, Value};
use crate::config::Position;

/// Parses one document. What cannot be understood ends the reading; duplicate keys are collected.
pub(in crate::config) fn read(text: &str) -> Result<(Node, Vec<Found>), Found> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| not_yaml(text, at(Span::empty(*error.marker())), error.info()))?;
        builder.event(event, at(span))?;
    }
    let root = builder.root.unwrap_or(Node {
        id: builder.ids,
        at: Position { line: 1, column: 1 },
        value: Value::Map(Vec::new()),
    });
    Ok((root, builder.found))
}

fn not_yaml(text: &str, position: Position, problem: &str) -> Found {
    let line = text.lines().nth(position.line.saturating_sub(1)).unwrap_or_default();
    let hint = if line.contains("${") {
        "; between `[ ]` or `{ }`, a text with `${...}` must be quoted"
    } else {
        ""
    };
    found(position, format!("this is not YAML: {problem}{hint}"))
}

fn at(span: Span) -> Position {
    Position { line: span.start.line().max(1), column: span.start.col().saturating_add(1) }
}

fn found(position: Position, message: impl Into<String>) -> Found {
    Found { position, path: String::new(), message: message.into() }
}

#[derive(Default)]
struct Builder {
    ids: usize,
    documents: usize,
    open: Vec<Open>,
    root: Option<Node>,
    found: Vec<Found>,
}

/// A collection whose end has not been seen.
struct Open {
    id: usize,
    at: Position,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashMap<String, Position>, pending: Option<Key> },
}

struct Key {
    text: String,
    at: Position,
    duplicate: bool,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Found> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(found(at, "a second document begins here; a profile is one"));
                }
                Ok(())
            }
            Event::Alias(_) => Err(found(at, "aliases (`*name`) are not supported")),
            Event::Scalar(text, style, anchor, tag) => {
                refuse_decoration(anchor, tag.is_some(), at)?;
                let plain = style == ScalarStyle::Plain;
                let scalar = Scalar { text: text.into_owned(), plain, written: None };
                let id = self.id();
                self.place(Node { id, at, value: Value::Scalar(scalar) })
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_decoration(anchor, tag.is_some(), at)?;
                self.open(Items::List(Vec::new()), at)
            }
            Event::MappingStart(anchor, tag) => {
                refuse_decoration(anchor, tag.is_some(), at)?;
                let (entries, keys) = (Vec::new(), HashMap::new());
                self.open(Items::Map { entries, keys, pending: None }, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }

    fn open(&mut self, items: Items, at: Position) -> Result<(), Found> {
        if self.open.len() >= MAX_DEPTH {
            return Err(found(at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let id = self.id();
        self.open.push(Open { id, at, items });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Found> {
        let Some(Open { id, at, items }) = self.open.pop() else { return Ok(()) };
        let value = match items {
            Items::List(items) => Value::List(items),
            Items::Map { entries, .. } => Value::Map(entries),
        };
        self.place(Node { id, at, value })
    }

    fn place(&mut self, mut node: Node) -> Result<(), Found> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.items {
            Items::List(items) => items.push(node),
            Items::Map { entries, keys, pending } => match pending.take() {
                None => *pending = Some(begin_entry(node, keys, &mut self.found)?),
                Some(key) if key.duplicate => {}
                Some(key) => {
                    if !matches!(&node.value, Value::Scalar(scalar) if !scalar.text.is_empty()) {
                        node.at = key.at;
                    }
                    entries.push(Entry { key: key.text, at: key.at, value: node });
                }
            },
        }
        Ok(())
    }
}

fn begin_entry(
    node: Node,
    keys: &mut HashMap<String, Position>,
    duplicates: &mut Vec<Found>,
) -> Result<Key, Found> {
    let Node { at, value: Value::Scalar(Scalar { text, plain, .. }), .. } = node else {
        return Err(found(node.at, "a key is a plain text, not a list or mapping"));
    };
    if text.is_empty() || text.len() > 1024 {
        return Err(found(at, "a key is 1 to 1024 bytes long"));
    }
    if plain && text == "<<" {
        return Err(found(at, "merge keys (`<<`) are not supported"));
    }
    let first = keys.get(&text).copied();
    match first {
        None => {
            keys.insert(text.clone(), at);
        }
        Some(first) if duplicates.len() < MAX_FAULTS => {
            let message =
                format!("key `{}` is already given in line {}", excerpt(&text), first.line);
            duplicates.push(found(at, message));
        }
        Some(_) => {}
    }
    Ok(Key { text, at, duplicate: first.is_some() })
}

fn refuse_decoration(anchor: usize, tagged: bool, at: Position) -> Result<(), Found> {
    if anchor != 0 {
        return Err(found(at, "anchors (`&name`) are not supported"));
    }
    if tagged {
        return Err(found(at, "tags (`!name`) are not supported"));
    }
    Ok(())
}
