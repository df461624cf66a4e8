use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use systemprompt_core::secret::Secret;

use super::automaton::Automaton;
use super::{EchoStream, forms};
use crate::inject::NamedSecret;

/// Takes the values of some secrets out of text. Cloning is a reference count.
///
/// A tool that was handed a secret may repeat it: in an error, in a log line, in an answer that shows the
/// request. Each value, and each of these encodings of it, is replaced by `[redacted:secret://name]`:
///
/// - base64 with the standard and the URL alphabet, wherever the value stands in what was encoded,
/// - hexadecimal digits of either case,
/// - percent-encoding and form encoding, of the characters that need it or of all,
/// - the escapes of JSON (also of JSON within JSON), of HTML, `\xNN` and `\uNNNN`,
/// - the user and password that a value for basic authentication stands for.
///
/// White space between the characters is passed over, so that lines wrapped by `base64` or spread by `od`
/// are found, too. [`stream`](Self::stream) does the same for output that comes in pieces: however it is
/// cut, the filtered text is the same.
///
/// What is not found: a value that was compressed, encrypted, reversed, cut into fields or written in
/// another encoding; less than the whole of it; and, at either end of a value inside a longer base64 text,
/// the one character that it shares with its neighbour (at most four bits of the value).
///
/// The memory that holds the values and their encodings is wiped when the last clone is dropped.
#[derive(Clone)]
pub struct EchoFilter(Arc<Inner>);

struct Inner {
    automaton: Automaton,
    markers: Vec<Box<[u8]>>,
    least_before_line_break: u32,
}

/// A value that is wrapped has at least this many characters in its first line, if not by itself fewer.
const WRAPPED: u32 = 4;

impl EchoFilter {
    /// A filter for these secrets.
    ///
    /// Values of fewer than 8 bytes without white space are not looked for: they cannot be told from
    /// ordinary text. [`Injection`](crate::inject::Injection) refuses to put such secrets anywhere.
    #[must_use]
    pub fn new<'v>(
        secrets: impl IntoIterator<Item = (&'v NamedSecret, &'v Secret<String>)>,
    ) -> Self {
        let mut patterns = Vec::new();
        let mut markers = Vec::new();
        let mut least_before_line_break = WRAPPED;
        for (number, (name, value)) in (0_u32..).zip(secrets) {
            patterns.extend(forms::of(value.expose()).into_iter().map(|form| (number, form)));
            let first_line = value.expose().trim().split('\n').next().unwrap_or_default();
            let first_line = u32::try_from(forms::significant(first_line)).unwrap_or(u32::MAX);
            least_before_line_break = least_before_line_break.min(first_line);
            markers.push(format!("[redacted:secret://{}]", name.name()).into_bytes().into());
        }
        let automaton = Automaton::new(&patterns);
        Self(Arc::new(Inner { automaton, markers, least_before_line_break }))
    }

    /// A stream of output that is filtered as it comes.
    #[must_use]
    pub fn stream(&self) -> EchoStream {
        EchoStream::new(self.clone())
    }

    /// A whole output without the values.
    #[must_use]
    pub fn redact<'t>(&self, output: &'t [u8]) -> Cow<'t, [u8]> {
        let mut stream = self.stream();
        let mut kept = stream.push(output);
        kept.extend(stream.finish());
        if kept == output { Cow::Borrowed(output) } else { Cow::Owned(kept) }
    }

    /// A whole text without the values.
    #[must_use]
    pub fn redact_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact(text.as_bytes())).into_owned()
    }

    pub(super) fn automaton(&self) -> &Automaton {
        &self.0.automaton
    }

    /// Fewest bytes of a value that stand before a line break in it.
    pub(super) fn least_before_line_break(&self) -> u32 {
        self.0.least_before_line_break
    }

    pub(super) fn marker(&self, value: u32) -> &[u8] {
        self.0.markers.get(value as usize).map_or(b"[redacted]", |marker| marker)
    }
}

impl fmt::Debug for EchoFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EchoFilter").field("secrets", &self.0.markers.len()).finish()
    }
}
