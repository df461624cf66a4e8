use std::io::Read as _;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::Budget;

/// Whether bytes begin as gzip (RFC 1952) or zlib (RFC 1950) data do.
pub(super) fn is_compressed(bytes: &[u8]) -> bool {
    match bytes {
        [0x1f, 0x8b, 8, ..] => true,
        [first @ 0x78, second, ..] => (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0,
        _ => false,
    }
}

/// The text in compressed bytes, as far as the budget reaches. What follows a fault in the data is left.
pub(super) fn inflate(bytes: &[u8], budget: &mut Budget) -> Option<String> {
    let most = budget.left();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    // A stream that is cut off has still told what came before.
    let _ = match bytes {
        [0x1f, ..] => GzDecoder::new(bytes).take(limit).read_to_end(&mut content),
        _ => ZlibDecoder::new(bytes).take(limit).read_to_end(&mut content),
    };
    if !budget.take(content.len()) || content.is_empty() {
        return None;
    }
    Some(String::from_utf8_lossy(&content).into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn both_kinds_are_inflated() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(b"hello, hello").unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"hello, hello").unwrap();
        for bytes in [gzip.finish().unwrap(), zlib.finish().unwrap()] {
            assert!(is_compressed(&bytes));
            let text = inflate(&bytes, &mut Budget::of(100));
            assert_eq!(text.as_deref(), Some("hello, hello"));
        }
        assert!(!is_compressed(b"xyz"));
    }

    #[test]
    fn a_bomb_runs_out_of_budget() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&vec![b'a'; 64 << 20]).unwrap();
        let bomb = gzip.finish().unwrap();
        let mut budget = Budget::of(bomb.len());
        assert_eq!(inflate(&bomb, &mut budget), None);
        assert!(budget.is_overrun());
    }
}
