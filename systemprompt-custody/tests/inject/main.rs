//! Injection, from outside.
fn main_is_absent() {}
