//! The macro behind the textual identifiers, and the character rules they share.

use super::IdError;

/// Most bytes an identifier may hold.
pub(crate) const MAX_BYTES: usize = 255;

/// Visible ASCII without the characters that break paths, quotes and markup.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\' | b'"' | b'\'' | b'<' | b'>')
}

/// Visible ASCII.
pub(crate) fn is_any_visible(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

/// Checks length and characters of `text`.
pub(crate) fn check(
    kind: &'static str,
    text: &str,
    allowed: fn(u8) -> bool,
) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind });
    }
    if text.len() > MAX_BYTES {
        return Err(IdError::TooLong { kind, length: text.len(), limit: MAX_BYTES });
    }
    match text.bytes().position(|byte| !allowed(byte)) {
        Some(at) => Err(IdError::Character { kind, at }),
        None => Ok(()),
    }
}

/// The parts every textual identifier has, given a `parse` of its own.
macro_rules! text_id_traits {
    ($name:ident) => {
        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::id::IdError;
            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::id::IdError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for ::std::sync::Arc<str> {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(
                    deserializer,
                )?;
                Self::parse(&text).map_err(::serde::de::Error::custom)
            }
        }

        #[cfg(feature = "config")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": 255 })
            }
        }
    };
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident $(: $rule:ident)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(::std::sync::Arc<str>);

            impl $name {
                /// Parses the identifier.
                ///
                /// # Errors
                /// [`IdError`] when the text is empty, longer than 255 bytes or holds a character
                /// that is not allowed.
                pub fn parse(text: &str) -> Result<Self, $crate::id::IdError> {
                    $crate::id::text::check(stringify!($name), text, text_ids!(@rule $($rule)?))?;
                    Ok(Self(text.into()))
                }

                text_ids!(@generate $($rule)?);
            }

            text_id_traits!($name);
        )*
    };
    (@rule any_visible) => { $crate::id::text::is_any_visible };
    (@rule $($other:ident)?) => { $crate::id::text::is_plain };
    (@generate generated) => {
        /// Makes a new time-ordered identifier (UUIDv7, RFC 9562).
        #[must_use]
        pub fn generate() -> Self {
            let mut buffer = ::uuid::Uuid::encode_buffer();
            let text: &str = ::uuid::Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
            Self(text.into())
        }
    };
    (@generate $($other:ident)?) => {};
}
