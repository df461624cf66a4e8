use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::{self, DeserializeOwned, IntoDeserializer as _, Visitor};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::node::Entry;
use super::visit::{EntryAccess, ItemAccess, VariantOf};
use super::{Found, MAX_FAULTS, Node, Plain, Trail, Value};
use crate::config::Position;
use crate::config::nearest::nearest;

/// Rounds after which no further faults are looked for.
const MAX_ROUNDS: usize = 128;

/// Reads `root` as a `T`, as if the nodes in `left_out` were not there.
///
/// serde stops at the first fault. So a node at fault is written down and left out, and the rest is
/// read again until nothing new is found.
pub(in crate::config) fn deserialize<T: DeserializeOwned>(
    root: &Node,
    left_out: HashSet<usize>,
) -> (Option<T>, Vec<Found>) {
    let notes = Notes { left_out: RefCell::new(left_out), found: RefCell::default() };
    let mut result = None;
    for _ in 0..MAX_ROUNDS {
        let known = notes.left_out.borrow().len();
        let reader = NodeReader { node: root, trail: &Trail::ROOT, notes: &notes };
        result = reader.finish(T::deserialize(reader)).ok();
        let nothing_new = notes.left_out.borrow().len() == known;
        if nothing_new || notes.is_left_out(root) || notes.is_full() {
            break;
        }
    }
    (result, notes.found.into_inner())
}

/// What was found so far.
pub(super) struct Notes {
    left_out: RefCell<HashSet<usize>>,
    found: RefCell<Vec<Found>>,
}

impl Notes {
    pub(super) fn is_left_out(&self, node: &Node) -> bool {
        self.left_out.borrow().contains(&node.id)
    }

    pub(super) fn is_full(&self) -> bool {
        self.found.borrow().len() >= MAX_FAULTS
    }

    fn leave_out(&self, node: &Node) {
        self.left_out.borrow_mut().insert(node.id);
    }

    fn write_down(&self, position: Position, path: String, message: String) {
        if !self.is_full() {
            self.found.borrow_mut().push(Found { position, path, message });
        }
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
pub(super) struct NodeReader<'a, 'de> {
    pub(super) node: &'de Node,
    pub(super) trail: &'a Trail<'a>,
    pub(super) notes: &'a Notes,
}

impl<'de> NodeReader<'_, 'de> {
    /// Writes a fault of this node down.
    pub(super) fn finish<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| {
            if !matches!(fault, Fault::Reported) {
                if !self.follows_from_another(&fault) {
                    let message = fault.message(self.node, self.trail);
                    self.notes.write_down(self.node.at, self.trail.to_string(), message);
                }
                self.notes.leave_out(self.node);
            }
            Fault::Reported
        })
    }

    /// Writes a fault of a key down; the entry is left out.
    pub(super) fn refuse_key(&self, entry: &Entry, fault: Fault) {
        let fault = match fault {
            Fault::UnknownVariant { name, expected } => Fault::UnknownField { name, expected },
            other => other,
        };
        let message = fault.message(self.node, self.trail);
        self.notes.write_down(entry.at, self.trail.to_string(), message);
        self.notes.leave_out(&entry.value);
    }

    /// Whether the fault is there only because entries of this node were left out.
    fn follows_from_another(&self, fault: &Fault) -> bool {
        let Value::Map(entries) = &self.node.value else { return false };
        entries.iter().filter(|entry| self.notes.is_left_out(&entry.value)).any(|entry| match fault
        {
            Fault::Missing(key) => nearest(&entry.key, [*key]).is_some(),
            _ => true,
        })
    }

    fn plain(&self) -> Option<Plain<'de>> {
        match &self.node.value {
            Value::Scalar(scalar) => Some(scalar.resolve()),
            _ => None,
        }
    }

    /// A scalar as text, whatever it looks like.
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.resolve() != Plain::Null => {
                visitor.visit_borrowed_str(&scalar.text)
            }
            _ => de::Deserializer::deserialize_any(self, visitor),
        }
    }
}

impl<'de> de::Deserializer<'de> for NodeReader<'_, 'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(ItemAccess::new(self, items)),
            Value::Map(entries) => visitor.visit_map(EntryAccess::new(self, entries)),
            Value::Scalar(scalar) => match scalar.resolve() {
                Plain::Null => visitor.visit_unit(),
                Plain::Bool(value) => visitor.visit_bool(value),
                Plain::Unsigned(value) => visitor.visit_u64(value),
                Plain::Signed(value) => visitor.visit_i64(value),
                Plain::Float(value) => visitor.visit_f64(value),
                Plain::Text(text) => visitor.visit_borrowed_str(text),
            },
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plain() {
            Some(Plain::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// A key with nothing below it, as when all its items are commented out, is an empty list.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plain() {
            Some(Plain::Null) => visitor.visit_seq(ItemAccess::new(self, &[])),
            _ => self.deserialize_any(visitor),
        }
    }

    /// A key with nothing below it, as when all its keys are commented out, is an empty mapping.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.plain() {
            Some(Plain::Null) => visitor.visit_map(EntryAccess::new(self, &[])),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.value {
            // Serde would take the items for the fields, in order.
            Value::List(_) => Err(de::Error::invalid_type(de::Unexpected::Seq, &"a mapping")),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.resolve() != Plain::Null => {
                visitor.visit_enum(scalar.text.as_str().into_deserializer())
            }
            Value::Map(entries) => match entries.as_slice() {
                [entry] if !self.notes.is_left_out(&entry.value) => {
                    visitor.visit_enum(VariantOf { reader: self, entry })
                }
                _ => Err(Fault::Value { expected: one_key(variants) }),
            },
            _ => Err(Fault::Value { expected: one_key(variants) }),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 bytes byte_buf unit unit_struct tuple
        tuple_struct ignored_any
    }
}

fn one_key(variants: &[&str]) -> String {
    format!("exactly one of `{}`", variants.join("`, `"))
}
