//! The audit log against a real database.

mod fixture;
mod smoke;
