use bytes::Bytes;
use memchr::memchr2_iter;

/// One event of a stream, with the blank line that ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The bytes as they came.
    pub raw: Bytes,
    /// The value of `event:`, if there is one that is UTF-8.
    pub event: Option<String>,
    /// The values of `data:`, joined by line feeds; `None` where there is none (a comment).
    pub data: Option<Bytes>,
}

impl Frame {
    /// Reads the fields of `raw`.
    pub(super) fn read(raw: Bytes) -> Self {
        let mut event = None;
        let mut data: Option<Bytes> = None;
        for line in lines(&raw) {
            let (name, value) = field(&raw, line);
            match name {
                b"event" => event = std::str::from_utf8(&value).ok().map(str::to_owned),
                b"data" => data = Some(joined(data, value)),
                _ => {}
            }
        }
        Self { raw, event, data }
    }

    /// Whether it says nothing: a comment, as servers send to keep a connection open.
    #[must_use]
    pub const fn is_comment(&self) -> bool {
        self.data.is_none() && self.event.is_none()
    }
}

/// The lines of `raw` as ranges, without their ends (`\n`, `\r\n` or `\r`).
fn lines(raw: &Bytes) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let mut start = 0;
    memchr2_iter(b'\n', b'\r', raw).map(move |end| {
        let line = start.min(end)..end;
        start = end + 1;
        line
    })
}

/// The name of a line's field and its value, without the one space after the colon.
fn field(raw: &Bytes, line: std::ops::Range<usize>) -> (&[u8], Bytes) {
    let text = raw.get(line.clone()).unwrap_or_default();
    let Some(colon) = memchr::memchr(b':', text) else { return (text, Bytes::new()) };
    let space = usize::from(text.get(colon + 1) == Some(&b' '));
    let name = text.get(..colon).unwrap_or_default();
    (name, raw.slice(line.start + colon + 1 + space..line.end))
}

fn joined(before: Option<Bytes>, value: Bytes) -> Bytes {
    match before {
        None => value,
        Some(before) => {
            let mut all = Vec::with_capacity(before.len() + 1 + value.len());
            all.extend_from_slice(&before);
            all.push(b'\n');
            all.extend_from_slice(&value);
            all.into()
        }
    }
}
