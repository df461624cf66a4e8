//! Reads files that age has encrypted to an X25519 recipient (C2SP `age`, version 1).
//!
//! Only what a key encryption key needs: one small file, and an identity as `age-keygen` writes it. There are
//! libraries for the whole format; they bring some sixty crates.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::KeyEncryptionError;
use crate::secret::Secret;

const VERSION: &str = "age-encryption.org/v1";
const IDENTITY: &str = "age-secret-key-";
const ARMOR: [&str; 2] = ["-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----"];

/// A payload is cut into chunks of so many bytes; a key fits into the first one.
const CHUNK: usize = 64 * 1024;

type Key = Zeroizing<[u8; 32]>;

/// Decrypts `file`, which age has encrypted to an X25519 recipient, also in its armour (C2SP `age`). Only
/// files of one chunk, 64 KiB, are read.
///
/// `identities` are lines as `age-keygen` writes them; the first that the file was encrypted to is taken.
///
/// # Errors
/// [`KeyEncryptionError::Malformed`] when the file is for somebody else, was changed, or is too long.
pub fn decrypt_age(
    file: &[u8],
    identities: &Secret<String>,
) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
    let file = dearmored(file)?;
    let header = Header::read(&file)?;
    let mut keys = Vec::new();
    for line in identities.expose().lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with('#') {
            keys.push(identity(line)?);
        }
    }
    let found = keys.iter().find_map(|key| header.stanzas.iter().find_map(|to| to.open(key)));
    let file_key = found.ok_or_else(|| malformed("the age file is not for this identity"))?;
    header.check(&file_key)?;
    payload(header.payload, &file_key).ok_or_else(|| malformed("the age file is damaged"))
}

fn malformed(why: &str) -> KeyEncryptionError {
    KeyEncryptionError::Malformed(why.to_owned())
}

/// The file without the armour of `age -a`.
fn dearmored(file: &[u8]) -> Result<Vec<u8>, KeyEncryptionError> {
    let Ok(text) = std::str::from_utf8(file) else { return Ok(file.to_vec()) };
    let Some(rest) = text.trim().strip_prefix(ARMOR[0]) else { return Ok(file.to_vec()) };
    let damaged = || malformed("the armour of the age file is damaged");
    let lines = rest.strip_suffix(ARMOR[1]).ok_or_else(damaged)?;
    let body: String = lines.split_ascii_whitespace().collect();
    STANDARD.decode(body).map_err(|_| damaged())
}

/// The private key in a line such as `AGE-SECRET-KEY-1...`.
fn identity(line: &str) -> Result<Key, KeyEncryptionError> {
    let wrong = || malformed("a line of the identity is not an `AGE-SECRET-KEY-1...`");
    let (name, bytes) = bech32::decode(line).map_err(|_| wrong())?;
    let bytes = Zeroizing::new(bytes);
    if !name.as_str().eq_ignore_ascii_case(IDENTITY) {
        return Err(wrong());
    }
    Ok(Zeroizing::new(bytes.as_slice().try_into().map_err(|_| wrong())?))
}

struct Header<'f> {
    /// Those for X25519 recipients.
    stanzas: Vec<Stanza>,
    /// What the code below is over.
    covered: &'f [u8],
    mac: Vec<u8>,
    payload: &'f [u8],
}

impl<'f> Header<'f> {
    fn read(file: &'f [u8]) -> Result<Self, KeyEncryptionError> {
        let wrong = || malformed("not a file that age has encrypted");
        let mut at = 0;
        let mut line = || {
            let rest = file.get(at..)?;
            let length = rest.iter().position(|byte| *byte == b'\n')?;
            at += length + 1;
            Some((std::str::from_utf8(rest.get(..length)?).ok()?, at))
        };
        if line().ok_or_else(wrong)?.0 != VERSION {
            return Err(wrong());
        }
        let mut stanzas = Vec::new();
        loop {
            let (text, end) = line().ok_or_else(wrong)?;
            if let Some(mac) = text.strip_prefix("--- ") {
                let covered = end - 1 - mac.len() - 1;
                return Ok(Self {
                    stanzas,
                    covered: file.get(..covered).ok_or_else(wrong)?,
                    mac: STANDARD_NO_PAD.decode(mac).map_err(|_| wrong())?,
                    payload: file.get(end..).ok_or_else(wrong)?,
                });
            }
            // The body of one for somebody else is passed over line by line.
            if let Some(share) = text.strip_prefix("-> X25519 ") {
                let (body, _) = line().ok_or_else(wrong)?;
                stanzas.push(Stanza::read(share, body).ok_or_else(wrong)?);
            }
        }
    }

    fn check(&self, file_key: &[u8]) -> Result<(), KeyEncryptionError> {
        let damaged = || malformed("the header of the age file was changed");
        let key = derived(&[], file_key, b"header").ok_or_else(damaged)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
        hmac::verify(&key, self.covered, &self.mac).map_err(|_| damaged())
    }
}

/// The key of a file, encrypted to one recipient.
struct Stanza {
    share: [u8; 32],
    body: Vec<u8>,
}

impl Stanza {
    fn read(share: &str, body: &str) -> Option<Self> {
        let share = STANDARD_NO_PAD.decode(share).ok()?.try_into().ok()?;
        Some(Self { share, body: STANDARD_NO_PAD.decode(body).ok()? })
    }

