use super::Confidence;

/// One credential format, written from its vendor's documentation.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) vendor: &'static str,
    pub(super) trigger: Trigger,
    /// What must match from the start of the secret on; ASCII, linear, at most 4 KiB long.
    pub(super) pattern: &'static str,
    pub(super) lead: Lead,
    /// No letter or digit may stand before the secret.
    pub(super) word: bool,
    /// No letter or digit may stand after it: the format has a fixed length.
    pub(super) closed: bool,
    /// Fewest different bytes of the variable part.
    pub(super) distinct: usize,
    /// The variable part must hold a digit.
    pub(super) digit: bool,
    pub(super) checksum: Checksum,
}

/// What makes a rule run.
#[derive(Clone, Copy)]
pub(super) enum Trigger {
    /// One of these literals, at the start of the secret or after its [`Lead`].
    Literals(&'static [&'static str]),
    /// A secret-bearing name with one of these in it, lower case and words joined by `_`; the pattern
    /// must match the whole value.
    Names(&'static [&'static str]),
    /// Code of its own.
    Structure,
}

/// What may stand between the start of the secret and the literal.
#[derive(Clone, Copy)]
pub(super) enum Lead {
    /// So many bytes.
    Bytes(usize),
    /// Digits.
    Digits,
}

/// A check the secret carries in itself. It raises the confidence and never hides a finding.
#[derive(Clone, Copy)]
pub(super) enum Checksum {
    /// None.
    None,
    /// Last six characters: base 62 of the CRC-32 of what stands between prefix and them.
    Crc32Base62,
}

impl Rule {
    /// A format that starts with one of `literals`.
    pub(super) const fn new(
        id: &'static str,
        vendor: &'static str,
        literals: &'static [&'static str],
        pattern: &'static str,
    ) -> Self {
        Self {
            id,
            vendor,
            trigger: Trigger::Literals(literals),
            pattern,
            lead: Lead::Bytes(0),
            word: false,
            closed: false,
            distinct: 1,
            digit: false,
            checksum: Checksum::None,
        }
    }

    /// A value whose form says little, behind a name with one of `names` in it.
    pub(super) const fn named(
        id: &'static str,
        vendor: &'static str,
        names: &'static [&'static str],
        pattern: &'static str,
    ) -> Self {
        Self { trigger: Trigger::Names(names), distinct: 6, ..Self::new(id, vendor, &[], pattern) }
    }

    /// A rule with code of its own.
    pub(super) const fn structure(id: &'static str, vendor: &'static str) -> Self {
        Self { trigger: Trigger::Structure, ..Self::new(id, vendor, &[], "") }
    }

    pub(super) const fn lead(self, lead: Lead) -> Self {
        Self { lead, ..self }
    }

    pub(super) const fn word(self) -> Self {
        Self { word: true, distinct: 6, ..self }
    }

    pub(super) const fn closed(self) -> Self {
        Self { closed: true, ..self }
    }

    /// Any run of the right form will do, however dull.
    pub(super) const fn dull(self) -> Self {
        Self { distinct: 1, ..self }
    }

    pub(super) const fn digit(self) -> Self {
        Self { digit: true, ..self }
    }

    pub(super) const fn checksum(self, checksum: Checksum) -> Self {
        Self { checksum, ..self }
    }
}

impl Checksum {
    /// The confidence of a secret that matched; `start` is where its variable part begins.
    pub(super) fn confidence(self, secret: &[u8]) -> Confidence {
        match self {
            Self::Crc32Base62 if crc32_base62_holds(secret) => Confidence::Certain,
            Self::Crc32Base62 | Self::None => Confidence::High,
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

    #[test]
    fn a_checksum_raises_the_confidence_only_when_it_holds() {
        let random = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";
        let good = format!("ghp_{random}0mLq17");
        assert_eq!(Checksum::Crc32Base62.confidence(good.as_bytes()), Confidence::Certain);
        let bad = format!("ghp_{random}0mLq18");
        assert_eq!(Checksum::Crc32Base62.confidence(bad.as_bytes()), Confidence::High);
    }
}
