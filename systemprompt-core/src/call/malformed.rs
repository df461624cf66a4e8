use crate::id::IdError;

/// Why something that came through a door is not a tool call. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedCall {
    /// A field that does not parse.
    #[error("`{field}`: {source}")]
    Field {
        /// The field of the door's body.
        field: &'static str,
        /// What is wrong with it.
        source: IdError,
    },
    /// `mcp__<server>__<tool>` with an empty part, or with a server other than the one named beside it.
    #[error("`tool`: the qualified name {problem}")]
    QualifiedName {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The arguments are larger than they may be.
    #[error("`arguments`: {bytes} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The arguments are nested deeper than they may be.
    #[error("`arguments`: nested deeper than {limit} levels")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// An object of the arguments names a key twice.
    #[error("`arguments`: a key occurs twice in one object, at line {line} column {column}")]
    DuplicateKey {
        /// Line of the second occurrence, from 1.
        line: usize,
        /// Column just after the second occurrence, from 1.
        column: usize,
    },
    /// The arguments are not JSON.
    #[error("`arguments`: not valid JSON at line {line} column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Anything else a door finds wrong with its own envelope.
    #[error("{detail}")]
    Envelope {
        /// What is wrong and where.
        detail: String,
    },
}
