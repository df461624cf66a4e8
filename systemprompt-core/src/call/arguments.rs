use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};
use serde::{Serialize, Serializer};
use serde_json::Number;

use super::{Digest, MalformedCall, numbers};

/// Most bytes the arguments of a call may have (1 MiB).
pub const MAX_ARGUMENT_BYTES: usize = 1024 * 1024;

/// Most levels of arrays and objects the arguments may have.
pub const MAX_ARGUMENT_DEPTH: usize = 64;

/// Most levels a document that is no call may have: as many as the parser reads.
const MAX_DOCUMENT_DEPTH: usize = 127;

/// Objects with more keys than this look for duplicates in a set instead of a list.
const LINEAR_KEYS: usize = 16;

/// The arguments of a call: the bytes as they came and what they say, parsed once.
///
/// Duplicate keys are refused (RFC 8259 section 4 leaves their meaning open, so policy and tool could
/// disagree), as is anything over [`MAX_ARGUMENT_BYTES`] or [`MAX_ARGUMENT_DEPTH`].
#[derive(Clone)]
pub struct Arguments {
    raw: Bytes,
    root: Node,
}

/// A JSON value with its members in document order.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, escapes resolved.
    String(Box<str>),
    /// An array.
    Array(Vec<Node>),
    /// An object; in the arguments of a call no key occurs twice.
    Object(Vec<(Box<str>, Node)>),
}

impl Arguments {
    /// Parses the JSON text of the arguments.
    ///
    /// # Errors
    /// [`MalformedCall`] when the text is too large, too deep, not JSON, or names a key twice.
    pub fn parse(raw: impl Into<Bytes>) -> Result<Self, MalformedCall> {
        let raw = raw.into();
        if raw.len() > MAX_ARGUMENT_BYTES {
            return Err(MalformedCall::TooLarge { bytes: raw.len(), limit: MAX_ARGUMENT_BYTES });
        }
        let fault = Cell::new(Fault::Syntax);
        let mut deserializer = serde_json::Deserializer::from_slice(&raw);
        let root = NodeSeed { left: MAX_ARGUMENT_DEPTH, unique: true, fault: &fault }
            .deserialize(&mut deserializer)
            .and_then(|root| deserializer.end().map(|()| root))
            .map_err(|error| fault.get().describe(&error, MAX_ARGUMENT_DEPTH))?;
        Ok(Self { raw, root })
    }

    /// The arguments that say `root`, which is what these say with other keys and strings, written without
    /// spaces and with the numbers as they are written here.
    ///
    /// # Errors
    /// [`MalformedCall`] when the text would be too large.
    pub fn rewritten(&self, root: Node) -> Result<Self, MalformedCall> {
        let raw = root.written_like(&self.raw);
        if raw.len() > MAX_ARGUMENT_BYTES {
            return Err(MalformedCall::TooLarge { bytes: raw.len(), limit: MAX_ARGUMENT_BYTES });
        }
        Ok(Self { raw: raw.into(), root })
    }

    /// No arguments: `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self { raw: Bytes::from_static(b"{}"), root: Node::Object(Vec::new()) }
    }

    /// The bytes as they came.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The bytes as they came, shared.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.raw.clone()
    }

    /// What they say.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.raw)
    }

    /// Reads the arguments into a type of the host's.
    ///
    /// # Errors
    /// The error of `serde_json` when the arguments do not have that type's form.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.raw)
    }
}

impl Node {
    /// Reads a JSON text that is on its way and no call: of any size, up to 127 levels deep, and with keys
    /// that occur twice, each of which is kept.
    ///
    /// # Errors
    /// [`MalformedCall`] when the text is too deep or not JSON.
    pub fn read(text: &str) -> Result<Self, MalformedCall> {
        let fault = Cell::new(Fault::Syntax);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        NodeSeed { left: MAX_DOCUMENT_DEPTH, unique: false, fault: &fault }
            .deserialize(&mut deserializer)
            .and_then(|root| deserializer.end().map(|()| root))
            .map_err(|error| fault.get().describe(&error, MAX_DOCUMENT_DEPTH))
    }

    /// The JSON text without spaces, with its numbers written as in `original`: a JSON text with the same
    /// numbers in the same order.
    #[must_use]
    pub fn written_like(&self, original: &[u8]) -> Vec<u8> {
        // Neither a map with text keys nor a number that was parsed can fail to be written.
        numbers::as_in(original, serde_json::to_vec(self).unwrap_or_default())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

impl fmt::Debug for Arguments {
    /// The size only: arguments may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arguments({} bytes)", self.raw.len())
    }
}

/// What a custom error of the seed stands for; `serde_json` only carries text.
#[derive(Clone, Copy)]
enum Fault {
    Syntax,
    TooDeep,
    DuplicateKey,
}

impl Fault {
    fn describe(self, error: &serde_json::Error, limit: usize) -> MalformedCall {
        let (line, column) = (error.line(), error.column());
        match self {
            Self::Syntax => MalformedCall::NotJson { line, column },
            Self::TooDeep => MalformedCall::TooDeep { limit },
            Self::DuplicateKey => MalformedCall::DuplicateKey { line, column },
        }
    }
}

#[derive(Clone, Copy)]
struct NodeSeed<'f> {
    /// Levels that may still follow.
    left: usize,
    /// Whether a key that occurs twice is a fault.
    unique: bool,
    fault: &'f Cell<Fault>,
}

impl NodeSeed<'_> {
    fn descend<E: de::Error>(self) -> Result<Self, E> {
        let Some(left) = self.left.checked_sub(1) else {
            self.fault.set(Fault::TooDeep);
            return Err(E::custom("too deep"));
        };
        Ok(Self { left, ..self })
    }

    fn reject_duplicate<E: de::Error>(
        self,
        key: &str,
        members: &[(Box<str>, Node)],
        seen: &mut HashSet<Box<str>>,
    ) -> Result<(), E> {
        let duplicate = if members.len() < LINEAR_KEYS {
            members.iter().any(|(name, _)| **name == *key)
        } else {
            if seen.is_empty() {
                seen.extend(members.iter().map(|(name, _)| name.clone()));
            }
            !seen.insert(key.into())
        };
        if duplicate {
            self.fault.set(Fault::DuplicateKey);
            return Err(E::custom("duplicate key"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        Number::from_f64(value).map(Node::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::String(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::String(value.into_boxed_str()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let inner = self.descend()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let inner = self.descend()?;
        let mut members: Vec<(Box<str>, Node)> = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = access.next_key::<std::borrow::Cow<'de, str>>()? {
            if self.unique {
                self.reject_duplicate::<A::Error>(&key, &members, &mut seen)?;
            }
            let value = access.next_value_seed(inner)?;
            members.push((key.into(), value));
        }
        Ok(Node::Object(members))
    }
}
