//! The text of API keys: `sp_live_<id>_<secret>`.

mod mint;
mod presented;

pub(crate) use mint::mint;
pub(crate) use presented::PresentedKey;

/// What every key starts with.
pub const KEY_PREFIX: &str = "sp_live_";
/// Characters of a key id: 80 bits in lower-case base32, never a `_`.
pub(crate) const ID_CHARS: usize = 16;
/// Characters of a secret: 256 bits in lower-case hex.
pub(crate) const SECRET_CHARS: usize = 64;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
