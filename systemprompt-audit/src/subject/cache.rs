use std::collections::HashMap;
use std::sync::Arc;

use super::{DataKey, Person};

/// Most keys of a half; there are twice as many at most.
const HALF: usize = 16_384;

/// Keys in memory, those that were used last.
///
/// Two halves: what is used is moved to the newer one, and when that is full the older one goes.
#[derive(Debug, Default)]
pub(super) struct Cache {
    newer: Half,
    older: Half,
    turn: Turn,
}

/// The time between two erasures, as far as they are known of. A key that was read in one is not to be kept
/// in the next: it may be the one that was erased.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn(u64);

#[derive(Debug, Default)]
struct Half {
    by_person: HashMap<Person, Arc<DataKey>>,
    by_pseudonym: HashMap<Arc<str>, Arc<DataKey>>,
}

impl Cache {
    pub(super) fn of_person(&mut self, person: &Person) -> Option<Arc<DataKey>> {
        if let Some(key) = self.newer.by_person.get(person) {
            return Some(key.clone());
        }
        let key = self.older.by_person.get(person)?.clone();
        self.keep(key.clone());
        Some(key)
    }

    pub(super) fn of_pseudonym(&mut self, pseudonym: &str) -> Option<Arc<DataKey>> {
        if let Some(key) = self.newer.by_pseudonym.get(pseudonym) {
            return Some(key.clone());
        }
        let key = self.older.by_pseudonym.get(pseudonym)?.clone();
        self.keep(key.clone());
        Some(key)
    }

    pub(super) fn turn(&self) -> Turn {
        self.turn
    }

    /// Keeps a key that was read after `turn` had begun, if it has not ended.
    pub(super) fn keep_of(&mut self, turn: Turn, key: &Arc<DataKey>) {
        if turn == self.turn {
            self.keep(key.clone());
        }
    }

    fn keep(&mut self, key: Arc<DataKey>) {
        if self.newer.by_pseudonym.len() >= HALF {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.by_person.insert(key.person.clone(), key.clone());
        self.newer.by_pseudonym.insert(key.pseudonym.clone(), key);
    }

    pub(super) fn clear(&mut self) {
        *self = Self { turn: Turn(self.turn.0 + 1), ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Arc<DataKey> {
        let user = format!("user-{number}").into();
        let person = Person { tenant: "acme".into(), user, department: "".into() };
        Arc::new(DataKey::generate(person).unwrap().0)
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let (mut cache, first) = (Cache::default(), key(0));
        cache.keep(first.clone());
        for number in 1..3 * HALF {
            cache.keep(key(number));
            assert!(cache.of_person(&first.person).is_some(), "{number}");
        }
        let kept = cache.newer.by_person.len() + cache.older.by_person.len();
        assert!(kept <= 2 * HALF && kept > HALF, "{kept}");
        assert!(cache.of_person(&key(1).person).is_none());
        let turn = cache.turn();
        cache.clear();
        assert!(cache.of_pseudonym(&first.pseudonym).is_none());
        cache.keep_of(turn, &first);
        assert!(cache.of_person(&first.person).is_none());
        cache.keep_of(cache.turn(), &first);
        assert!(cache.of_person(&first.person).is_some());
    }
}
