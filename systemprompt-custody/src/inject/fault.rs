use std::fmt;

use super::{PlaceholderFault, TemplateFault};

/// Something in the settings that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingFault {
    /// Where, such as `bindings[2].sink.header.name`.
    pub path: String,
    /// What.
    pub problem: BindingProblem,
}

/// What is wrong with a binding or a declaration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindingProblem {
    /// Two entries fill the same place.
    #[error("{sink} of server `{server}` is declared twice, first at `{first}`")]
    Duplicate {
        /// The server.
        server: String,
        /// The place.
        sink: String,
        /// The other entry.
        first: String,
    },
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateFault),
    /// A placeholder cannot be read.
    #[error(transparent)]
    Placeholder(#[from] PlaceholderFault),
    /// There is no such header or variable, or it is not for declarations.
    #[error("`{name}` {why}")]
    Name {
        /// The name.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// The fixed part of a value cannot stand there.
    #[error("the value holds a character that cannot stand there")]
    Value,
    /// `PATH` is not a list of folders.
    #[error("`PATH` is a list of folders that begin with `/`, without secrets")]
    Path,
    /// An argument is named in a form that is none.
    #[error("`{0}` is no argument: a name, or a JSON Pointer that begins with `/`")]
    Argument(String),
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingFaults(pub Vec<BindingFault>);

impl fmt::Display for BindingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl fmt::Display for BindingFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BindingFaults {}
