//! Getting the log out, to files, SIEMs and collectors.
//!
//! - [`Encoder`] turns an event into one line of a [`Format`].
//! - [`Exporter`] runs sinks in the background. Each has a thread and connections of its own, reads the
//!   log after the place it has come to, and notes its place when its events have arrived. So a sink
//!   that is down changes no request's latency and loses nothing: what it missed is in the log.
//! - [`write_once`] writes a part of the log out, for the command line.
//!
//! Network sinks keep encoded batches in a spool on disk, up to a cap; at the cap they stop reading until
//! there is room. Delivery is at least once and in the order of each log; the event's id, the same in
//! every format, tells repeats.

mod backoff;
mod batch;
mod exporter;
mod format;
mod once;
mod settings;
mod sink;
mod spool;
mod stats;
mod store;
mod tail;
mod worker;

pub use exporter::{ExportError, Exporter};
pub use format::{EncodeError, Encoder, Format, FormatError};
pub use once::{OnceError, OnceFilter, write_once};
pub use settings::{
    Destination, FileSettings, HttpSettings, SettingsError, SinkSettings, StartAt, SyslogAddress,
    host_name,
};
pub use stats::SinkStats;
