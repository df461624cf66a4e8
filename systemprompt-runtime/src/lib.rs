//! Composition of a systemprompt process: bootstrap, the merged router, graceful shutdown.

pub mod server;
