use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Confidence;

/// One credential format, compiled from its entry in a rule file.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: Arc<str>,
    pub(super) vendor: Arc<str>,
    pub(super) trigger: Trigger,
    /// What must match from the start of the secret on; ASCII, linear, at most 4 KiB long.
    pub(super) pattern: Box<str>,
    pub(super) lead: Lead,
    /// Whether a name shortly before the value is enough.
    pub(super) near: bool,
    /// No letter or digit may stand before the secret.
    pub(super) word: bool,
    /// No letter or digit may stand after it: the format has a fixed length.
    pub(super) closed: bool,
    /// Fewest different bytes of the variable part.
    pub(super) distinct: usize,
    /// Least Shannon entropy of the variable part, in bits per byte.
    pub(super) entropy: f64,
    /// The variable part must hold a digit.
    pub(super) digit: bool,
    pub(super) confidence: Confidence,
    pub(super) checksum: Option<Checksum>,
    /// The checksum must hold: without it the form says too little.
    pub(super) checked: bool,
}

/// What makes a rule run.
#[derive(Debug)]
pub(super) enum Trigger {
    /// One of these literals, at the start of the secret or after its [`Lead`].
    Literals(Box<[Box<str>]>),
    /// A name with one of these in it, lower case and words joined by `_`, in front of the value; the
    /// pattern must match the whole value.
    Names(Box<[Box<str>]>),
    /// Code of its own.
    Structure(Structure),
}

/// A form that takes code of its own to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Structure {
    /// An armoured or PuTTY private key.
    PrivateKey,
    /// A password in a URL.
    UrlCredentials,
    /// A bearer token.
    AuthorizationHeader,
    /// Basic authentication.
    BasicAuth,
    /// A Discord bot token, whose first part is a number in base64.
    DiscordBotToken,
    /// A value that looks random behind a name that says secret.
    GenericSecret,
    /// A value behind a name that says password.
    GenericPassword,
    /// A password on a command line.
    CommandPassword,
    /// A phrase of 12 to 24 words that a purse is restored from.
    MnemonicPhrase,
    /// A text that makes the scanner work too hard.
    ScanBudget,
}

/// What may stand between the start of the secret and the literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// So many bytes.
    Bytes(usize),
    /// Digits.
    Digits,
}

/// A check the secret carries in itself. It raises the confidence, and hides a finding only where a rule
/// demands that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Checksum {
    /// Last six characters: base 62 of the CRC-32 of what stands between prefix and them.
    Crc32Base62,
    /// Last four bytes of what the base 58 of Bitcoin encodes: SHA-256 of SHA-256 of the others.
    Base58Check,
}

impl Rule {
    /// The confidence of a text that matched, if it is a secret at all.
    pub(super) fn confidence(&self, secret: &[u8]) -> Option<Confidence> {
        match self.checksum {
            Some(checksum) if checksum.holds(secret) => Some(Confidence::Certain),
            Some(_) | None if self.checked => None,
            Some(_) | None => Some(self.confidence),
        }
    }
}

impl Checksum {
    fn holds(self, secret: &[u8]) -> bool {
        match self {
            Self::Crc32Base62 => crc32_base62_holds(secret),
            Self::Base58Check => base58_check_holds(secret),
        }
    }
}

fn crc32_base62_holds(secret: &[u8]) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some(prefix) = secret.iter().rposition(|byte| *byte == b'_') else { return false };
    let body = secret.get(prefix + 1..).unwrap_or_default();
    let Some((random, sum)) = body.split_last_chunk::<6>() else { return false };
    let claimed = sum.iter().try_fold(0_u64, |value, digit| {
        let digit = DIGITS.iter().position(|other| other == digit)?;
        Some(value * 62 + digit as u64)
    });
    claimed == Some(u64::from(crc32(random)))
}

fn base58_check_holds(secret: &[u8]) -> bool {
    let Ok(decoded) = bs58::decode(secret).into_vec() else { return false };
    decoded.split_last_chunk::<4>().is_some_and(|(body, sum)| {
        Sha256::digest(Sha256::digest(body)).get(..sum.len()) == Some(&sum[..])
    })
}

/// CRC-32 as in ISO 3309 and gzip.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_is_the_standard_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    /// The examples of BIP-32 and of the Bitcoin wiki, in two halves each.
    #[test]
    fn keys_of_purses_carry_a_checksum() {
        let key = ["5HueCGU8rMjxEXxiPuD5BDku4MkFqeZy", "d4dZ1jvhTVqvbTLvyTJ"].concat();
        assert!(Checksum::Base58Check.holds(key.as_bytes()));
        assert!(!Checksum::Base58Check.holds(key.to_lowercase().as_bytes()));
        assert!(!Checksum::Base58Check.holds(key.replace('T', "U").as_bytes()));
        assert!(!Checksum::Base58Check.holds(b""));
    }

    #[test]
    fn a_checksum_holds_for_one_ending_only() {
        let random = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";
        assert!(Checksum::Crc32Base62.holds(format!("ghp_{random}0mLq17").as_bytes()));
        assert!(!Checksum::Crc32Base62.holds(format!("ghp_{random}0mLq18").as_bytes()));
    }
}
