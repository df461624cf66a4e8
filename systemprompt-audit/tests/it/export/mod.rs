//! What leaves the log, and that it arrives.

mod delivery;
mod formats;
mod killed;
mod ocsf;
mod once;
mod receiver;
mod refusals;
mod samples;
mod splunk;
mod spool;
mod syslog;
