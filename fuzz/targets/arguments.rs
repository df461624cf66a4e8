//! What we accept as arguments, every JSON parser accepts, and reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt::models::{Arguments, Node};

fn same(node: &Node, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (node, value) {
        (Node::Null, Value::Null) => true,
        (Node::Bool(a), Value::Bool(b)) => a == b,
        (Node::Number(a), Value::Number(b)) => a == b,
        (Node::String(a), Value::String(b)) => **a == **b,
        (Node::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Node::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(&**key).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(arguments) = Arguments::parse(data.to_vec()) {
        let value = serde_json::from_slice(data).expect("what we accept is JSON");
        assert!(same(arguments.root(), &value));
        assert_eq!(arguments.raw(), data);
    }
});
