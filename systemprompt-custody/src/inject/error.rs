use systemprompt_core::contract::SecretStoreError;

use super::PlaceholderFault;

/// Secrets could not be put where they were declared. No text of it holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InjectError {
    /// The call is for another server than the one that would get its secrets.
    #[error("tool `{tool}` is not one of server `{server}`")]
    OtherServer {
        /// The tool that was decided.
        tool: String,
        /// The server that was to get the secrets.
        server: String,
    },
    /// A placeholder cannot be read.
    #[error("in {place}: {fault}")]
    Malformed {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        fault: PlaceholderFault,
    },
    /// No binding lets this secret go there.
    #[error("placeholder `secret://{secret}` is not declared for {place}")]
    Undeclared {
        /// The secret.
        secret: String,
        /// Where the placeholder stands.
        place: String,
    },
    /// The store did not hand the secret out.
    #[error("placeholder `secret://{secret}` in {place}: {source}")]
    Refused {
        /// The secret.
        secret: String,
        /// Where it was to go.
        place: String,
        /// What the store says.
        source: Box<SecretStoreError>,
    },
    /// The value could not be found again in what the tool answers.
    #[error(
        "secret `{secret}` has fewer than {min} characters and cannot be told from ordinary text, so it is not injected"
    )]
    TooShort {
        /// The secret.
        secret: String,
        /// Fewest bytes without white space.
        min: usize,
    },
    /// The value is longer than any place takes.
    #[error("secret `{secret}` is longer than {max} bytes and is not injected")]
    TooLong {
        /// The secret.
        secret: String,
        /// Most bytes.
        max: usize,
    },
    /// The value holds a character that cannot stand there: a line break in a header, say.
    #[error("{place} cannot hold the value: it has a character that is not allowed there")]
    Character {
        /// The place.
        place: String,
    },
    /// Arguments belong to a call, and none is being made.
    #[error("there are no arguments without a call")]
    NoCall,
    /// The tool failed; what it says, without the secrets.
    #[error("{0}")]
    Tool(String),
}
