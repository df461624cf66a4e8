//! A profile is read or refused; it never panics, loops or eats memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt::config::{Environment, parse};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let environment = Environment::empty().with("NAME", "value");
    if let Err(error) = parse(text, "profile.yaml", &environment) {
        assert!(!error.diagnostics().is_empty());
    }
});
