use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{ALPHABET, ID_CHARS, KEY_PREFIX, SECRET_CHARS};

/// A text of the form of a key, taken apart. Holds no more than borrowed text and is never printed.
pub(crate) struct PresentedKey<'t> {
    pub(crate) id: &'t str,
    secret: &'t str,
}

impl<'t> PresentedKey<'t> {
    /// Takes `token` apart; `None` when it does not have the exact form.
    pub(crate) fn parse(token: &'t str) -> Option<Self> {
        let (id, secret) = token.strip_prefix(KEY_PREFIX)?.split_once('_')?;
        let id_ok = id.len() == ID_CHARS && id.bytes().all(|byte| ALPHABET.contains(&byte));
        let secret_ok = secret.len() == SECRET_CHARS
            && secret.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (id_ok && secret_ok).then_some(Self { id, secret })
    }

    /// Whether the secret has this SHA-256; takes the same time wherever they differ.
    pub(crate) fn matches(&self, sha256: &[u8; 32]) -> bool {
        let own: [u8; 32] = Sha256::digest(self.secret.as_bytes()).into();
        own.ct_eq(sha256).into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::mint;
    use super::*;

    #[test]
    fn a_minted_key_is_read_back() {
        let minted = mint().unwrap();
        let key = PresentedKey::parse(minted.token.expose()).unwrap();
        assert_eq!(key.id, minted.id.as_str());
        assert!(key.matches(&minted.secret_sha256));
        assert!(!key.matches(&[0; 32]));
        assert_eq!(minted.token.expose().matches('_').count(), 3);
    }

    #[test]
    fn what_has_another_form_is_no_key() {
        let minted = mint().unwrap();
        let token = minted.token.expose();
        for wrong in [
            "",
            "sp_live_",
            "sp_live__",
            &token[1..],
            &token[..token.len() - 1],
            &format!("{token}0"),
            &token.to_uppercase(),
            &token.replace("sp_live", "sp_test"),
        ] {
            assert!(PresentedKey::parse(wrong).is_none());
        }
    }
}
