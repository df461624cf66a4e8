use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::IdError;

/// A W3C trace id: 16 bytes, not all zero, written as 32 lower-case hex digits.
///
/// Source: W3C Trace Context, section 3.2.2.3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    const FORM: IdError =
        IdError::Form { kind: "trace id", expected: "32 lower-case hex digits, not all zero" };

    /// Mints a trace id: 48 bits of time in milliseconds, then 80 random bits.
    ///
    /// The order in time keeps the index over traces cheap; the lower 56 bits are random, as W3C Trace
    /// Context Level 2 (section 3.2.2.5) wants for the random flag.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes: [u8; 16] = rand::random();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or_default() << 16;
        for (byte, time) in bytes.iter_mut().zip(millis.to_be_bytes().into_iter().take(6)) {
            *byte = time;
        }
        bytes[15] |= 1;
        Self(bytes)
    }

    /// Reads the trace id of a `traceparent` value (`00-<trace id>-<parent id>-<flags>`).
    ///
    /// # Errors
    /// [`IdError`] when the value is not a valid `traceparent`.
    pub fn from_traceparent(value: &str) -> Result<Self, IdError> {
        const FORM: IdError = IdError::Form {
            kind: "traceparent",
            expected: "of the form `00-<32 hex>-<16 hex>-<2 hex>`",
        };
        let mut parts = value.split('-');
        let (Some(version), Some(trace), Some(parent), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(FORM);
        };
        let lower_hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let future = version != "00";
        let well_formed = lower_hex(version, 2)
            && version != "ff"
            && lower_hex(parent, 16)
            && parent.bytes().any(|b| b != b'0')
            && lower_hex(flags, 2)
            && (future || parts.next().is_none());
        if well_formed { trace.parse() } else { Err(FORM) }
    }

    /// The trace id of 16 bytes.
    ///
    /// # Errors
    /// [`IdError`] when all of them are zero.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, IdError> {
        if bytes == [0; 16] { Err(Self::FORM) } else { Ok(Self(bytes)) }
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for TraceId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0_u8; 16];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if !lower || hex::decode_to_slice(text, &mut bytes).is_err() || bytes == [0; 16] {
            return Err(Self::FORM);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; 32];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
