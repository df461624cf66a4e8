use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::column::Value;
use crate::row::Row;

fn salt() -> Salt {
    std::array::from_fn(|at| u8::try_from(at).unwrap())
}

/// The test vector's row. Leaf and hash were computed by another implementation (Python's `json` and
/// `hashlib`).
fn sample() -> Row {
    let mut row = Row::new();
    row.set(Column::Id, Value::Id([0x11; 16]));
    row.set(Column::Kind, "decision");
    row.set(Column::OccurredAt, 1_795_378_500_123_456);
    row.set(Column::TraceId, Value::Id([0x22; 16]));
    row.set(Column::CallId, "call-1");
    row.set(Column::TenantId, "acme");
    row.set(Column::UserId, "ada");
    row.set(Column::Tool, "Read");
    row.set(Column::ArgumentsDigest, Value::Digest([0x33; 32]));
    row.set(Column::ArgumentsBytes, 2);
    row.set(Column::Decision, "deny");
    row.set(Column::ReasonCode, "blocked");
    row.set(Column::Reason, "tab\t quote\" back\\ \u{e9} \u{1} \u{1f512}");
    row.set(Column::Evaluation, "[[],[]]");
    row.set(Column::PolicyVersion, "p-1");
    row.set(Column::DurationUs, 3);
    row
}

fn whole(leaf: &OpenLeaf, seq: i64) -> String {
    let (head, tail) = leaf.bytes.split_at(leaf.seq_at);
    format!("{}{seq}{}", str::from_utf8(head).unwrap(), str::from_utf8(tail).unwrap())
}

#[test]
fn the_test_vector_holds() {
    let leaf = OpenLeaf::new("server@test", &sample(), &salt());
    assert_eq!(
        whole(&leaf, 7),
        concat!(
            r#"{"arguments_bytes":2,"commitments":{"#,
            r#""content":"9e77edb1ac988e80f1bafb1acb81a632f49da9a8af71c0c324aff000b7f54ea1","#,
            r#""subject":"b2c8b6c09366e1c5b502cf779fd0f7498545c707bc7c903b7d8cd2168346b73a"},"#,
            r#""decision":"deny","duration_us":3,"id":"11111111111111111111111111111111","#,
            r#""kind":"decision","occurred_at":1795378500123456,"origin":"server@test","#,
            r#""policy_version":"p-1","reason_code":"blocked","seq":7,"#,
            r#""trace_id":"22222222222222222222222222222222","v":1}"#,
        )
    );
    let hash = "42e5b3725ce898319d04146024b70716c3d8a13d55f00ddf31c60380cc7fb712";
    assert_eq!(hex::encode(leaf.hash(7)), hash);
}

#[test]
fn every_column_enters_once_and_members_are_in_order() {
    let members: Vec<_> = MEMBERS
        .iter()
        .map(|key| match key {
            Key::Clear(column) => column.name(),
            Key::Commitments => "commitments",
            Key::Origin => "origin",
            Key::Seq => "seq",
            Key::Version => "v",
        })
        .collect();
    assert!(members.is_sorted());
    assert!(GROUPS.is_sorted_by_key(|(name, ..)| *name));
    let mut covered: Vec<_> = MEMBERS
        .iter()
        .filter_map(|key| if let Key::Clear(column) = key { Some(column.name()) } else { None })
        .collect();
    for (name, key, columns) in GROUPS {
        assert_eq!(key, format!("\"{name}\":"));
        assert!(columns.is_sorted_by_key(|column| column.name()));
        covered.extend(columns.iter().map(|column| column.name()));
    }
    let distinct: BTreeSet<_> = covered.iter().copied().collect();
    assert_eq!(distinct.len(), covered.len());
    assert_eq!(distinct, Column::ALL.iter().map(|column| column.name()).collect());
}

#[test]
fn the_columns_are_those_of_the_table() {
    let table = include_str!("../../schema/sqlite/events.sql");
    let body = table.split_once("CREATE TABLE audit_events (").unwrap().1;
    let body = body.split_once(") STRICT").unwrap().0;
    let names: Vec<_> = body
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "--")
        .collect();
    let place = ["log_id", "seq"].into_iter();
    let columns = Column::ALL.iter().map(|column| column.name());
    let expected: Vec<_> = place.chain(columns).chain(["salt", "leaf_hash"]).collect();
    assert_eq!(names, expected);
}

#[test]
fn the_ends_of_the_numbers_have_digits() {
    for number in [i64::MIN, -1, 0, 9, 10, i64::MAX] {
        assert_eq!(Digits::of(number).as_bytes(), number.to_string().as_bytes());
    }
}

#[test]
fn place_origin_and_salt_are_covered() {
    let hash = |origin, salt: &Salt, seq| OpenLeaf::new(origin, &sample(), salt).hash(seq);
    let base = hash("server@test", &salt(), 7);
    assert_ne!(base, hash("server@test", &salt(), 8));
    assert_ne!(base, hash("server@other", &salt(), 7));
    assert_ne!(base, hash("server@test", &[0; 16], 7));
}

#[test]
fn integers_beyond_a_double_are_texts() {
    let mut row = Row::new();
    row.set(Column::ResultBytes, i64::MAX);
    row.set(Column::DurationMs, 9_007_199_254_740_991);
    let leaf = whole(&OpenLeaf::new("o", &row, &salt()), 1);
    assert!(leaf.contains(r#""result_bytes":"9223372036854775807""#), "{leaf}");
    assert!(leaf.contains(r#""duration_ms":9007199254740991"#), "{leaf}");
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        ".*".prop_map(|text: String| Value::Text(text.into())),
        any::<[u8; 16]>().prop_map(Value::Id),
        any::<[u8; 32]>().prop_map(Value::Digest),
    ]
}

proptest! {
    #[test]
    fn digits_are_those_of_the_number(number in any::<i64>()) {
        let digits = Digits::of(number);
        prop_assert_eq!(str::from_utf8(digits.as_bytes()).unwrap(), number.to_string());
    }

    /// A leaf is canonical: reading and writing it again with sorted members gives the same bytes.
    #[test]
    fn leaves_are_canonical(values in prop::collection::vec((0..Column::ALL.len(), value()), 0..12)) {
        let mut row = Row::new();
        for (column, value) in values {
            row.set(Column::ALL[column], value);
        }
        let leaf = whole(&OpenLeaf::new("server@test", &row, &salt()), 1);
        let read: serde_json::Value = serde_json::from_str(&leaf).unwrap();
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), leaf);
    }

    /// No column can be changed without changing the leaf.
    #[test]
    fn every_column_changes_the_hash(column in 0..Column::ALL.len(), value in value()) {
        let mut row = sample();
        let base = OpenLeaf::new("server@test", &row, &salt()).hash(7);
        prop_assume!(*row.value(Column::ALL[column]) != value);
        row.set(Column::ALL[column], value);
        prop_assert_ne!(OpenLeaf::new("server@test", &row, &salt()).hash(7), base);
    }
}
