//! Requests of callers and answers of providers: they are read or refused, and then can be written.
#![no_main]

#[path = "../laws/cut.rs"]
mod cut;
#[path = "../laws/messages.rs"]
mod messages;
#[path = "../laws/odd.rs"]
mod odd;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| messages::check(input));
