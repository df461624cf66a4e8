use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::IdError;

macro_rules! unique_ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new time-ordered id (UUIDv7, RFC 9562).
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with these 16 bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                const FORM: IdError = IdError::Form { kind: $kind, expected: "a hyphenated UUID" };
                if text.len() != 36 {
                    return Err(FORM);
                }
                Uuid::parse_str(text).map(Self).map_err(|_| FORM)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}

unique_ids! {
    /// One row of the audit log.
    EventId, "event id";
    /// One permit. Its value is the [`EventId`] of the decision row that granted it.
    PermitId, "permit id";
    /// What one model request holds of its budgets.
    ReservationId, "reservation id";
}

impl From<PermitId> for EventId {
    fn from(permit: PermitId) -> Self {
        Self(permit.0)
    }
}

impl From<EventId> for PermitId {
    fn from(event: EventId) -> Self {
        Self(event.0)
    }
}
