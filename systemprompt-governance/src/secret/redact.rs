use std::borrow::Cow;
use std::ops::Range;

use systemprompt_core::secret::Redact;

use super::Scanner;
use super::engine::Hit;
use super::skim::is_token;
use super::view::Budget;

impl Redact for Scanner {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hits = Vec::new();
        self.engine().hits(text, &mut hits, &mut Budget::of(text.len()));
        if hits.is_empty() {
            return Cow::Borrowed(text);
        }
        hits.sort_unstable_by_key(Hit::order);
        let mut clean = String::with_capacity(text.len());
        let mut end = 0;
        for hit in &hits {
            let span = widened(text.as_bytes(), &hit.span);
            if span.start >= end {
                clean.push_str(text.get(end..span.start).unwrap_or_default());
                clean.push_str("[redacted:");
                clean.push_str(self.engine().describe(hit.rule).0);
                clean.push(']');
            }
            end = end.max(span.end);
        }
        clean.push_str(text.get(end..).unwrap_or_default());
        Cow::Owned(clean)
    }
}

/// The whole token around a span: a longer secret of the same form must not leave a tail behind.
pub(super) fn widened(bytes: &[u8], span: &Range<usize>) -> Range<usize> {
    let belongs = |byte: &&u8| is_token(**byte) || matches!(byte, b'=' | b'~');
    let before = bytes.get(..span.start).unwrap_or_default();
    let after = bytes.get(span.end..).unwrap_or_default();
    let head = before.iter().rev().take_while(|byte| is_token(**byte)).count();
    let tail = after.iter().take_while(belongs).count();
    span.start - head..span.end + tail
}
