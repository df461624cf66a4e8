//! Edits in bodies of requests: every other byte stays, and what comes out is JSON again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt_providers::gateway::fuzzed;

fuzz_target!(|input: &[u8]| {
    if let Err(fault) = fuzzed::body(input) {
        panic!("{fault}");
    }
});
