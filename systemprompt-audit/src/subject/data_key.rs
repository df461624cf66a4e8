use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use systemprompt_core::encryption::{Cipher, KEY_BYTES, data_key};
use zeroize::Zeroizing;

use super::{PREFIX, Person};

/// The key of a subject, ready to be used.
pub(crate) struct DataKey {
    pub(crate) pseudonym: Arc<str>,
    pub(crate) person: Person,
    pub(super) cipher: Cipher,
}

impl DataKey {
    /// A new key under a new pseudonym, and what is to be encrypted of it.
    pub(super) fn generate(person: Person) -> Option<(Self, Zeroizing<Vec<u8>>)> {
        let name: [u8; 16] = rand::random();
        let pseudonym: Arc<str> = format!("{PREFIX}{}", hex::encode(name)).into();
        let key = data_key();
        let bound = binding(&person, &pseudonym);
        let whole = Zeroizing::new([key.as_slice(), &bound].concat());
        let cipher = Cipher::new(&key)?;
        Some((Self { pseudonym, person, cipher }, whole))
    }

    /// A key as it was decrypted; `None` when it is not that of the person under this pseudonym, because
    /// rows were changed.
    pub(super) fn restore(person: Person, pseudonym: &str, whole: &[u8]) -> Option<Self> {
        let (key, bound) = whole.split_at_checked(KEY_BYTES)?;
        if bound != binding(&person, pseudonym) {
            return None;
        }
        let cipher = Cipher::new(key.try_into().ok()?)?;
        Some(Self { pseudonym: pseudonym.into(), person, cipher })
    }
}

/// What ties a key to the row it stands in.
fn binding(person: &Person, pseudonym: &str) -> [u8; 32] {
    let mut hash = Sha256::new().chain_update(b"systemprompt-audit-subject-1");
    for part in [&*person.tenant, &*person.user, &*person.department, pseudonym] {
        hash.update([0]);
        hash.update(part);
    }
    hash.finalize().into()
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("pseudonym", &self.pseudonym).finish_non_exhaustive()
    }
}
