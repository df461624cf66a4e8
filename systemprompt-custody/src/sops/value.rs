use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use systemprompt_core::encryption::KEY_BYTES;
use zeroize::Zeroizing;

const START: &str = "ENC[AES256_GCM,";

/// A value that was decrypted, as the MAC is over it.
pub(super) struct Plain {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whether it is `True` or `False`.
    pub(super) is_truth: bool,
}

/// Decrypts a value such as `ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]`, which is bound to `place`. `None`
/// when it is none; `Some(None)` when it was changed, or belongs elsewhere.
///
/// Nonces have 256 bits, which is why this is not done with the library that does everything else.
pub(super) fn decrypt(text: &str, key: &[u8; KEY_BYTES], place: &str) -> Option<Option<Plain>> {
    let parts = text.strip_prefix(START)?;
    Some(opened(parts, key, place))
}

fn opened(parts: &str, key: &[u8; KEY_BYTES], place: &str) -> Option<Plain> {
    let mut parts = parts.strip_suffix(']')?.split(',');
    let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix(':');
    let data = STANDARD.decode(part("data")?).ok()?;
    let nonce: [u8; 32] = STANDARD.decode(part("iv")?).ok()?.try_into().ok()?;
    let tag: [u8; 16] = STANDARD.decode(part("tag")?).ok()?.try_into().ok()?;
    // A comment where a value is would be left out of the MAC.
    let kind = part("type")?;
    let is_value = matches!(kind, "str" | "int" | "int64" | "float" | "bool" | "bytes");
    if !is_value || parts.next().is_some() {
        return None;
    }
    let mut plain = Zeroizing::new(data);
    let cipher = AesGcm::<Aes256, U32>::new(key.into());
    let (nonce, tag): (Nonce<U32>, Tag) = (nonce.into(), tag.into());
    let bound = place.as_bytes();
    cipher.decrypt_inout_detached(&nonce, bound, plain.as_mut_slice().into(), &tag).ok()?;
    Some(Plain { bytes: plain, is_truth: kind == "bool" })
}
