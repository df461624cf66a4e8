//! What holds of every request that is written.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A signature that must never leave.
const FOREIGN: &str = "Zm9yZWlnbg==";

fn states() -> impl Strategy<Value = Option<OpaqueState>> {
    prop_oneof![
        Just(None),
        Just(Some(ours("b3Vycw=="))),
        Just(Some(state(Dialect::Gemini, "vertex", FOREIGN))),
        Just(Some(state(Dialect::Anthropic, "google", FOREIGN))),
    ]
}

fn blocks() -> impl Strategy<Value = Block> {
    let id = "[ab]";
    prop_oneof![
        "(|x| )".prop_map(Block::text),
        (id, states()).prop_map(|(id, state)| {
            let Block { kind: BlockKind::ToolUse { id, name, input, .. }, .. } = call(&id, "f", "")
            else {
                unreachable!()
            };
            Block::new(BlockKind::ToolUse { id, name, input, state })
        }),
        (id, "(|x|\\{\\})").prop_map(|(id, text)| result(&id, vec![Block::text(text)])),
        ("(|hm)", states())
            .prop_map(|(text, state)| Block::new(BlockKind::Thinking { text, state })),
        states().prop_map(|state| match state {
            Some(state) => Block::new(BlockKind::RedactedThinking(state)),
            None => Block::new(BlockKind::Unknown { value: json!({"x": 1}) }),
        }),
    ]
}

fn conversations() -> impl Strategy<Value = Vec<Message>> {
    let role = prop_oneof![
        4 => Just(Role::User),
        4 => Just(Role::Assistant),
        1 => Just(Role::System),
    ];
    let message = (role, proptest::collection::vec(blocks(), 0..4))
        .prop_map(|(role, content)| said(role, content));
    proptest::collection::vec(message, 0..8)
}

fn parts_with(content: Option<&Value>, member: &str) -> Vec<String> {
    let parts = content.and_then(|content| content["parts"].as_array());
    let named = parts.into_iter().flatten().filter_map(|part| part.get(member));
    named.map(|call| format!("{}:{}", call["id"], call["name"])).collect()
}

/// That `contents` are a conversation as the wire wants it.
fn check(contents: &[Value]) {
    assert!(!contents.is_empty());
    for (at, content) in contents.iter().enumerate() {
        let parts = content["parts"].as_array().unwrap();
        assert!(!parts.is_empty(), "a turn says something");
        let is_model = content["role"] == "model";
        assert!(is_model || content["role"] == "user");
        let calls = parts_with(Some(content), "functionCall");
        assert!(is_model || calls.is_empty());
        // Every call has its result, in order, in the content right behind it, and no other result is anywhere.
        let answered = parts_with(contents.get(at + 1), "functionResponse");
        if is_model {
            assert_eq!(calls, answered);
            assert_ne!(contents.get(at + 1).map(|next| &next["role"]), Some(&json!("model")));
        } else {
            assert!(answered.is_empty());
            let own = parts_with(Some(content), "functionResponse");
            assert!(own.is_empty() || own.len() == parts.len());
        }
        for part in parts {
            let signature = part.get("thoughtSignature");
            assert!(is_model || signature.is_none());
            assert!(part["text"] != "" || signature.is_some(), "{part}");
        }
    }
}

/// That the first call of every step after the last word of the person is signed.
fn check_signatures(contents: &[Value]) {
    let is_word = |content: &Value| {
        content["role"] == "user" && parts_with(Some(content), "functionResponse").is_empty()
    };
    let turn = contents.iter().rposition(is_word).map_or(0, |at| at + 1);
    for content in contents.get(turn..).unwrap_or_default() {
        let parts = content["parts"].as_array().unwrap();
        let first = parts.iter().find(|part| part.get("functionCall").is_some());
        assert!(first.is_none_or(|part| part["thoughtSignature"].is_string()), "{contents:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_conversation_is_well_formed_or_refused(messages in conversations()) {
        let mut request = asked("x");
        request.messages = messages;
        let (can, flags) = (Capabilities::default(), ProviderFlags::default());
        match try_send(&request, "gemini-3-pro", &can, &flags) {
            Ok(sent) => {
                let contents = sent.body["contents"].as_array().unwrap();
                check(contents);
                check_signatures(contents);
                prop_assert!(!sent.text.contains(FOREIGN));
                let fields: BTreeSet<_> = sent.losses.iter().map(|(field, _)| field).collect();
                prop_assert!(fields.iter().all(|field| field.starts_with("messages.")));
            }
            Err(error) => prop_assert!(error.field.is_some_and(|field| field.starts_with("messages"))),
        }
    }
}
