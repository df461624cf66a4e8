//! Regular expressions over bytes, without Unicode, in linear time.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

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

/// Why a pattern cannot be used, if so.
pub(in crate::secret) fn check(pattern: &str) -> Result<(), String> {
    let built = build(pattern)?;
    if built.is_match("") {
        return Err("matches the empty text".to_owned());
    }
    Ok(())
}
