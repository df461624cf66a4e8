//! The scanner never panics, and what it has redacted it does not find again.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use systemprompt::models::Arguments;
use systemprompt::security::scan::Scanner;
use systemprompt::security::Redact as _;

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    Scanner::builder().fingerprint_key(b"a key for fuzzing only").build().expect("scanner")
});

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let redacted = SCANNER.redact(text);
        if SCANNER.scan_text(text).is_none() {
            assert_eq!(redacted, text);
        }
    }
    if let Ok(arguments) = Arguments::parse(data.to_vec()) {
        let _ = SCANNER.scan_arguments(&arguments);
    }
});
