use std::collections::BTreeMap;

use http::request::Parts;
use systemprompt_core::api::Problem;
use systemprompt_core::id::TraceId;
use systemprompt_core::secret::Redact;

/// Most bytes of an unknown name that are repeated.
const SHOWN: usize = 64;

/// The parameters of a query string, each at most once.
pub(super) struct Parameters {
    pairs: BTreeMap<String, String>,
    trace_id: TraceId,
}

impl Parameters {
    /// Reads the query string of a request.
    pub(super) fn of(parts: &Parts, trace_id: TraceId) -> Result<Self, Problem> {
        let mut pairs = BTreeMap::new();
        let query = parts.uri.query().unwrap_or_default();
        if !well_encoded(query.as_bytes()) {
            let detail = "the query string is not percent-encoded text";
            return Err(Problem::bad_request(detail, trace_id));
        }
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if pairs.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Problem::bad_request("a query parameter is given twice", trace_id));
            }
        }
        Ok(Self { pairs, trace_id })
    }

    /// All of them.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.keys().map(String::as_str)
    }

    /// The problem of a parameter that is not known.
    pub(super) fn unknown(&self, name: &str, redact: &dyn Redact) -> Problem {
        let shown = redact.redact(name);
        let shown: String = shown.chars().filter(|char| !char.is_control()).take(SHOWN).collect();
        let detail = format!("unknown query parameter `{shown}`");
        Problem::bad_request(detail, self.trace_id).with("parameter", shown)
    }

    /// The problem of a known parameter whose value is not one of those there are.
    pub(super) fn bad(&self, name: &str, expected: &str) -> Problem {
        Problem::bad_request(format!("`{name}` is not {expected}"), self.trace_id)
            .with("parameter", name)
    }
}

/// Whether every `%` starts an escape and what comes out is UTF-8, so that nothing has to be guessed.
fn well_encoded(query: &[u8]) -> bool {
    let escapes = query.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        query.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    escapes
        && url::form_urlencoded::parse(query).all(|(name, value)| {
            !name.contains(char::REPLACEMENT_CHARACTER)
                && !value.contains(char::REPLACEMENT_CHARACTER)
        })
}
