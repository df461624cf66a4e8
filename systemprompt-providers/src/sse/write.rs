use serde::Serialize;

/// Writes a frame: `event: <name>` where there is a name, then `data: <data>`. `data` has no line ends, as
/// JSON written without indentation has none.
pub fn write_frame(out: &mut Vec<u8>, event: Option<&str>, data: &[u8]) {
    write_head(out, event);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

fn write_head(out: &mut Vec<u8>, event: Option<&str>) {
    if let Some(event) = event {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
}

/// Writes a frame whose data is `value` as JSON.
pub(crate) fn write_json_frame(out: &mut Vec<u8>, event: Option<&str>, value: &impl Serialize) {
    write_head(out, event);
    // What is written here has string keys only, and memory takes all of it.
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok(), "{written:?}");
    out.extend_from_slice(b"\n\n");
}

/// Writes a comment, which clients pass over: a sign of life.
pub fn write_comment(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b": ");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\n\n");
}
