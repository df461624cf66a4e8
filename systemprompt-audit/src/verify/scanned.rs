use crate::column::{Column, Columns, Field};

/// A row of the table of events as it was read, all its columns in one piece.
///
/// A piece is what the database was asked for, several of them one after the other: for each of `seq`, the columns of the event in their
/// order, `salt` and `leaf_hash` the number of bytes, nothing where the column is NULL, followed by `,`
/// (after the last by `;`); then the values themselves, numbers as decimal digits. Reading one value
/// for many rows instead of forty for each is what makes verification fast.
#[derive(Debug)]
pub(crate) struct ScannedRow<'r> {
    seq: i64,
    values: [Option<&'r [u8]>; COLUMNS],
    salt: &'r [u8],
    leaf_hash: &'r [u8],
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
    /// Reads pieces, in the order of their places; `None` when there is something else among them.
    #[cfg(any(feature = "sqlite", test))]
    pub(crate) fn all(mut packed: &'r [u8]) -> Option<Vec<Self>> {
        let mut rows = Vec::new();
        while !packed.is_empty() {
            let (row, rest) = Self::first(packed)?;
            rows.push(row);
            packed = rest;
        }
        rows.sort_by_key(Self::seq);
        Some(rows)
    }

    /// Reads the first piece, and says what follows it.
    #[cfg(any(feature = "sqlite", test))]
    fn first(packed: &'r [u8]) -> Option<(Self, &'r [u8])> {
        let end = packed.iter().position(|byte| *byte == b';')?;
        let (lengths, rest) = (packed.get(..end)?, packed.get(end + 1..)?);
        let mut lengths = lengths.split(|byte| *byte == b',');
        let mut rest = rest;
        let mut next = || -> Option<Option<&'r [u8]>> {
            let length = lengths.next()?;
            if length.is_empty() {
                return Some(None);
            }
            let (value, after) = rest.split_at_checked(usize::try_from(number(length)?).ok()?)?;
            rest = after;
            Some(Some(value))
        };
        let seq = number(next()??)?;
        let mut values = [None; COLUMNS];
        for value in &mut values {
            *value = next()?;
        }
        let (salt, leaf_hash) = (next()??, next()??);
        lengths.next().is_none().then_some((Self { seq, values, salt, leaf_hash }, rest))
    }

    /// A row of which each value is known: numbers as decimal digits, texts in UTF-8.
    #[cfg(feature = "postgres")]
    pub(crate) fn new(
        seq: i64,
        values: [Option<&'r [u8]>; COLUMNS],
        salt: &'r [u8],
        leaf_hash: &'r [u8],
    ) -> Self {
        Self { seq, values, salt, leaf_hash }
    }

    /// The place in the log.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// The salt of the commitments.
    pub(crate) fn salt(&self) -> &'r [u8] {
        self.salt
    }

    /// The hash that stands beside the event.
    pub(crate) fn leaf_hash(&self) -> &'r [u8] {
        self.leaf_hash
    }

    /// The bytes of a column; nothing when it is NULL.
    pub(crate) fn bytes(&self, column: Column) -> &'r [u8] {
        self.values.get(column as usize).copied().flatten().unwrap_or_default()
    }

    /// The number in a column.
    pub(crate) fn number(&self, column: Column) -> Option<i64> {
        number(self.values.get(column as usize).copied().flatten()?)
    }
}

impl Columns for ScannedRow<'_> {
    fn field(&self, column: Column) -> Field<'_> {
        let Some(bytes) = self.values.get(column as usize).copied().flatten() else {
            return Field::Null;
        };
        // What is not of its kind was not written by the log; its leaf differs.
        match holds(column) {
            Holds::Integer => number(bytes).map_or(Field::Bytes(bytes), Field::Integer),
            Holds::Text => str::from_utf8(bytes).map_or(Field::Bytes(bytes), Field::Text),
            Holds::Bytes => Field::Bytes(bytes),
        }
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(values: &[Option<&str>]) -> Vec<u8> {
        let lengths =
            values.iter().map(|value| value.map_or(String::new(), |v| v.len().to_string()));
        let lengths = lengths.collect::<Vec<_>>().join(",");
        let values: String = values.iter().copied().flatten().collect();
        format!("{lengths};{values}").into_bytes()
    }

    fn values() -> Vec<Option<&'static str>> {
        let mut values = vec![None; COLUMNS + 3];
        values[0] = Some("7");
        values[1 + Column::Kind as usize] = Some("decision");
        values[1 + Column::Reason as usize] = Some("a;b,\u{1f512}");
        values[1 + Column::Tool as usize] = Some("");
        values[1 + Column::OccurredAt as usize] = Some("-12");
        values[COLUMNS + 1] = Some("salt");
        values[COLUMNS + 2] = Some("hash");
        values
    }

    #[test]
    fn every_value_comes_back() {
        let packed = packed(&values());
        let rows = ScannedRow::all(&packed).unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.seq(), row.salt(), row.leaf_hash()), (7, &b"salt"[..], &b"hash"[..]));
        assert_eq!(row.field(Column::Kind), Field::Text("decision"));
        assert_eq!(row.field(Column::Reason), Field::Text("a;b,\u{1f512}"));
        assert_eq!(row.field(Column::Tool), Field::Text(""));
        assert_eq!(row.field(Column::Server), Field::Null);
        assert_eq!(row.field(Column::OccurredAt), Field::Integer(-12));
    }

    #[test]
    fn what_is_no_row_is_refused() {
        let whole = packed(&values());
        for end in 1..whole.len() {
            assert!(ScannedRow::all(&whole[..end]).is_none(), "{end}");
        }
        assert!(ScannedRow::all(&[whole.as_slice(), b"x"].concat()).is_none());
    }

    #[test]
    fn rows_come_in_the_order_of_their_places() {
        let mut other = values();
        other[0] = Some("3");
        let both = [packed(&values()), packed(&other)].concat();
        let places: Vec<_> = ScannedRow::all(&both).unwrap().iter().map(ScannedRow::seq).collect();
        assert_eq!(places, [3, 7]);
        assert!(ScannedRow::all(b"").unwrap().is_empty());
    }
}
