use std::sync::LazyLock;

use proptest::prelude::*;
use systemprompt_core::encryption::LocalKey;
use tokio::runtime::Runtime;

use super::*;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().unwrap());

fn local(byte: u8) -> LocalKey {
    LocalKey::parse(&Secret::new(format!("{byte:02x}").repeat(32))).unwrap()
}

fn sealed(of: Of<'_>, value: &str) -> Sealed {
    let key = RUNTIME.block_on(FreshKey::generate(&local(1))).unwrap();
    key.seal(of, &Secret::new(value.to_owned())).unwrap().0
}

fn opened(of: Of<'_>, sealed: &Sealed) -> Result<String, Unopened> {
    let key = RUNTIME.block_on(VersionKey::unwrap(&local(1), &sealed.wrapped_dek))?;
    Ok(key.open(of, sealed.clone())?.expose().clone())
}

fn names() -> impl Strategy<Value = (String, String, u32)> {
    ("[!-~]{1,20}", "[A-Za-z0-9_.-]{1,20}", 1..=u32::MAX)
}

proptest! {
    #[test]
    fn a_value_opens_as_what_it_was_sealed_for_alone(
        (tenant, name, version) in names(),
        (other_tenant, other_name, other_version) in names(),
        value in "\\PC{1,200}",
    ) {
        let of = Of { tenant: &tenant, name: &name, version };
        let sealed = sealed(of, &value);
        prop_assert_eq!(opened(of, &sealed).unwrap(), value);
        let moved = [
            Of { tenant: &other_tenant, ..of },
            Of { name: &other_name, ..of },
            Of { version: other_version, ..of },
        ];
        for to in moved {
            let same = (to.tenant, to.name, to.version) == (of.tenant, of.name, of.version);
            prop_assert!(same || opened(to, &sealed) == Err(Unopened::Damaged));
        }
    }

    #[test]
    fn no_change_of_a_stored_value_goes_unseen(
        value in "\\PC{1,50}",
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let of = Of { tenant: "acme", name: "token", version: 1 };
        let sealed = sealed(of, &value);
        let mut changed = sealed.clone();
        changed.nonce[at.index(12)] ^= 1 << bit;
        prop_assert_eq!(opened(of, &changed), Err(Unopened::Damaged));
        let mut changed = sealed.clone();
        let place = at.index(changed.ciphertext.len());
        changed.ciphertext[place] ^= 1 << bit;
        prop_assert_eq!(opened(of, &changed), Err(Unopened::Damaged));
        let mut changed = sealed.clone();
        changed.ciphertext.truncate(place);
        prop_assert_eq!(opened(of, &changed), Err(Unopened::Damaged));
        let other = self::sealed(of, &value);
        prop_assert_ne!(&other.ciphertext, &sealed.ciphertext);
        let swapped = Sealed { wrapped_dek: other.wrapped_dek, ..sealed };
        prop_assert_eq!(opened(of, &swapped), Err(Unopened::Damaged));
    }
}

#[test]
fn names_that_run_together_are_not_the_same() {
    let sealed = sealed(Of { tenant: "a", name: "bc", version: 1 }, "value");
    for (tenant, name) in [("ab", "c"), ("a", "b"), ("b", "ac")] {
        let of = Of { tenant, name, version: 1 };
        assert_eq!(opened(of, &sealed), Err(Unopened::Damaged));
    }
}

#[test]
fn another_key_encryption_key_opens_nothing() {
    let of = Of { tenant: "acme", name: "token", version: 1 };
    let sealed = sealed(of, "value");
    let other = local(2);
    let key = VersionKey::unwrap(&other, &sealed.wrapped_dek);
    let refused = RUNTIME.block_on(key).map(|_| ());
    assert_eq!(refused, Err(Unopened::Key(KeyEncryptionError::Foreign)));
}
