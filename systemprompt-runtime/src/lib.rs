//! Composition of a systemprompt process: [`App`], bootstrap, the merged router, graceful shutdown.

pub mod server;
