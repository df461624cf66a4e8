//! Secrets: values that cannot be printed, and the scanner that finds them where they do not belong.

#[doc(inline)]
pub use systemprompt_core::secret::{Redact, Secret};
#[doc(inline)]
pub use systemprompt_governance::secret::{
    Confidence, Finding, Format, Scan, Scanner, ScannerBuilder, ScannerError,
};
