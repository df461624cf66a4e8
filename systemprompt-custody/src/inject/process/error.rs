use std::io;

use crate::inject::InjectError;

/// A process could not be described or started. No text of it holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program is not named by its place.
    #[error("program `{0}` is no absolute path; name the file and not how it is searched for")]
    NotAbsolute(String),
    /// There is no program there.
    #[error("program `{program}` cannot be run: {problem}")]
    Program {
        /// The program.
        program: String,
        /// Why.
        problem: &'static str,
    },
    /// There is no folder there.
    #[error("directory `{0}` is no absolute path of a folder")]
    Directory(String),
    /// A secret among the words of the command line, which every user of a machine can read.
    #[error(
        "argument {number} of program `{program}` holds `secret://`; other users can read command lines, so use a variable"
    )]
    SecretArgument {
        /// The program.
        program: String,
        /// Which argument, from 1.
        number: usize,
    },
    /// A word or name that a command line cannot hold.
    #[error("argument {number} of program `{program}` holds a zero byte")]
    ZeroByte {
        /// The program.
        program: String,
        /// Which argument, from 1.
        number: usize,
    },
    /// Another user was asked for where there are none of that kind.
    #[error("processes of another user are for Unix")]
    NoUsers,
    /// A secret is missing or refused.
    #[error(transparent)]
    Inject(#[from] InjectError),
    /// The operating system did not start it.
    #[error("program `{program}` cannot be started: {kind}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        kind: io::ErrorKind,
    },
}
