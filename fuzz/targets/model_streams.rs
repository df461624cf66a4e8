//! Streams of providers: their events keep their order, and so does what is written of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt_fuzz::streams;

fuzz_target!(|input: &[u8]| streams::check(input));