    /// The file's key, when it was encrypted to `key`.
    fn open(&self, key: &Key) -> Option<Zeroizing<Vec<u8>>> {
        let private = PrivateKey::from_private_key(&X25519, key.as_slice()).ok()?;
        let public = private.compute_public_key().ok()?;
        let salt = [self.share.as_slice(), public.as_ref()].concat();
        let wrapping = agree(&private, UnparsedPublicKey::new(&X25519, self.share), (), |shared| {
            derived(&salt, shared, b"age-encryption.org/v1/X25519").ok_or(())
        });
        opened(&wrapping.ok()?, [0; 12], &self.body)
    }
}

/// HKDF with SHA-256 (RFC 5869).
fn derived(salt: &[u8], secret: &[u8], info: &[u8]) -> Option<Key> {
    struct Bytes32;
    impl KeyType for Bytes32 {
        fn len(&self) -> usize {
            32
        }
    }
    let mut key = Zeroizing::new([0; 32]);
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    extracted.expand(&[info], Bytes32).and_then(|okm| okm.fill(key.as_mut_slice())).ok()?;
    Some(key)
}

fn opened(key: &Key, nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).ok()?);
    let mut plain = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher.open_in_place(nonce, Aad::empty(), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

/// What was encrypted: a nonce, then the first chunk, which is the last.
fn payload(payload: &[u8], file_key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, chunk) = payload.split_at_checked(16)?;
    if chunk.len() > CHUNK {
        return None;
    }
    // A counter of 11 bytes, and that it is the last.
    let mut first_and_last = [0; 12];
    first_and_last[11] = 1;
    opened(&derived(nonce, file_key, b"payload")?, first_and_last, chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by age and age-keygen 1.1.1.
    const KEY: &str = "# created by age-keygen\nAGE-SECRET-KEY-1S38YZ36WDQKL6D2FKAD4KGGMS3LSWU858QEGMEX52M64X3NWUCASA223ND\n";
    const FILE: &str = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA4bkhvRjVicmlWV0l5ME13VFJlNmZZWVBUdFMvUXdBdTNQMDBNSE55ekJZCk5OYUVDSEhnYUYyRlBOY0FxZ3Mzb2Q5ZkliMHZpc1QraXI2ZUNOY2M4ZnMKLS0tIHNib1JOSkFnandpOCt2aVpkSEx0d1hxSVM5WnQwYkVTNFlHZ2dQTG1mSWsKrSf6bPYpLStpumQsfaJ2Kwqjg5kHKZwoIeGoA5lRh+S7PD4DWFCGns399uyFu/PM/sasaYEXeSewOg43YNuZm6jmBQKLBYfcuJFNIn7FeEPDArSPv3tHaJY0pl5NjA0Xgg==";
    const ARMORED: &str = "-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBWN0FQaXJhMy92SlRGN2d2
QzVMZ1NRSWxSOCtKS3JFTm44d3lOdk5VK2pZCldJS2ttTFhkSTVVOGs0cmpUM2px
SW85SFNIYlFzNDVLcFdQc0xnbUxmWTAKLS0tIEJLWnlNSDNwM0FlNnNEZ0FDa1du
Y1pnRHIvcXVDWlhPbEZCVVltWEJ5aEkK4sG40lsSg8aMlRR7/wROsNmPQxfYKWBI
b7l03RA4m7V8027MX+Wwto+e1hPVuV8iMiAt5O6tlKE+IFjs4EvUH8datqP7REjF
IzBFJIZeepQ2BYruQ5BE+kE6fnyl3Aj9Hg==
-----END AGE ENCRYPTED FILE-----
";
    const OTHER: &str =
        "AGE-SECRET-KEY-176KZNC66HF25RUT2MDLEP2RHHHDW7EWK49X5U93EYXWX6W2G46JQGS8MP2";

    fn with(file: &[u8], key: &str) -> Result<String, KeyEncryptionError> {
        let plain = decrypt_age(file, &Secret::new(key.to_owned()))?;
        Ok(String::from_utf8(plain.to_vec()).unwrap())
    }

    #[test]
    fn what_age_has_encrypted_is_read() {
        let file = STANDARD.decode(FILE).unwrap();
        let expected = format!("{:0>64}\n", 7);
        assert_eq!(with(&file, KEY).unwrap(), expected);
        assert_eq!(with(ARMORED.as_bytes(), KEY).unwrap(), expected);
        let both = format!("{OTHER}\n{KEY}");
        assert_eq!(with(&file, &both).unwrap(), expected, "any identity will do");
    }

    #[test]
    fn any_change_and_any_other_identity_is_refused() {
        let file = STANDARD.decode(FILE).unwrap();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(with(&changed, KEY).is_err(), "byte {at}");
            assert!(with(&file[..at], KEY).is_err(), "{at} bytes");
        }
        let mut longer = file.clone();
        longer.push(0);
        assert!(with(&longer, KEY).is_err());
        for wrong in
            ["", "# nothing", OTHER, "AGE-SECRET-KEY-1QQQ", "secret", &KEY.replace("S38", "S39")]
        {
            let error = with(&file, wrong).unwrap_err().to_string();
            assert!(wrong.len() < 10 || !error.contains(wrong), "{error}");
        }
    }
}
