use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::column::{Column, Columns, Field};
use crate::leaf::{OpenLeaf, Salt};
use crate::scanned_row::ScannedRow;

/// The columns of an event that are not NULL, by name, with the salt of their commitments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Disclosed {
    salt: String,
    columns: BTreeMap<String, Cell>,
}

/// A value: bytes as `{"hex": ".."}`, so that they are not taken for a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Integer(i64),
    Text(String),
    Bytes { hex: String },
}

impl Disclosed {
    pub(super) fn of(row: &ScannedRow<'_>) -> Self {
        let cell = |column: &Column| {
            let cell = match row.field(*column) {
                Field::Null => return None,
                Field::Integer(number) => Cell::Integer(number),
                Field::Text(text) => Cell::Text(text.to_owned()),
                Field::Bytes(bytes) => Cell::Bytes { hex: hex::encode(bytes) },
            };
            Some((column.name().to_owned(), cell))
        };
        Self {
            salt: hex::encode(row.salt()),
            columns: Column::ALL.iter().filter_map(cell).collect(),
        }
    }

    /// The leaf of these columns at a place; `None` when they are not those of an event.
    pub(super) fn leaf(&self, origin: &str, seq: i64) -> Option<Vec<u8>> {
        let mut salt: Salt = [0; 16];
        hex::decode_to_slice(&self.salt, &mut salt).ok()?;
        let mut opened = Opened::default();
        for (name, cell) in &self.columns {
            let column = Column::ALL.iter().copied().find(|column| column.name() == name)?;
            let owned = match cell {
                Cell::Integer(number) => Owned::Integer(*number),
                Cell::Text(text) => Owned::Text(text.clone()),
                Cell::Bytes { hex } => Owned::Bytes(hex::decode(hex).ok()?),
            };
            opened.0.insert(column as usize, owned);
        }
        Some(OpenLeaf::new(origin, &opened, &salt).entry(seq))
    }

    /// The columns as JSON, bytes as hex.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let cell = |(name, cell): (&String, &Cell)| {
            let value = match cell {
                Cell::Integer(number) => (*number).into(),
                Cell::Text(text) => text.clone().into(),
                Cell::Bytes { hex } => hex.clone().into(),
            };
            (name.clone(), value)
        };
        serde_json::Value::Object(self.columns.iter().map(cell).collect())
    }
}

enum Owned {
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Default)]
struct Opened(BTreeMap<usize, Owned>);

impl Columns for Opened {
    fn field(&self, column: Column) -> Field<'_> {
        match self.0.get(&(column as usize)) {
            None => Field::Null,
            Some(Owned::Integer(number)) => Field::Integer(*number),
            Some(Owned::Text(text)) => Field::Text(text),
            Some(Owned::Bytes(bytes)) => Field::Bytes(bytes),
        }
    }
}
