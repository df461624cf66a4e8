//! What was used, what it cost and what was denied.

#[doc(inline)]
pub use systemprompt_audit::analytics::{
    Analytics, Calls, Cell, Dimension, DimensionError, Figures, Latency, Outcomes, Requests, Step,
    Subject, Trend, UsageQuery, UsageReport, UsageRow,
};
