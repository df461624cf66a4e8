use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use systemprompt_runtime::StartError;

/// Why a command did not do what was asked. The kind decides the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    message: String,
}

/// Exit codes, as documented in `docs/cli.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// 1: something else.
    Other,
    /// 2: the command line is wrong (clap uses the same code).
    Usage,
    /// 3: the configuration is wrong.
    Config,
    /// 4: the call was denied.
    Denied,
    /// 5: what was asked for does not exist.
    NotFound,
    /// 6: the database cannot be used, or does not have the expected schema.
    Database,
    /// 10 and more: what `audit verify` and `audit verify-proof` have found.
    Found(u8),
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(FailureKind::NotFound, message)
    }

    pub(crate) fn other(error: impl Error) -> Self {
        Self::caused(FailureKind::Other, &error)
    }

    pub(crate) fn config(error: impl Error) -> Self {
        Self::caused(FailureKind::Config, &error)
    }

    pub(crate) fn database(error: impl Error) -> Self {
        Self::caused(FailureKind::Database, &error)
    }

    /// A start that failed: the configuration is to blame, or the database.
    pub(crate) fn start(error: StartError) -> Self {
        let kind = match &error {
            StartError::Database(_) | StartError::Schema(_) | StartError::AuditLog(_) => {
                FailureKind::Database
            }
            _ => FailureKind::Config,
        };
        Self::caused(kind, &error)
    }

    /// The error with everything that led to it.
    fn caused(kind: FailureKind, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.contains(&cause_text) {
                message.push_str(": ");
                message.push_str(&cause_text);
            }
            source = cause.source();
        }
        Self { kind, message }
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            FailureKind::Other => 1,
            FailureKind::Usage => 2,
            FailureKind::Config => 3,
            FailureKind::Denied => 4,
            FailureKind::NotFound => 5,
            FailureKind::Database => 6,
            FailureKind::Found(code) => code,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
