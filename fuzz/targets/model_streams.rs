//! Streams of providers: their events keep their order, and so does what is written of them.
#![no_main]

#[path = "../laws/cut.rs"]
mod cut;
#[path = "../laws/odd.rs"]
mod odd;
#[path = "../laws/streams.rs"]
mod streams;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| streams::check(input));
