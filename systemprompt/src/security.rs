//! Secrets: values that cannot be printed, the scanner that finds them where they do not belong, and the
//! custody that keeps them where they do.

#[doc(inline)]
pub use systemprompt_core::secret::{Redact, Secret};

#[cfg(feature = "security")]
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

#[cfg(feature = "custody")]
pub mod custody {
    //! Secrets that a tool needs and a model must not see: kept encrypted, granted for declared uses.
    //!
    //! [`Custody`] is the [`SecretStore`](crate::traits::SecretStore) of an application, and what people change
    //! secrets with.

    #[doc(inline)]
    pub use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError, LocalKey};
    #[doc(inline)]
    pub use systemprompt_custody::{
        Actor, Custody, CustodyError, CustodyParts, Grant, GrantInfo, MAX_VALUE_BYTES, NewSecret,
        Place, PlaceError, Revoked, Rewrapped, SecretInfo, ValueError, VersionInfo, check_value,
        schema,
    };

    /// Files that sops has encrypted.
    pub mod sops {
        #[doc(inline)]
        pub use systemprompt_custody::sops::{
            MAX_FILE_BYTES, SopsError, SopsFormat, SopsValue, decrypt,
        };
    }
}

#[cfg(feature = "custody")]
pub mod inject {
    //! Puts secrets into requests, processes and arguments, after the decision and its record.

    #[doc(inline)]
    pub use systemprompt_custody::inject::{
        Binding, BindingFault, BindingFaults, BindingProblem, Bindings, BoundHost, BoundHostError,
        BoundSink, ChildLife, ChildProcess, CrossHost, Declaration, DeclaredHeader, EchoFilter,
        EchoStream, FilteredOutput, Hardening, HttpError, HttpSettings, HttpTool, HttpToolSpec,
        InjectError, InjectedArguments, InjectingClient, Injection, InjectionSettings, Injector,
        NamedSecret, NamedSecretError, PlaceholderFault, ProcessError, ProcessLimits,
        ProcessSettings, ProcessSpec, ProcessTool, ProcessUser, TemplateFault, ToolMethod,
        UpstreamRequest, UpstreamResponse, harden_process,
    };
}
