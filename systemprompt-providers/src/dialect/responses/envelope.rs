//! State of other providers inside `reasoning.encrypted_content`.
//!
//! Callers of Responses send reasoning items back as they got them, so what only Anthropic or Gemini can
//! read travels there: `systemprompt-state.v1.` and, in base64url without padding, a JSON object of who
//! can read it (`d` the dialect, `p` the provider), the id beside it (`i`), the call it belongs to (`c`),
//! whether it is reasoning that is not shown (`r`), and the state (`s`). Nobody vouches for what comes back:
//! it goes to its origin alone, which checks its own state.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use systemprompt_core::llm::{Dialect, OpaqueState, Origin};

const PREFIX: &str = "systemprompt-state.v1.";

/// How the ids of reasoning items begin that were made here: its provider knows none of them.
pub(super) const OWN_REASONING: &str = "rs_gw_";

/// What a state belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// The reasoning in the same item.
    Thinking,
    /// Reasoning that is not shown.
    Redacted,
    /// The call with this id.
    Call(String),
}

#[derive(Serialize, Deserialize)]
struct Content {
    d: Dialect,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    i: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    r: bool,
    s: String,
}

/// The `encrypted_content` that carries `state`. A reasoning item's own goes as it is.
pub(super) fn wrap(state: &OpaqueState, holder: &Holder) -> String {
    if state.origin.dialect == Dialect::Responses && !matches!(holder, Holder::Call(_)) {
        return state.data.clone();
    }
    let content = Content {
        d: state.origin.dialect,
        p: state.origin.provider.as_deref().map(str::to_owned),
        i: state.id.clone(),
        c: if let Holder::Call(id) = holder { Some(id.clone()) } else { None },
        r: *holder == Holder::Redacted,
        s: state.data.clone(),
    };
    let json = serde_json::to_vec(&content).unwrap_or_default();
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
}

/// An envelope was damaged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// What `encrypted_content` carries, or `None` when it is a provider's own.
pub(super) fn unwrap(encrypted: &str) -> Result<Option<(OpaqueState, Holder)>, Damaged> {
    let Some(text) = encrypted.strip_prefix(PREFIX) else { return Ok(None) };
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| Damaged)?;
    let content: Content = serde_json::from_slice(&json).map_err(|_| Damaged)?;
    let holder = match (content.c, content.r) {
        (Some(id), _) => Holder::Call(id),
        (None, true) => Holder::Redacted,
        (None, false) => Holder::Thinking,
    };
    let origin = Origin { dialect: content.d, provider: content.p.map(Into::into) };
    Ok(Some((OpaqueState { origin, id: content.i, data: content.s }, holder)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state(dialect: Dialect, provider: Option<&str>, data: &str) -> OpaqueState {
        let origin = Origin { dialect, provider: provider.map(Into::into) };
        OpaqueState { origin, id: None, data: data.to_owned() }
    }

    #[test]
    fn native_state_is_not_wrapped() {
        let own = state(Dialect::Responses, Some("openai"), "gAAAAB+/=");
        assert_eq!(wrap(&own, &Holder::Thinking), "gAAAAB+/=");
        assert_eq!(wrap(&own, &Holder::Redacted), "gAAAAB+/=");
        assert_eq!(unwrap("gAAAAB+/="), Ok(None));
    }

    #[test]
    fn a_damaged_envelope_is_told_from_a_native_one() {
        for text in
            ["systemprompt-state.v1.", "systemprompt-state.v1.!!", "systemprompt-state.v1.e30"]
        {
            assert_eq!(unwrap(text), Err(Damaged), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_wrapped_comes_back(
            data in any::<String>(),
            provider in proptest::option::of("[a-z]{1,8}"),
            call in proptest::option::of("[a-zA-Z0-9_]{0,20}"),
            redacted in any::<bool>(),
        ) {
            let state = state(Dialect::Gemini, provider.as_deref(), &data);
            let holder = match (call, redacted) {
                (Some(id), _) => Holder::Call(id),
                (None, true) => Holder::Redacted,
                (None, false) => Holder::Thinking,
            };
            prop_assert_eq!(unwrap(&wrap(&state, &holder)), Ok(Some((state, holder))));
        }

        #[test]
        fn anything_may_come_back(text in ".{0,80}") {
            let _ = unwrap(&text);
            let _ = unwrap(&format!("{PREFIX}{text}"));
        }
    }
}
