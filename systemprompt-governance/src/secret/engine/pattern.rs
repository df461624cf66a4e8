//! Regular expressions over bytes, without Unicode, in linear time.

use regex_automata::hybrid::dfa::DFA;
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

/// Most bytes the compiled program of one pattern may take.
const MAX_PROGRAM: usize = 1024 * 1024;

/// The compiled pattern; the error says what is wrong with it.
pub(in crate::secret) fn build(pattern: &str) -> Result<Regex, String> {
    let bytes = syntax::Config::new().unicode(false).utf8(false);
    Regex::builder()
        .configure(
            Regex::config()
                .utf8_empty(false)
                .hybrid_cache_capacity(256 * 1024)
                .nfa_size_limit(Some(MAX_PROGRAM)),
        )
        .syntax(bytes)
        .build(pattern)
        .map_err(|error| match error.syntax_error() {
            Some(syntax) => syntax.to_string(),
            None => error.to_string(),
        })
}

/// Whether a pattern may match a text that starts with `literal`, as far as can be told.
pub(in crate::secret) fn may_start_with(pattern: &str, literal: &[u8]) -> bool {
    let built = DFA::builder()
        .configure(DFA::config().skip_cache_capacity_check(true))
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(MAX_PROGRAM)))
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .build(pattern);
    // Where that cannot be told, it may.
    built.ok().and_then(|dfa| leads_on(&dfa, literal)).unwrap_or(true)
}

fn leads_on(dfa: &DFA, literal: &[u8]) -> Option<bool> {
    let mut cache = dfa.create_cache();
    let input = Input::new(literal).anchored(Anchored::Yes);
    let mut state = dfa.start_state_forward(&mut cache, &input).ok()?;
    for byte in literal {
        state = dfa.next_state(&mut cache, state, *byte).ok()?;
        // What has matched before may be shorter than the literal.
        if state.is_match() || state.is_dead() {
            return Some(state.is_match());
        }
    }
    Some(true)
}

/// Why a pattern cannot be used, if so.
pub(in crate::secret) fn check(pattern: &str) -> Result<(), String> {
    let built = build(pattern)?;
    if built.is_match("") {
        return Err("matches the empty text".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_cannot_start_with_is_known() {
        for (pattern, literal, may) in [
            ("abc_[0-9]{4}", "abc_", true),
            ("xyz[0-9]+", "abc_", false),
            ("(?:abc|abd)_[a-z]+", "abd_", true),
            ("ab", "abc_", true),
            ("[a-z_]{4}[0-9]+", "abc_", true),
            ("(?i)ABC_x", "abc_", true),
            ("^abc_x", "abc_", true),
            (r"\babc_x", "abc_", true),
            ("abd_x", "abc_", false),
        ] {
            assert_eq!(may_start_with(pattern, literal.as_bytes()), may, "{pattern}");
        }
    }
}
