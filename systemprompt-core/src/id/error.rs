/// Why a text is not the identifier it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty.
    #[error("{kind} is empty")]
    Empty {
        /// Which identifier, in words.
        kind: &'static str,
    },
    /// The text is longer than the identifier may be.
    #[error("{kind} is {length} bytes long, at most {limit} are allowed")]
    TooLong {
        /// Which identifier, in words.
        kind: &'static str,
        /// Bytes found.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A character that the identifier may not hold. The text itself is not repeated: it may be a secret.
    #[error("{kind} holds a character that is not allowed at byte {at}")]
    Character {
        /// Which identifier, in words.
        kind: &'static str,
        /// Byte offset of the character.
        at: usize,
    },
    /// The text does not have the identifier's form.
    #[error("{kind} is not {expected}")]
    Form {
        /// Which identifier, in words.
        kind: &'static str,
        /// The form that was expected.
        expected: &'static str,
    },
}
