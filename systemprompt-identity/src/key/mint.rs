use sha2::{Digest as _, Sha256};
use systemprompt_core::id::TokenId;
use systemprompt_core::secret::Secret;

use super::{ALPHABET, ID_CHARS, KEY_PREFIX};
use crate::error::IdentityError;

/// A key that was just made; its text exists nowhere else.
pub(crate) struct Minted {
    pub(crate) id: TokenId,
    pub(crate) token: Secret<String>,
    pub(crate) secret_sha256: [u8; 32],
}

/// Makes a key from the system's random numbers.
pub(crate) fn mint() -> Result<Minted, IdentityError> {
    let mut id_bytes = [0_u8; ID_CHARS];
    let mut secret_bytes = [0_u8; 32];
    getrandom::fill(&mut id_bytes).map_err(|_| IdentityError::Random)?;
    getrandom::fill(&mut secret_bytes).map_err(|_| IdentityError::Random)?;
    let id: String = id_bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)).copied().map(char::from))
        .collect();
    let secret = Secret::new(hex::encode(secret_bytes));
    Ok(Minted {
        token: Secret::new(format!("{KEY_PREFIX}{id}_{}", secret.expose())),
        secret_sha256: Sha256::digest(secret.expose().as_bytes()).into(),
        id: TokenId::parse(&id).map_err(|_| IdentityError::Random)?,
    })
}
