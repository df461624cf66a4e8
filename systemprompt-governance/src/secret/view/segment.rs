use std::ops::Range;

/// Bytes before a place that belong to its stretch, for the names of values.
const BEFORE: usize = 96;

/// Bytes behind a place that belong to its stretch; places nearer than that share one.
const BEHIND: usize = 80;

/// The stretches of `text` around `places`, which are in order.
pub(super) fn around(text: &str, places: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut segments: Vec<Range<usize>> = Vec::new();
    for place in places {
        let start = place.saturating_sub(BEFORE);
        let end = place.saturating_add(BEHIND).min(text.len());
        match segments.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => segments.push(start..end),
        }
    }
    let mut from = 0;
    for segment in &mut segments {
        // Wherever a token is cut, it is cut at its end.
        let end = token_end(text, segment.end);
        *segment = text.floor_char_boundary(segment.start.max(from))..end;
        from = end;
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

/// Where the token that `place` is in ends, within bounds.
fn token_end(text: &str, place: usize) -> usize {
    const LONGEST: usize = 512;
    let rest = text.as_bytes().get(place..).unwrap_or_default();
    let token = |byte: &&u8| !byte.is_ascii_whitespace() && **byte != b'"';
    let length = rest.iter().take(LONGEST).take_while(token).count();
    text.ceil_char_boundary(place + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_places_share_a_stretch_and_stretches_do_not_overlap() {
        let text = "x".repeat(100) + " " + &"y".repeat(2000) + " " + &"z ".repeat(500);
        let segments = around(&text, [10, 50, 1500, 2600, 2650].into_iter());
        assert_eq!(segments.len(), 3);
        assert_eq!(segments[0].start, 0);
        assert!(segments.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(segments.iter().zip([10, 1500, 2600]).all(|(s, place)| s.contains(&place)));
    }
}
