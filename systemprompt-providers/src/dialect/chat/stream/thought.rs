use serde_json::Value;

use super::super::reasoning::THINK;

/// How a thought came, which is how it goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As `reasoning_content`.
    Content,
    /// As `reasoning`.
    Other,
    /// Between tags in the text.
    Tags,
}

/// The entries of `reasoning_details`, put together from their pieces.
#[derive(Debug, Default)]
pub(super) struct Details(Vec<Value>);

impl Details {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a piece: more of the last entry, or a new one.
    pub(super) fn push(&mut self, piece: &Value) {
        if let Some(last) = self.0.last_mut()
            && continues(last, piece)
        {
            add(last, piece);
        } else {
            self.0.push(piece.clone());
        }
    }

    /// The state of a thought that came `way`.
    pub(super) fn state(&self, way: Way) -> String {
        if !self.is_empty() {
            return Value::Array(self.0.clone()).to_string();
        }
        match way {
            Way::Content => "reasoning_content",
            Way::Other => "reasoning",
            Way::Tags => THINK,
        }
        .to_owned()
    }
}

/// Whether `piece` is more of `last`: of the same kind and number, and `last` has not been signed yet.
fn continues(last: &Value, piece: &Value) -> bool {
    let same = |name: &str| last.get(name) == piece.get(name);
    let text = |value: &Value| value.get("text").or_else(|| value.get("summary")).is_some();
    let signed = last.get("signature").is_some_and(|signature| !signature.is_null());
    same("type")
        && same("index")
        && (text(piece) || piece.get("signature").is_some())
        && text(last)
        && !signed
}

fn add(last: &mut Value, piece: &Value) {
    let (Value::Object(last), Value::Object(piece)) = (last, piece) else { return };
    for (name, value) in piece {
        match (last.get_mut(name), value) {
            (Some(Value::String(text)), Value::String(more))
                if matches!(name.as_str(), "text" | "summary") =>
            {
                text.push_str(more);
            }
            (None | Some(Value::Null), value) => {
                last.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_of_an_entry_become_one() {
        let mut details = Details::default();
        for piece in [
            json!({"type": "reasoning.text", "text": "He", "index": 0, "format": "f"}),
            json!({"type": "reasoning.text", "text": "llo", "index": 0, "format": "f"}),
            json!({"type": "reasoning.text", "signature": "s", "index": 0}),
            json!({"type": "reasoning.text", "text": "next", "index": 0}),
            json!({"type": "reasoning.encrypted", "data": "d", "index": 1}),
        ] {
            details.push(&piece);
        }
        let state: Value = serde_json::from_str(&details.state(Way::Content)).unwrap();
        assert_eq!(
            state,
            json!([
                {"type": "reasoning.text", "text": "Hello", "index": 0, "format": "f", "signature": "s"},
                {"type": "reasoning.text", "text": "next", "index": 0},
                {"type": "reasoning.encrypted", "data": "d", "index": 1},
            ])
        );
    }
}
