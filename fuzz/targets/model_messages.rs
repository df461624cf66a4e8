//! Requests of callers and answers of providers: they are read or refused, and then can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt_fuzz::messages;

fuzz_target!(|input: &[u8]| messages::check(input));
