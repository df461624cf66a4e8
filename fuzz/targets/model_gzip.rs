//! Compressed answers, of any bytes and of good ones that were spoiled: they are unpacked or refused, wherever
//! they were cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt_fuzz::cut::Choices;
use systemprompt_providers::upstream::fuzzed;

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices(input);
    let (kind, parts, spoil) = (choices.byte(), choices.byte(), choices.byte());
    let mut seed = Choices(&input[..input.len().min(24)]);
    let mut packed = match kind % 4 {
        0 => choices.0.to_vec(),
        _ => fuzzed::packed(choices.0, parts),
    };
    if kind % 4 == 2 && !packed.is_empty() {
        let at = choices.below(packed.len());
        packed[at] ^= spoil;
    }
    if kind % 4 == 3 {
        packed.extend(fuzzed::packed(&[spoil; 3], parts >> 4));
    }
    let cuts = seed.cuts(packed.len());
    if let Err(fault) = fuzzed::gzip(&packed, &cuts) {
        panic!("{fault}: {packed:x?}");
    }
});
