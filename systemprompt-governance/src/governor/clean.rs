use std::hash::Hasher as _;

use hashbrown::HashSet;
use parking_lot::Mutex;
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use systemprompt_core::content::ContentBody;

/// Shorter texts are searched again: that is as quick as looking them up.
const WORTHWHILE: usize = 256;

/// Texts in each of the two generations.
const GENERATION: usize = 32 * 1024;

/// Texts in which nothing was found, by a keyed 128-bit hash of their content: the turns of a conversation,
/// which come again with each request.
///
/// Nothing but the content decides, so one entry serves every caller. It belongs to one scanner: other rules
/// start with none.
pub(super) struct CleanTexts {
    key: [u8; 16],
    seen: Mutex<Generations>,
}

/// What was not asked for since the last but one generation began is forgotten.
#[derive(Default)]
struct Generations {
    now: HashSet<u128>,
    before: HashSet<u128>,
}

impl CleanTexts {
    pub(super) fn new() -> Self {
        Self { key: rand::random(), seen: Mutex::default() }
    }

    pub(super) fn contains(&self, body: ContentBody<'_>) -> bool {
        let Some(name) = self.name(body) else { return false };
        let mut seen = self.seen.lock();
        if seen.now.contains(&name) {
            return true;
        }
        let known = seen.before.contains(&name);
        if known {
            seen.add(name);
        }
        known
    }

    pub(super) fn add(&self, body: ContentBody<'_>) {
        if let Some(name) = self.name(body) {
            self.seen.lock().add(name);
        }
    }

    fn name(&self, body: ContentBody<'_>) -> Option<u128> {
        let (kind, text) = match body {
            ContentBody::Text(text) => (0, text),
            ContentBody::Json(text) => (1, text),
        };
        if text.len() < WORTHWHILE {
            return None;
        }
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u8(kind);
        hasher.write(text.as_bytes());
        Some(hasher.finish128().as_u128())
    }
}

impl Generations {
    fn add(&mut self, name: u128) {
        if self.now.len() >= GENERATION {
            self.before = std::mem::take(&mut self.now);
        }
        self.now.insert(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_until_two_generations_later() {
        let texts = CleanTexts::new();
        let text = |number: usize| format!("{number:>300}");
        let first = text(0);
        texts.add(ContentBody::Text(&first));
        assert!(texts.contains(ContentBody::Text(&first)));
        assert!(!texts.contains(ContentBody::Json(&first)));
        assert!(!texts.contains(ContentBody::Text(&text(1))));
        for number in 1..=GENERATION {
            texts.add(ContentBody::Text(&text(number)));
        }
        assert!(texts.contains(ContentBody::Text(&text(1))));
        for number in GENERATION..3 * GENERATION {
            texts.add(ContentBody::Text(&text(number)));
        }
        assert!(!texts.contains(ContentBody::Text(&text(2))));
        let seen = texts.seen.lock();
        assert!(seen.now.len() + seen.before.len() <= 2 * GENERATION);
    }

    #[test]
    fn short_texts_are_not_kept() {
        let texts = CleanTexts::new();
        texts.add(ContentBody::Text("short"));
        assert!(!texts.contains(ContentBody::Text("short")));
    }
}
