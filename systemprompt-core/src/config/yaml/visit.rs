use serde::de::{self, DeserializeSeed, IntoDeserializer as _, Visitor};

use super::deserialize::NodeReader;
use super::fault::Fault;
use super::node::Entry;
use super::{Node, Segment};

/// The items of a list that are not left out.
pub(super) struct ItemAccess<'a, 'de> {
    list: NodeReader<'a, 'de>,
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'a, 'de> ItemAccess<'a, 'de> {
    pub(super) fn new(list: NodeReader<'a, 'de>, items: &'de [Node]) -> Self {
        Self { list, items: items.iter().enumerate() }
    }
}

impl<'de> de::SeqAccess<'de> for ItemAccess<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let notes = self.list.notes;
        let Some((index, node)) = self.items.find(|(_, node)| !notes.is_left_out(node)) else {
            return Ok(None);
        };
        let trail = self.list.trail.then(Segment::Index(index));
        let reader = NodeReader { node, trail: &trail, notes };
        reader.finish(seed.deserialize(reader)).map(Some)
    }
}

/// The entries of a mapping that are not left out.
pub(super) struct EntryAccess<'a, 'de> {
    map: NodeReader<'a, 'de>,
    entries: std::slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'a, 'de> EntryAccess<'a, 'de> {
    pub(super) fn new(map: NodeReader<'a, 'de>, entries: &'de [Entry]) -> Self {
        Self { map, entries: entries.iter(), current: None }
    }
}

impl<'de> de::MapAccess<'de> for EntryAccess<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let notes = self.map.notes;
        let Some(entry) = self.entries.find(|entry| !notes.is_left_out(&entry.value)) else {
            return Ok(None);
        };
        self.current = Some(entry);
        seed.deserialize(entry.key.as_str().into_deserializer()).map(Some).map_err(|fault| {
            self.map.refuse_key(entry, fault);
            Fault::Reported
        })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some(entry) = self.current.take() else {
            return Err(Fault::Custom("a value was asked for before its key".to_owned()));
        };
        let trail = self.map.trail.then(Segment::Key(&entry.key));
        let reader = NodeReader { node: &entry.value, trail: &trail, notes: self.map.notes };
        reader.finish(seed.deserialize(reader))
    }
}

/// A mapping with one key, read as a variant and its value.
pub(super) struct VariantOf<'a, 'de> {
    pub(super) reader: NodeReader<'a, 'de>,
    pub(super) entry: &'de Entry,
}

impl<'a, 'de> VariantOf<'a, 'de> {
    fn value<T>(
        &self,
        read: impl FnOnce(NodeReader<'_, 'de>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let trail = self.reader.trail.then(Segment::Key(&self.entry.key));
        let notes = self.reader.notes;
        let reader = NodeReader { node: &self.entry.value, trail: &trail, notes };
        reader.finish(read(reader))
    }
}

impl<'a, 'de> de::EnumAccess<'de> for VariantOf<'a, 'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        match seed.deserialize(self.entry.key.as_str().into_deserializer()) {
            Ok(variant) => Ok((variant, self)),
            Err(fault) => {
                self.reader.refuse_key(self.entry, fault);
                Err(Fault::Reported)
            }
        }
    }
}

impl<'de> de::VariantAccess<'de> for VariantOf<'_, 'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        self.value(|_| Err(de::Error::invalid_type(de::Unexpected::Map, &"unit variant")))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        self.value(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.value(|reader| de::Deserializer::deserialize_seq(reader, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.value(|reader| de::Deserializer::deserialize_map(reader, visitor))
    }
}
