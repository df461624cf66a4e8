//! The runtime over real sockets and a real database.

mod app;
mod server;
mod wire;
