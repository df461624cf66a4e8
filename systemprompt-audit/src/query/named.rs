use systemprompt_core::id::TraceId;

/// Something that the events of a log share, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Named {
    /// A trace.
    Trace(TraceId),
    /// A call.
    Call(String),
    /// A session.
    Session(String),
}

/// The first and the last trace whose id, in lower case hex, starts with `prefix`; `None` when none can.
pub(crate) fn span_of_traces(prefix: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    if prefix.is_empty() || prefix.contains(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let ends =
        Option::zip(hex::decode(padded(prefix, '0')).ok(), hex::decode(padded(prefix, 'f')).ok());
    ends.filter(|(first, _)| first.len() == 16)
}

fn padded(prefix: &str, digit: char) -> String {
    let missing = 32_usize.saturating_sub(prefix.len());
    prefix.chars().chain(std::iter::repeat_n(digit, missing)).collect()
}
