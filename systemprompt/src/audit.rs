//! The audit log: durable before anything is answered, and what can be asked of it.

#[doc(inline)]
pub use systemprompt_audit::{
    AuditLog, AuditOptions, AuditReader, AuditStats, Cursor, CursorError, EventFilter, EventRecord, FilterError, FivePointTrace, InstantError, Named, NumberRange, ReadLimits, parse_instant, LATENCY_BOUNDS_US, LatencyHistogram, OpenError, OpenPermit,
    Origin, OriginError, Page, PageSize, Point, QueryError, ReadScope, StoreError, TracePoints,
    TracedCall, append_in, schema,
};

/// The queries as an axum router.
pub mod http {
    #[doc(inline)]
    pub use systemprompt_audit::http::router;
}
