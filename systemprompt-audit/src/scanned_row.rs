//! A row of the table of events as verification and exports read it: values lent by the driver.

use crate::column::{Column, Columns, Field};

/// A row of the table of events as it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScannedRow<'r> {
    seq: i64,
    values: &'r [Field<'r>; COLUMNS],
    salt: &'r [u8],
    leaf_hash: &'r [u8],
    /// Whether each column holds what is of its kind.
    fits: bool,
}

/// How many columns an event has.
pub(crate) const COLUMNS: usize = Column::ALL.len();

/// What a column holds in the table that was installed.
pub(crate) enum Holds {
    Integer,
    Text,
    Bytes,
}

/// What `column` holds.
pub(crate) fn holds(column: Column) -> Holds {
    match column {
        Column::OccurredAt
        | Column::ArgumentsBytes
        | Column::DurationUs
        | Column::ExpiresAt
        | Column::DurationMs
        | Column::ResultBytes => Holds::Integer,
        Column::Id
        | Column::TraceId
        | Column::ArgumentsDigest
        | Column::CallDigest
        | Column::PermitId
        | Column::ResultDigest => Holds::Bytes,
        _ => Holds::Text,
    }
}

impl<'r> ScannedRow<'r> {
    /// The row at `seq` with the columns of its event in their order. One that holds something of another
    /// kind than the column [`holds`] was not written by the log: no leaf can be of it.
    pub(crate) fn new(
        seq: i64,
        values: &'r [Field<'r>; COLUMNS],
        salt: &'r [u8],
        leaf_hash: &'r [u8],
    ) -> Self {
        let fits = values.iter().zip(Column::ALL).all(|(value, column)| match value {
            Field::Null => true,
            Field::Integer(_) => matches!(holds(*column), Holds::Integer),
            Field::Text(_) => matches!(holds(*column), Holds::Text),
            Field::Bytes(_) => matches!(holds(*column), Holds::Bytes),
        });
        Self { seq, values, salt, leaf_hash, fits }
    }

    /// The place in the log.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// The salt of the commitments; nothing when no leaf can be of the row.
    pub(crate) fn salt(&self) -> &'r [u8] {
        if self.fits { self.salt } else { &[] }
    }

    /// Whether each column holds what is of its kind, so that the log may have written the row.
    #[cfg(feature = "sqlite")]
    pub(crate) fn fits(&self) -> bool {
        self.fits
    }

    /// The hash that stands beside the event.
    pub(crate) fn leaf_hash(&self) -> &'r [u8] {
        self.leaf_hash
    }

    /// The bytes of a column; nothing when it is NULL or a number.
    pub(crate) fn bytes(&self, column: Column) -> &'r [u8] {
        match self.value(column) {
            Field::Text(text) => text.as_bytes(),
            Field::Bytes(bytes) => bytes,
            Field::Null | Field::Integer(_) => &[],
        }
    }

    /// The number in a column.
    pub(crate) fn number(&self, column: Column) -> Option<i64> {
        if let Field::Integer(number) = self.value(column) { Some(number) } else { None }
    }

    pub(crate) fn value(&self, column: Column) -> Field<'r> {
        self.values.get(column as usize).copied().unwrap_or(Field::Null)
    }
}

impl Columns for ScannedRow<'_> {
    fn field(&self, column: Column) -> Field<'_> {
        self.value(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_leaf_is_of_a_value_of_another_kind() {
        let salt = [7; 16];
        let all = [Field::Null, Field::Integer(1), Field::Text("a"), Field::Bytes(b"a")];
        for column in Column::ALL {
            let fitting = all.iter().filter(|value| {
                let mut values = [Field::Null; COLUMNS];
                values[*column as usize] = **value;
                let row = ScannedRow::new(3, &values, &salt, b"hash");
                assert_eq!((row.seq(), row.leaf_hash()), (3, &b"hash"[..]));
                assert_eq!(row.field(*column), **value);
                row.salt() == salt
            });
            assert_eq!(fitting.count(), 2, "{}", column.name());
        }
    }

    #[test]
    fn a_column_is_read_as_what_it_is() {
        let mut values = [Field::Null; COLUMNS];
        values[Column::Kind as usize] = Field::Text("decision");
        values[Column::Id as usize] = Field::Bytes(&[1, 2]);
        values[Column::OccurredAt as usize] = Field::Integer(-12);
        let row = ScannedRow::new(1, &values, &[], &[]);
        assert_eq!(row.bytes(Column::Kind), b"decision");
        assert_eq!(row.bytes(Column::Id), [1, 2]);
        assert_eq!(row.bytes(Column::OccurredAt), b"");
        assert_eq!((row.number(Column::OccurredAt), row.number(Column::Kind)), (Some(-12), None));
        assert_eq!(row.field(Column::Server), Field::Null);
    }
}
