//! Server-sent events: frames are the same wherever their bytes were cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt_fuzz::sse;

fuzz_target!(|input: &[u8]| sse::check(input));
