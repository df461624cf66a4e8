//! Integration tests: real SQLite files, real signatures, a real HTTP server for keys.

mod cache;
mod gate;
mod jwks;
mod keys;
mod mutation;
mod revocation;
mod store;
mod support;
mod tokens;
