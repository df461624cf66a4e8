//! What holds for every compressed answer and every way that it is cut, for the fuzz targets.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

use super::gzip::{BadGzip, Gunzip};

/// Packs `plain`, with a head of all parts that `parts` tells of.
#[must_use]
pub fn packed(plain: &[u8], parts: u8) -> Vec<u8> {
    let bit = |at: u8| parts & (1 << at) != 0;
    let mut head = GzBuilder::new();
    if bit(0) {
        head = head.extra(plain.get(..plain.len().min(300)).unwrap_or_default());
    }
    if bit(1) {
        head = head.filename("name");
    }
    if bit(2) {
        head = head.comment("comment");
    }
    let level = if bit(3) { Compression::none() } else { Compression::fast() };
    let mut encoder = head.write(Vec::new(), level);
    // Writing to memory does not fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}

/// Unpacks `input` in the pieces that `cuts` makes of it: the same comes out wherever it is cut, and it is what
/// another reader of gzip makes of it.
///
/// # Errors
/// What does not hold.
pub fn gzip(input: &[u8], cuts: &[usize]) -> Result<(), String> {
    let every: Vec<usize> = (0..=input.len()).collect();
    let whole = unpacked(input, &[0, input.len()]);
    for cuts in [cuts, &every] {
        let other = unpacked(input, cuts);
        // What came before a fault may be more or less.
        if other != whole && (other.is_ok() || whole.is_ok()) {
            return Err(format!("cut at {cuts:?} it is another"));
        }
    }
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(input).read_to_end(&mut plain);
    match (whole, read) {
        (Ok((_, false)) | Err(BadGzip), Ok(_)) if !input.is_empty() => {
            Err("it is refused, and it is gzip".to_owned())
        }
        (Ok((ours, true)), Ok(_)) if ours != plain => Err("it says another thing".to_owned()),
        _ => Ok(()),
    }
}

fn unpacked(input: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, bool), BadGzip> {
    let mut gunzip = Gunzip::new();
    let mut plain = Vec::new();
    for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
        gunzip.push(Bytes::copy_from_slice(input.get(*from..*to).unwrap_or_default()));
        while let Some(piece) = gunzip.pull()? {
            plain.extend_from_slice(&piece);
        }
    }
    Ok((plain, gunzip.may_end()))
}
