//! State of other wires inside a signature.
//!
//! `thinking.signature` and `redacted_thinking.data` are the two places where callers of this wire carry
//! state back unread. State that another dialect made goes there as
//! `sp1:<dialect>:<provider>:<id>:<call>:<state>`, the names percent-encoded where they have a `%` or a `:`. Nothing
//! has to be remembered between requests, and nothing is hidden in ids. State that Anthropic's own wire
//! made stands there as it is. Thoughts that nobody signed have the signature `sp1:none::::`, for there are
//! clients that throw thoughts without a signature away, and providers that want them back.

use std::borrow::Cow;
use std::sync::Arc;

use systemprompt_core::llm::{Dialect, OpaqueState, Origin};

const PREFIX: &str = "sp1:";

/// The signature of thoughts that have none.
pub(super) const UNSIGNED: &str = "sp1:none::::";

/// Whether the body of a request of this wire carries state of another one, or thoughts that nobody
/// signed: it cannot be passed on to Anthropic byte for byte, which would call the signatures invalid.
#[must_use]
pub fn has_foreign_state(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"\"sp1:").is_some()
}

/// State as this wire carries it; `call` is the id of the tool call it belongs to, if it belongs to one.
pub(super) fn wrap<'a>(state: &'a OpaqueState, call: Option<&str>) -> Cow<'a, str> {
    if state.origin.dialect == Dialect::Anthropic && call.is_none() {
        return Cow::Borrowed(&state.data);
    }
    let part =
        |text: Option<&str>| text.unwrap_or_default().replace('%', "%25").replace(':', "%3A");
    Cow::Owned(format!(
        "{PREFIX}{}:{}:{}:{}:{}",
        state.origin.dialect,
        part(state.origin.provider.as_deref()),
        part(state.id.as_deref()),
        part(call),
        state.data
    ))
}

/// Reads what a caller carried back: the state, and the id of the tool call it belongs to.
pub(super) fn unwrap(data: String) -> (OpaqueState, Option<String>) {
    if let Some(found) = data.strip_prefix(PREFIX).and_then(read) {
        return found;
    }
    let origin = Origin { dialect: Dialect::Anthropic, provider: None };
    (OpaqueState { origin, id: None, data }, None)
}

fn read(text: &str) -> Option<(OpaqueState, Option<String>)> {
    let mut parts = text.splitn(5, ':');
    let dialect = match parts.next()? {
        "anthropic" => Dialect::Anthropic,
        "chat" => Dialect::Chat,
        "responses" => Dialect::Responses,
        "gemini" => Dialect::Gemini,
        _ => return None,
    };
    let mut part = || {
        let text = parts.next()?;
        Some((!text.is_empty()).then(|| text.replace("%3A", ":").replace("%25", "%")))
    };
    let provider = part()?.map(Arc::from);
    let id = part()?;
    let call = part()?;
    let data = parts.next()?.to_owned();
    Some((OpaqueState { origin: Origin { dialect, provider }, id, data }, call))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_wrapped_comes_back(
            provider in proptest::option::of("[a-z%:3A]{1,8}"),
            id in proptest::option::of("[a-z_%:]{1,8}"),
            call in proptest::option::of("[a-z_%:]{1,8}"),
            data in "[ -~é]{0,20}",
        ) {
            let origin =
                Origin { dialect: Dialect::Gemini, provider: provider.as_deref().map(Arc::from) };
            let state = OpaqueState { origin, id, data };
            let sent = wrap(&state, call.as_deref()).into_owned();
            prop_assert_eq!(unwrap(sent), (state, call));
        }

        #[test]
        fn any_text_can_be_read(data in "(sp1:)?[a-z:%]{0,30}") {
            unwrap(data);
        }
    }

    #[test]
    fn a_signature_of_anthropic_stands_as_it_is() {
        let origin = Origin { dialect: Dialect::Anthropic, provider: Some("anthropic".into()) };
        let state = OpaqueState { origin, id: None, data: "EqQB:x".to_owned() };
        assert_eq!(wrap(&state, None), "EqQB:x");
        let (back, call) = unwrap("EqQB:x".to_owned());
        assert_eq!((back.data.as_str(), back.origin.provider, call), ("EqQB:x", None, None));
    }

    #[test]
    fn foreign_state_is_found_in_a_body() {
        assert!(has_foreign_state(br#"{"signature":"sp1:gemini::::x"}"#));
        assert!(has_foreign_state(format!("{{\"signature\": \"{UNSIGNED}\"}}").as_bytes()));
        assert!(!has_foreign_state(br#"{"signature":"EqQB"}"#));
    }
}
