//! The decoders of the secret scanner, chosen by the first byte: what they derive comes from stretches of
//! the text between its characters, one behind the other, and is no more than the budget allows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt_governance::secret::fuzzed;

fuzz_target!(|input: &[u8]| {
    let Some((which, input)) = input.split_first() else { return };
    if let Err(fault) = fuzzed::decoder(*which, input) {
        panic!("decoder {}: {fault}", which % fuzzed::DECODERS);
    }
});
