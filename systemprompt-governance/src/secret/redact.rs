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

/// The whole token around a span: a longer secret of the same form must not leave a tail behind. Of a path
/// or a URL, it is the part between two slashes.
pub(super) fn widened(bytes: &[u8], span: &Range<usize>) -> Range<usize> {
    let before = bytes.get(..span.start).unwrap_or_default();
    let after = bytes.get(span.end..).unwrap_or_default();
    let token = |byte: &&u8| is_token(**byte);
    let whole = before.iter().rev().take_while(token).count();
    let in_path = is_path(before, whole);
    let segment = |byte: &&u8| is_token(**byte) && !(in_path && **byte == b'/');
    let head = before.iter().rev().take_while(segment).count();
    let belongs = |byte: &&u8| segment(byte) || matches!(byte, b'=' | b'~');
    let tail = after.iter().take_while(belongs).count();
    span.start - head..span.end + tail
}

/// Whether the last `length` bytes of `before` are the beginning of a path.
fn is_path(before: &[u8], length: usize) -> bool {
    let (rest, head) = before.split_at(before.len() - length);
    let rooted = head.first() == Some(&b'/') || rest.ends_with(b".") || rest.ends_with(b"~");
    head.contains(&b'/') && (rooted || memchr::memmem::find(head, b"//").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::scanner;

    #[test]
    fn what_goes_on_behind_a_secret_goes_with_it() {
        let token = format!("{}_{}", "ghp", "16C7e42F292c6912E7710c838347Ae178B4a");
        let scanner = scanner();
        for (before, after, shown) in [
            ("https://host/a/", "?a=b", "https://host/a/[redacted:github-token]?a=b"),
            ("https://host/", "/c-d", "https://host/[redacted:github-token]/c-d"),
            ("/srv/", ".txt", "/srv/[redacted:github-token].txt"),
            ("./x/", "", "./x/[redacted:github-token]"),
            ("id=ab-", "/cd+e=", "id=[redacted:github-token]"),
        ] {
            assert_eq!(scanner.redact(&format!("{before}{token}{after}")), shown);
        }
    }
}
