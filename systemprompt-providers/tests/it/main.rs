//! The integration tests of the model gateway.

mod upstream;
