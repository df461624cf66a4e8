//! The reading end of the log.

mod bodies;
mod conditions;
mod cursor;
mod evaluation;
mod filter;
mod follow;
mod heads;
mod hidden;
#[cfg(feature = "sqlite")]
mod indexed;
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

pub use bodies::{FoundBodies, UnreadableBodies};
pub(crate) use conditions::{Dialect, EventQuery, Lead};
pub use cursor::{Cursor, CursorError};
pub use evaluation::{EvaluatedCheck, EvaluatedLimit, RecordedEvaluation};
pub use filter::{EventFilter, NumberRange};
pub(crate) use follow::{FirstPlace, Onward, OnwardRow, Onwards};
pub use follow::{Followed, FollowedEvent, Follower};
pub(crate) use heads::LogHead;
pub use heads::LogHeads;
pub use instant::{InstantError, parse_instant};
pub use named::Named;
pub(crate) use named::span_of_traces;
pub use page::{Page, PageSize};
pub use position::{LogPosition, PositionError};
pub use reader::AuditReader;
pub(crate) use reader::{LogSize, read};
pub use record::EventRecord;
pub use scope::ReadScope;
pub(crate) use search::{Events, Hit, Sought};
pub use set::FilterError;
#[cfg(feature = "http")]
pub(crate) use set::INSTANT;
pub use share::ReadLimits;
pub(crate) use share::Share;
pub(crate) use stored::StoredEvent;
pub use trace::{FivePointTrace, Point, TracePoints, TracedCall};
