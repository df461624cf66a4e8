//! Good JSON with something else in some places.

use crate::cut::Choices;
use serde_json::{Value, json};

/// Changes up to three values of `value`, each to something odd or to another value of it.
pub fn spoil(value: &mut Value, choices: &mut Choices<'_>) {
    for _ in 0..choices.below(4) {
        let mut paths = Vec::new();
        paths_of(value, String::new(), &mut paths);
        let with = match choices.below(4) {
            0 => {
                let from: &String = choices.of(&paths);
                value.pointer(from).cloned().unwrap_or_default()
            }
            _ => odd(choices),
        };
        let path = choices.of(&paths).clone();
        if let (1, Some((above, name))) = (choices.below(5), path.rsplit_once('/')) {
            match value.pointer_mut(above) {
                Some(Value::Object(members)) => drop(members.remove(name)),
                Some(Value::Array(items)) => items.extend([with.clone(), with]),
                _ => {}
            }
        } else if let Some(place) = value.pointer_mut(&path) {
            *place = with;
        }
    }
}

fn odd(choices: &mut Choices<'_>) -> Value {
    match choices.below(16) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1e300),
        4 => json!(""),
        5 => json!([]),
        6 => json!({}),
        7 => json!(true),
        8 => json!([{}]),
        9 => json!("{\"a\":"),
        10 => json!("<think>"),
        11 => json!("\u{0}\r\n\n\u{2028}\u{1f600}"),
        12 => json!({"type": "text", "text": "t"}),
        13 => json!([[[["x"]]]]),
        14 => json!(choices.byte()),
        _ => json!(format!("t{}", choices.byte())),
    }
}

fn paths_of(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                paths_of(value, format!("{path}/{name}"), paths);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                paths_of(value, format!("{path}/{at}"), paths);
            }
        }
        _ => {}
    }
    paths.push(path);
}
