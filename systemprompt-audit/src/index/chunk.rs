//! Places of a term that share a row.

use crate::place::Place;

/// Most places of a row.
pub(super) const MOST: usize = 256;

/// Longest time between the oldest and the newest place of a row, in microseconds. A reader that looks
/// for what is older than an instant begins so much after it.
pub(super) const SPAN: i64 = 10_000_000;

/// What a row says in its columns, and how it stores the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) newest: Place,
    pub(super) events: i64,
    pub(super) others: Vec<u8>,
}

/// A row that no index has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row of the search index cannot be read")]
pub(super) struct Damaged;

impl Chunk {
    /// Shares `places` of one log, in order, out to rows.
    pub(super) fn all(places: &[Place]) -> impl Iterator<Item = Self> {
        places.chunks(MOST).flat_map(split)
    }

    fn of(places: &[Place]) -> Option<Self> {
        let (&newest, others) = places.split_last()?;
        let mut bytes = Vec::with_capacity(others.len() * 4);
        let mut next = newest;
        for &place in others.iter().rev() {
            number(&mut bytes, next.occurred_at.abs_diff(place.occurred_at));
            number(&mut bytes, zigzag(next.seq.wrapping_sub(place.seq)));
            next = place;
        }
        let events = i64::try_from(places.len()).unwrap_or(i64::MAX);
        Some(Self { newest, events, others: bytes })
    }

    /// The places, the newest first.
    pub(super) fn places(&self) -> Result<Vec<Place>, Damaged> {
        let mut place = self.newest;
        let mut places = vec![place];
        let mut bytes = self.others.as_slice();
        while !bytes.is_empty() {
            let time = i64::try_from(read(&mut bytes)?).map_err(|_| Damaged)?;
            place.occurred_at = place.occurred_at.checked_sub(time).ok_or(Damaged)?;
            place.seq = place.seq.wrapping_sub(unzigzag(read(&mut bytes)?));
            places.push(place);
        }
        Ok(places)
    }
}

/// Splits places that span too long a time.
fn split(mut places: &[Place]) -> Vec<Chunk> {
    let mut chunks = Vec::with_capacity(1);
    while let Some(first) = places.first() {
        let end = first.occurred_at.saturating_add(SPAN);
        let (chunk, rest) = places.split_at(places.partition_point(|at| at.occurred_at <= end));
        chunks.extend(Chunk::of(chunk));
        places = rest;
    }
    chunks
}

/// LEB128: seven bits a byte, the lowest first, and a bit that says whether more follow.
fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn read(bytes: &mut &[u8]) -> Result<u64, Damaged> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Damaged)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Damaged)
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(occurred_at: i64, seq: i64) -> Place {
        Place { occurred_at, log_id: 3, seq }
    }

    proptest! {
        #[test]
        fn what_is_shared_out_comes_back(
            mut places in proptest::collection::vec(
                (prop_oneof![0_i64..60_000_000, any::<i64>()], any::<i64>()), 0..600,
            ),
        ) {
            places.sort_unstable();
            let places: Vec<_> = places.into_iter().map(|(at, seq)| place(at, seq)).collect();
            let chunks: Vec<_> = Chunk::all(&places).collect();
            let mut back = Vec::new();
            for chunk in &chunks {
                let mut part = chunk.places().unwrap();
                prop_assert_eq!(part.len() as i64, chunk.events);
                prop_assert!(part.len() <= MOST);
                prop_assert!(part.first().unwrap().occurred_at
                    .saturating_sub(part.last().unwrap().occurred_at) <= SPAN);
                part.reverse();
                back.extend(part);
            }
            prop_assert_eq!(back, places);
        }

        #[test]
        fn no_bytes_are_too_much(others in proptest::collection::vec(any::<u8>(), 0..64)) {
            // It ends, with places or without.
            let _ = Chunk { newest: place(5, 5), events: 1, others }.places();
        }
    }

    #[test]
    fn neighbours_take_few_bytes() {
        let places: Vec<_> = (0..MOST as i64).map(|n| place(1_000_000 + n * 40, n)).collect();
        let chunks: Vec<_> = Chunk::all(&places).collect();
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].others.len(), 2 * (MOST - 1));
    }
}
