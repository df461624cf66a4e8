//! The reading end of the log.

mod cursor;
mod filter;
mod page;
mod reader;
mod record;
mod scope;
mod share;
mod stored;
mod trace;

pub use cursor::{Cursor, CursorError};
pub use filter::DecisionFilter;
pub use page::{Page, PageSize};
pub use reader::AuditReader;
pub(crate) use reader::LogSize;
pub use record::EventRecord;
pub use scope::ReadScope;
pub use share::ReadLimits;
pub(crate) use share::Share;
pub(crate) use stored::StoredEvent;
pub use trace::{FivePointTrace, Point, TracePoints, TracedCall};
