//! Rule files: any text is read or refused, and what is read can be scanned with.

#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt::security::Redact as _;
use systemprompt::security::scan::Scanner;

fuzz_target!(|text: &str| {
    let built = Scanner::builder().fingerprint_key(&[7; 32]).rules("fuzzed.toml", text).build();
    if let Ok(scanner) = built {
        let clean = scanner.redact(text);
        assert_eq!(scanner.find_in_text(text).is_empty(), clean == text);
    }
});
