//! The audit log: durable before anything is answered, and what can be asked of it.

#[doc(inline)]
pub use systemprompt_audit::{
    AuditLog, AuditOptions, AuditReader, AuditStats, Cursor, CursorError, EventFilter, EventRecord,
    FilterError, FivePointTrace, InstantError, LATENCY_BOUNDS_US, LatencyHistogram, Named,
    NumberRange, OpenError, OpenPermit, Origin, OriginError, Page, PageSize, Point, QueryError,
    ReadLimits, ReadScope, StoreError, TracePoints, TracedCall, append_in, parse_instant, schema,
};

/// The queries as an axum router.
pub mod http {
    #[doc(inline)]
    pub use systemprompt_audit::http::router;
}

/// The log in the formats of SIEMs, and the sinks that take it there.
#[cfg(feature = "export")]
pub mod export {
    #[doc(inline)]
    pub use systemprompt_audit::export::{
        Destination, EncodeError, Encoder, ExportError, Exporter, FileSettings, Format,
        FormatError, HttpSettings, OnceError, OnceFilter, SettingsError, SinkSettings, SinkStats,
        StartAt, SyslogAddress, host_name, write_once,
    };
    #[doc(inline)]
    pub use systemprompt_core::secret::Secret;
}
