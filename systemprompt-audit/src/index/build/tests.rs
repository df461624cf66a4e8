//! What was posted is found, whatever the clock does.

use super::*;
use crate::index::{Facet, Postings};
use crate::place::Window;

struct One(i64, String);
impl Columns for One {
    fn field(&self, column: Column) -> Field<'_> {
        match column {
            Column::Id => Field::Bytes(&[1; 16]),
            Column::OccurredAt => Field::Integer(self.0),
            Column::UserId => Field::Text(&self.1),
            _ => Field::Null,
        }
    }
}

#[tokio::test]
async fn postings_are_exact_whatever_the_clock_does() {
    for round in 0..6_u64 {
        let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut rng = move |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % n
        };
        let range = [1_000_u64, 60_000_000, 3_000_000_000][(round % 3) as usize];
        let folder = tempfile::tempdir().unwrap();
        let mut index = file::create(&folder.path().join("x.db")).await.unwrap();
        let mut all = Vec::new();
        let mut seqs = [0_i64; 3];
        for id in 1..=4_i64 {
            let mut seg = Segment { id, events: 0, oldest: i64::MAX, newest: i64::MIN };
            for _ in 0..(1 + rng(6)) {
                let log = rng(3) as usize;
                let mut batch = Vec::new();
                for _ in 0..(1 + rng(900)) {
                    seqs[log] += 1;
                    let at = rng(range) as i64;
                    let user = if rng(3) == 0 { "ada" } else { "bob" };
                    batch.push(Entry::of(seqs[log], &One(at, user.to_owned())));
                    if user == "ada" {
                        all.push(Place { occurred_at: at, log_id: log as i64 + 1, seq: seqs[log] });
                    }
                    seg.events += 1;
                    seg.oldest = seg.oldest.min(at);
                    seg.newest = seg.newest.max(at);
                }
                post(&mut index, id, log as i64 + 1, &batch).await.unwrap();
            }
            keep(&mut index, &seg).await.unwrap();
        }
        all.sort_unstable();
        all.reverse();
        for _ in 0..20 {
            let before = match rng(3) {
                0 => Place::END,
                1 => Place::before(rng(range) as i64),
                _ => all[rng(all.len() as u64) as usize],
            };
            let from = if rng(2) == 0 { i64::MIN } else { rng(range) as i64 };
            let window = Window { before, from };
            let wanted: Vec<_> =
                all.iter().copied().filter(|p| *p < before && p.occurred_at >= from).collect();
            let terms = [Term::of(Facet::User, "ada")];
            let mut postings = Postings::rarest(&mut index, &terms, window).await.unwrap().unwrap();
            let mut got = Vec::new();
            loop {
                let most = 1 + rng(300) as usize;
                let part = postings.next(&mut index, most).await.unwrap();
                if part.is_empty() {
                    break;
                }
                got.extend(part);
            }
            assert_eq!(got.len(), wanted.len(), "round {round} {window:?}");
            assert!(got == wanted, "round {round} {window:?}");
        }
    }
}
