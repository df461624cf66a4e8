//! Budgets.
fn _placeholder() {}
