/// A name without its separators, lower-cased, with the places where words may begin and end.
///
/// Words are split at `_ - . / :` and whatever else is neither letter nor digit, between a lower-case
/// and an upper-case letter, before the last capital of a run that a lower-case letter follows
/// (`HTTPDelete`), after a run of two or more capitals (`DELETErecords`), and between letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    text: String,
    /// What separates the character at this byte from the one before; one more than `text` has bytes.
    bounds: Vec<Bound>,
}

/// How words are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bound {
    /// Not at all.
    None,
    /// By case, if the last capital of a run belongs to what follows: `HTTP Delete`.
    Acronym,
    /// By case, if a run of capitals is a word: `DELETE records`.
    Capitals,
    /// By case.
    Case,
    /// By a change between letters and digits.
    Digit,
    /// By a separator, or by the end of the name.
    Hard,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
}

impl Words {
    /// Splits `name`, of which only ASCII letters and digits count.
    pub(crate) fn of(name: &str) -> Self {
        let mut words = Self {
            text: String::with_capacity(name.len()),
            bounds: Vec::with_capacity(name.len() + 1),
        };
        let bytes = name.as_bytes();
        let mut before: Option<Kind> = None;
        let mut capitals = 0_usize;
        for (at, byte) in bytes.iter().enumerate() {
            let Some(kind) = Kind::of(*byte) else {
                (before, capitals) = (None, 0);
                continue;
            };
            let followed_by_lower =
                bytes.get(at + 1).and_then(|next| Kind::of(*next)) == Some(Kind::Lower);
            words.bounds.push(match (before, kind) {
                (None, _) => Bound::Hard,
                (Some(Kind::Digit), Kind::Digit) => Bound::None,
                (Some(Kind::Digit), _) | (Some(_), Kind::Digit) => Bound::Digit,
                (Some(Kind::Lower), Kind::Upper) => Bound::Case,
                (Some(Kind::Upper), Kind::Upper) if followed_by_lower => Bound::Acronym,
                (Some(Kind::Upper), Kind::Lower) if capitals > 1 => Bound::Capitals,
                _ => Bound::None,
            });
            words.text.push(byte.to_ascii_lowercase() as char);
            capitals = if kind == Kind::Upper { capitals + 1 } else { 0 };
            before = Some(kind);
        }
        words.bounds.push(Bound::Hard);
        words
    }

    /// Letters and digits only, lower-cased.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The letters or digits up to the first joint, which stand side by side wherever the words are found.
    pub(crate) fn opening(&self) -> &str {
        let joints = self.bounds.iter().enumerate().skip(1);
        let end = joints.filter(|(_, bound)| **bound != Bound::None).map(|(at, _)| at).next();
        end.and_then(|end| self.text.get(..end)).unwrap_or(&self.text)
    }

    /// Whether the words of `pattern`, found at byte `start` of this text, are whole words here.
    ///
    /// They must begin and end where words do, with the pattern's own joints in between and no other;
    /// except that case is no joint when what was found is everything between two separators, so that
    /// `dElEtE` is `delete`.
    pub(crate) fn holds(&self, pattern: &Self, start: usize) -> bool {
        [Bound::Acronym, Bound::Capitals]
            .into_iter()
            .any(|reading| self.holds_in(reading, pattern, start))
    }

    /// The same for one of the two ways to read a run of capitals.
    fn holds_in(&self, reading: Bound, pattern: &Self, start: usize) -> bool {
        let length = pattern.text.len();
        let (first, last) = (self.bound(start, reading), self.bound(start + length, reading));
        if first == Bound::None || last == Bound::None {
            return false;
        }
        let whole = first >= Bound::Digit && last >= Bound::Digit;
        (1..length).all(|inner| {
            match (pattern.bound(inner, reading), self.bound(start + inner, reading)) {
                (Bound::None, Bound::None) => true,
                (Bound::None, here) => whole && here == Bound::Case,
                (wanted, Bound::None) => whole && wanted == Bound::Case,
                (_, _) => true,
            }
        })
    }

    fn bound(&self, at: usize, reading: Bound) -> Bound {
        match self.bounds.get(at).copied().unwrap_or(Bound::None) {
            bound @ (Bound::Acronym | Bound::Capitals) if bound == reading => Bound::Case,
            Bound::Acronym | Bound::Capitals => Bound::None,
            bound => bound,
        }
    }
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            b'a'..=b'z' => Some(Self::Lower),
            b'A'..=b'Z' => Some(Self::Upper),
            b'0'..=b'9' => Some(Self::Digit),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(pattern: &str, name: &str) -> bool {
        let (pattern, name) = (Words::of(pattern), Words::of(name));
        name.text().match_indices(pattern.text()).any(|(start, _)| name.holds(&pattern, start))
    }

    #[test]
    fn whole_words_hit_however_they_are_joined() {
        for name in [
            "delete",
            "delete_records",
            "deleteRecords",
            "records-delete",
            "db.delete",
            "v1/delete",
            "bulk:delete",
            "HTTPDelete",
            "deleteURL",
            "DELETE_FILE",
            "DELETErecords",
            "DeleteFile",
            "delete2",
            "v2delete",
            "dElEtE",
            "Delete_file",
            "softDeleteV2",
            "x__delete__y",
        ] {
            assert!(hits("delete", name), "{name}");
        }
        for name in [
            "undelete",
            "undelete_items",
            "Undelete",
            "deleted",
            "predeleteHook",
            "de_lete",
            "undeletE",
            "deLeted",
        ] {
            assert!(!hits("delete", name), "{name}");
        }
    }

    #[test]
    fn short_words_do_not_hit_inside_longer_ones() {
        assert!(!hits("drop", "backdrop_filter"));
        assert!(!hits("drop", "backdropFilter"));
        assert!(hits("drop", "backDrop"));
        assert!(!hits("wipe", "SwipeCard"));
        assert!(!hits("update", "backUpDate"));
        assert!(!hits("update", "back_up_date"));
        assert!(hits("update", "upDate"));
        assert!(!hits("rm", "format_disk"));
    }

    #[test]
    fn patterns_of_several_words_and_with_digits() {
        assert!(hits("drop_table", "db_dropTable_now"));
        assert!(hits("dropTable", "DROP-TABLE"));
        assert!(hits("drop_table", "drop.table"));
        assert!(!hits("drop_table", "drop_tables"));
        assert!(!hits("drop_table", "droptable"));
        assert!(hits("s3", "s3_list"));
        assert!(hits("s3", "readS3Object"));
        assert!(!hits("s3", "dns3"));
        assert!(hits("oauth2", "OAuth2Login"));
    }
}
