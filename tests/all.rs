//! The tests that see the whole house: its structure, and the product over its real doors.

mod dependencies;
mod examples;
mod gateway;
mod harness;
mod layering;
mod linking;
