use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::*;

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Decodes `packed` in pieces of `size` bytes: what came out, and whether it may end there.
fn decoded(packed: &[u8], size: usize) -> Result<(Vec<u8>, bool), BadGzip> {
    let mut gunzip = Gunzip::new();
    let mut plain = Vec::new();
    for piece in packed.chunks(size) {
        gunzip.push(Bytes::copy_from_slice(piece));
        while let Some(piece) = gunzip.pull()? {
            assert!(!piece.is_empty() && piece.len() <= PIECE);
            plain.extend_from_slice(&piece);
        }
    }
    Ok((plain, gunzip.may_end()))
}

#[test]
fn what_was_packed_comes_out() {
    let plain = b"data: {\"type\":\"ping\"}\n\n".repeat(5_000);
    for size in [1, 7, 1 << 20] {
        assert_eq!(decoded(&packed(&plain), size), Ok((plain.clone(), true)), "{size}");
    }
    assert_eq!(decoded(&[], 1), Ok((Vec::new(), true)));
    assert_eq!(decoded(&packed(b""), 3), Ok((Vec::new(), true)));
}

#[test]
fn headers_may_have_all_their_parts_and_members_may_follow() {
    let builder = GzBuilder::new().extra(vec![7; 300]).filename("a").comment("b");
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(b"one").unwrap();
    let mut all = encoder.finish().unwrap();
    all.extend(packed(b"two"));
    for size in [1, 5, 10_000] {
        assert_eq!(decoded(&all, size), Ok((b"onetwo".to_vec(), true)));
    }
    // A digest of the header, which is passed over, and an extra field of no length.
    let mut with_crc = vec![0x1f, 0x8b, 8, EXTRA | HEADER_CRC, 0, 0, 0, 0, 0, 3, 0, 0, 1, 2];
    with_crc.extend_from_slice(&packed(b"three")[10..]);
    assert_eq!(decoded(&with_crc, 1), Ok((b"three".to_vec(), true)));
}

#[test]
fn what_is_flushed_comes_out_at_once() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut gunzip = Gunzip::new();
    for event in ["data: a\n\n", "data: b\n\n"] {
        encoder.write_all(event.as_bytes()).unwrap();
        encoder.flush().unwrap();
        gunzip.push(std::mem::take(encoder.get_mut()).into());
        assert_eq!(gunzip.pull().unwrap().unwrap(), event);
        assert_eq!(gunzip.pull(), Ok(None));
        assert!(!gunzip.may_end());
    }
}

#[test]
fn what_expands_a_lot_comes_out_in_pieces() {
    let packed = packed(&vec![0; 50_000_000]);
    assert!(packed.len() < 60_000);
    let mut gunzip = Gunzip::new();
    gunzip.push(packed.into());
    let mut total = 0;
    while let Some(piece) = gunzip.pull().unwrap() {
        assert!(piece.len() <= PIECE);
        total += piece.len();
    }
    assert_eq!((total, gunzip.may_end()), (50_000_000, true));
}

#[test]
fn what_is_broken_is_refused() {
    let good = packed(b"hello hello hello hello");
    assert_eq!(decoded(b"not gzip", 3), Err(BadGzip));
    for at in [0, 1, 2, 3, good.len() - 1, good.len() - 5] {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        assert_eq!(decoded(&bad, 4), Err(BadGzip), "{at}");
    }
    let mut trailing = good.clone();
    trailing.extend_from_slice(b"x");
    assert_eq!(decoded(&trailing, 4), Err(BadGzip));
    let mut endless = vec![0x1f, 0x8b, 8, NAME, 0, 0, 0, 0, 0, 3];
    endless.resize(MOST_HEADER + 20, b'a');
    assert_eq!(decoded(&endless, 1_000), Err(BadGzip));
    let (_, ended) = decoded(&good[..good.len() - 3], 5).unwrap();
    assert!(!ended, "what is cut off has no end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_split_gives_the_same_bytes(
        plain in proptest::collection::vec(0_u8..4, 0..70_000), size in 1_usize..5_000,
    ) {
        prop_assert_eq!(decoded(&packed(&plain), size), Ok((plain, true)));
    }

}

proptest! {
    #[test]
    fn no_bytes_make_it_fail_otherwise(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..300), framed in any::<bool>(),
    ) {
        if framed {
            bytes.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
        }
        let whole = decoded(&bytes, bytes.len().max(1));
        prop_assert_eq!(whole.is_err(), decoded(&bytes, 1).is_err());
    }
}
