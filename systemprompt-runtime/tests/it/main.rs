//! The runtime over real sockets.

mod server;
mod wire;
