//! The HTTP server: hyper's HTTP/1.1 with the limits an exposed door needs.
//!
//! - heads up to a limit (431), received in time; bodies up to a limit (413), received in time (408);
//!   clients that do not read their answer are cut off; so is the oldest idle one when all slots are
//!   taken;
//! - `Host` and `Origin` must be names of ours (403), unambiguous ones (400);
//! - a panicking handler costs its own request;
//! - at shutdown running requests finish, up to a deadline.
//!
//! On its way to the router a request passes one service and starts no timer: connections tell a
//! roster what they do, and the roster looks at all of them once in a while.

mod answer;
mod entry;
mod leftover;
mod lifeline;
mod linger;
mod names;
mod request_body;
mod roster;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod server;
mod traffic;
mod watched;

pub(crate) use server::Meter;
pub use server::Server;
