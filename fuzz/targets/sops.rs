//! Files of sops: any bytes are read or refused, and a file that was changed gives what was encrypted in
//! it, all of it and in its order, or nothing.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use systemprompt::security::Secret;
use systemprompt::security::custody::sops::{SopsFormat, decrypt};

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../systemprompt-custody/tests/it/sops/golden/", $name))
    };
}

const FILES: [(SopsFormat, &str); 5] = [
    (SopsFormat::Yaml, golden!("all.yaml")),
    (SopsFormat::Json, golden!("all.json")),
    (SopsFormat::Dotenv, golden!("all.env")),
    (SopsFormat::Yaml, golden!("mac_only.yaml")),
    (SopsFormat::Yaml, golden!("regex.yaml")),
];

/// What is encrypted in each of them.
static VALUES: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let read = |(format, text): &(SopsFormat, &str)| values(text.as_bytes(), *format);
    FILES.iter().map(|file| read(file).expect("a file as sops made it")).collect()
});

fn values(file: &[u8], format: SopsFormat) -> Option<Vec<String>> {
    let identity = Secret::new(golden!("identity.txt").to_owned());
    let found = decrypt(file, format, &identity).ok()?;
    Some(found.into_iter().map(|it| it.value.expose().clone()).collect())
}

fuzz_target!(|input: (u8, Option<(u16, u8)>, Vec<u8>)| {
    let (which, edit, bytes) = input;
    let which = usize::from(which) % FILES.len();
    let ((format, golden), expected) = (FILES[which], &VALUES[which]);
    match edit {
        // Any bytes.
        None => drop(values(&bytes, format)),
        // A file of which a piece was replaced.
        Some((at, length)) => {
            let start = usize::from(at) % golden.len();
            let end = (start + usize::from(length)).min(golden.len());
            let mut file = golden.as_bytes().to_vec();
            file.splice(start..end, bytes);
            if let Some(found) = values(&file, format) {
                assert_eq!(&found, expected);
            }
        }
    }
});
