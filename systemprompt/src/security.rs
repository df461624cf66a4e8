//! Secrets: values that cannot be printed, and the scanner that finds them where they do not belong.

#[doc(inline)]
pub use systemprompt_core::secret::{Redact, Secret};

pub mod scan {
    //! The secret scanner, which can be used on its own.
    //!
    //! ```
    //! use systemprompt::security::scan::Scanner;
    //!
    //! let scanner = Scanner::builder().fingerprint_key(&[7; 32]).build()?;
    //! let text = format!("DATABASE_URL=postgres://app:{}@db.internal/app", "kX82hfQ0z");
    //! let found = scanner.find_in_text(&text);
    //! assert_eq!(&*found[0].finding.rule, "url-credentials");
    //! assert_eq!(&text[found[0].span.clone()], "kX82hfQ0z");
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use systemprompt_governance::secret::{
        Confidence, Finding, Format, Match, RuleFault, RuleFaultKind, Scan, Scanner,
        ScannerBuilder, ScannerError,
    };
}
