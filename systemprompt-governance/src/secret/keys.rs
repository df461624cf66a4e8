//! What is known of the keys of a document: records have the same ones over and over.

use super::name;

/// Keys that are remembered.
const SLOTS: usize = 32;

/// Longest key that is.
const LONGEST: usize = 32;

/// The name of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'n> {
    pub(super) text: &'n str,
    /// Whether it may say that its value is a secret.
    pub(super) tells: bool,
}

impl<'n> Name<'n> {
    pub(super) fn new(text: &'n str) -> Self {
        Self { text, tells: name::may_hold_secret(text.as_bytes()) }
    }
}

/// The keys met last in which nothing was found, each at a place of its own.
#[derive(Default)]
pub(super) struct Keys<'n>([Option<Name<'n>>; SLOTS]);

impl<'n> Keys<'n> {
    /// A key in which nothing was found before.
    pub(super) fn find(&self, key: &str) -> Option<Name<'n>> {
        self.0.get(place(key)?)?.filter(|known| known.text == key)
    }

    /// Remembers a key in which nothing was found.
    pub(super) fn remember(&mut self, key: &'n str) -> Name<'n> {
        let name = Name::new(key);
        if let Some(slot) = place(key).and_then(|place| self.0.get_mut(place)) {
            *slot = Some(name);
        }
        name
    }
}

/// Where a key is remembered, if it is.
fn place(key: &str) -> Option<usize> {
    let (first, last) = (key.as_bytes().first()?, key.as_bytes().last()?);
    let mixed = key.len() * 5 + usize::from(*first) * 3 + usize::from(*last);
    (key.len() <= LONGEST).then_some(mixed % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_and_long_ones_are_not_kept() {
        let mut keys = Keys::default();
        let long = "k".repeat(LONGEST + 1);
        // The second takes the place of the first.
        for key in ["password", "pbsswpad", "", &long] {
            assert!(keys.find(key).is_none());
            assert_eq!(keys.remember(key).tells, key == "password");
        }
        assert!(keys.find("password").is_none());
        assert_eq!(keys.find("pbsswpad").map(|name| name.text), Some("pbsswpad"));
        assert!(keys.find(&long).is_none());
    }
}
