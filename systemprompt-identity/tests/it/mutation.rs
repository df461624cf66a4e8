//! No change of a byte of a good credential gives a good credential.

use proptest::prelude::*;
use systemprompt_identity::CredentialVerifier;
use tokio::runtime::Runtime;

use crate::support::{Home, Signer, claims, issuer, verify};

struct Fixture {
    runtime: Runtime,
    _home: Home,
    verifier: CredentialVerifier,
    tokens: Vec<String>,
}

fn fixture() -> Fixture {
    let runtime = Runtime::new().unwrap();
    let signers = [Signer::rsa(), Signer::ec(), Signer::ed()];
    let (home, verifier) = runtime.block_on(async {
        let home = Home::new().await;
        let keys: Vec<_> = signers.iter().map(Signer::jwk).collect();
        let verifier = home.verifier_for(issuer(home.jwks_file(&keys))).await;
        (home, verifier)
    });
    let mut tokens: Vec<_> = signers.iter().map(|signer| signer.sign(&claims())).collect();
    tokens.push(home.user_key().to_owned());
    Fixture { runtime, _home: home, verifier, tokens }
}

#[test]
fn no_changed_byte_verifies() {
    let fixture = fixture();
    for token in &fixture.tokens {
        fixture.runtime.block_on(verify(&fixture.verifier, token)).unwrap();
    }
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() };
    proptest!(config, |(which in 0..4_usize, at in any::<prop::sample::Index>(), byte in 0x21..0x7f_u8)| {
        let token = &fixture.tokens[which];
        let mut changed = token.clone().into_bytes();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != byte);
        changed[at] = byte;
        let changed = String::from_utf8(changed).unwrap();
        let result = fixture.runtime.block_on(verify(&fixture.verifier, &changed));
        prop_assert!(result.is_err(), "byte {} of token {}", at, which);
    });
}

#[test]
fn no_change_of_the_last_characters_verifies() {
    // The last character of a base64 text has bits to spare; all spellings but one must be refused.
    let fixture = fixture();
    for token in &fixture.tokens {
        let (start, last) = token.split_at(token.len() - 1);
        for byte in (0x21..0x7f_u8).map(char::from).filter(|byte| !last.starts_with(*byte)) {
            let result =
                fixture.runtime.block_on(verify(&fixture.verifier, &format!("{start}{byte}")));
            assert!(result.is_err());
        }
        for end in 0..token.len() {
            let result = fixture.runtime.block_on(verify(&fixture.verifier, &token[..end]));
            assert!(result.is_err());
        }
    }
}
