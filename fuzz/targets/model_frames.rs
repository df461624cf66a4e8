//! Server-sent events: frames are the same wherever their bytes were cut.
#![no_main]

#[path = "../laws/cut.rs"]
mod cut;
#[path = "../laws/sse.rs"]
mod sse;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| sse::check(input));
