//! The reading end of the log.

mod conditions;
mod cursor;
mod filter;
mod follow;
mod heads;
mod instant;
mod named;
mod page;
mod position;
mod reader;
mod record;
mod scope;
mod search;
mod set;
mod share;
mod stored;
mod trace;

pub use cursor::{Cursor, CursorError};
pub use filter::{EventFilter, NumberRange};
pub use follow::{Followed, FollowedEvent, Follower};
pub use heads::LogHeads;
pub use instant::{InstantError, parse_instant};
pub use named::Named;
pub use page::{Page, PageSize};
pub use position::{LogPosition, PositionError};
pub use reader::AuditReader;
pub use record::EventRecord;
pub use scope::ReadScope;
pub use set::FilterError;
#[cfg(feature = "http")]
pub(crate) use set::INSTANT;
pub use share::ReadLimits;
#[cfg(feature = "export")]
pub(crate) use stored::StoredEvent;
pub use trace::{FivePointTrace, Point, TracePoints, TracedCall};
