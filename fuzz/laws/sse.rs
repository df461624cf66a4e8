//! Frames of server-sent events: the same wherever the bytes were cut, and together the bytes themselves.

use crate::cut::{self, Choices};
use systemprompt_providers::sse::write_frame;

pub fn check(input: &[u8]) {
    let mut choices = Choices(input);
    let limit = match choices.byte() {
        0..128 => 1 << 20,
        short => usize::from(short - 128),
    };
    let cuts = choices.cuts(choices.0.len().saturating_sub(9));
    let bytes = choices.0;
    let cuts: Vec<usize> =
        cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([bytes.len()]).collect();
    let every: Vec<usize> = (0..=bytes.len()).collect();
    let (whole, ended) = cut::frames(bytes, &[0, bytes.len()], limit);
    for cuts in [&cuts, &every] {
        let (other, other_ended) = cut::frames(bytes, cuts, limit);
        assert_eq!((&whole, ended), (&other, other_ended), "cut at {cuts:?}");
    }
    let raw: Vec<u8> = whole.iter().flat_map(|frame| frame.raw.to_vec()).collect();
    assert!(bytes.starts_with(&raw), "frames have other bytes");
    for frame in &whole {
        assert!(ended.is_err() || frame.raw.len() <= limit || Some(frame) == whole.last());
        assert!(frame.data.as_ref().is_none_or(|data| data.len() < frame.raw.len()));
    }
    if memchr_free(bytes) {
        let mut written = Vec::new();
        write_frame(&mut written, Some("name"), bytes);
        let (frames, _) = cut::frames(&written, &[0, written.len()], 1 << 20);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].data.as_deref(), Some(bytes));
        assert_eq!(frames[0].event.as_deref(), Some("name"));
    }
}

/// Whether there is no end of a line.
fn memchr_free(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
}
