//! Verification: everything in a database is computed anew and held against what was signed.
//!
//! [`verify`] goes over an [`AuditSource`], read-only, and gives a [`Report`] with two verdicts:
//!
//! - *integrity*: do rows, tree and signatures agree? A row that was edited, a history that was
//!   rewritten, a forged signature;
//! - *completeness*: is everything there? Gaps, a tail that was cut off (by what is signed outside),
//!   outcomes without their permission.
//!
//! Every [`Finding`] names its row. How much is proven depends on what the verifier brings along: with a
//! checkpoint from outside and a key that it trusts, whoever owns the database cannot have changed what
//! the checkpoint covers. With neither, only the log speaks for itself. What a witness has cosigned nobody can
//! have made anew, not even with the key of the log.

mod checks;
mod cosigned;
mod finding;
mod key_ring;
mod log_state;
mod options;
mod outside;
mod permits;
mod pruned;
mod report;
mod run;
mod source;

pub use finding::{Finding, FindingKind, Verdict};
pub use options::VerifyOptions;
pub use outside::{Outside, OutsideError};
pub use report::{LogReport, Report};
pub use run::{Progress, verify};
pub use source::{AuditSource, SourceError};

pub(crate) use source::{
    AnySource, GrantFacts, KeyEvent, LAST_PLACE, LogRow, LogSource, StoredTile, Stray,
};
