//! Values given away by their name.

use super::Confidence;
use super::engine::{Engine, Hit};
use super::name::{self, Named, Promise};
use super::value::{self, Value};

/// Fewest different bytes of a UUID that is a secret.
const MIN_UUID: usize = 8;

/// Fewest bytes of a key of which nothing is known but that it is one.
const MIN_SOME_KEY: usize = 20;

/// How a value stands beside its name.
struct Place {
    /// In a list.
    listed: bool,
    /// As `?key=` or `&key=` of a URL, which is how services are paid for.
    parameter: bool,
}

impl Engine {
    /// Judges a JSON string by the name the document gives it.
    pub(super) fn named(&self, name: &str, text: &str) -> Option<Hit> {
        let trimmed = text.trim();
        let start = text.len() - text.trim_start().len();
        let value = Value { span: start..start + trimmed.len(), quoted: true };
        let place = Place { listed: false, parameter: false };
        self.judge(name.as_bytes(), text.as_bytes(), value, place)
    }

    /// Judges a value of a text by the name at `name`.
    pub(super) fn assigned(&self, bytes: &[u8], name: Named, value: Value) -> Option<Hit> {
        let head = bytes.get(..name.span.end)?;
        let place = Place { listed: name.listed, parameter: is_parameter(head) };
        self.judge(bytes.get(name.span)?, bytes, value, place)
    }

    fn judge(&self, name: &[u8], bytes: &[u8], found: Value, place: Place) -> Option<Hit> {
        let value = bytes.get(found.span.clone())?;
        let elided = bytes.get(found.span.end..).is_some_and(|rest| rest.starts_with(b"..."));
        if elided || !value::is_candidate(value) {
            return None;
        }
        let name = name::normalised(name);
        if name::says_about(&name) {
            return None;
        }
        let promise = name::promise(&name);
        let random = value::is_random(value);
        // `segment_key` may be anything; a value that looks random makes it the key of the vendor.
        let near = promise.is_none() && !random;
        if (promise.is_some() || name.ends_with("key"))
            && value::is_plausible(value)
            && let Some(rule) = self.owner(&name, value, near)
        {
            return Some(Hit::plain(rule, found.span, Confidence::High));
        }
        // A key of something unknown is one when it looks random and is long.
        let some_key = || {
            let named = place.parameter || name::is_some_key(&name);
            random && value.len() >= MIN_SOME_KEY && named
        };
        let rule = match promise.or_else(|| some_key().then_some(Promise::Secret))? {
            Promise::Password
                if random
                    || (value::is_password(value, found.quoted)
                        && (!place.listed || !value::is_numbered_word(value))) =>
            {
                self.structures().generic_password
            }
            Promise::Secret if random || (name::is_plain(&name) && is_drawn_uuid(value)) => {
                self.structures().generic_secret
            }
            Promise::Password | Promise::Secret => None,
        }?;
        Some(Hit::plain(rule, found.span, Confidence::Medium))
    }
}

/// Whether a text ends in the name of a parameter that is a key and nothing more.
fn is_parameter(head: &[u8]) -> bool {
    const KEY: &[u8] = b"key";
    let Some((before, key)) = head.split_last_chunk::<3>() else { return false };
    key.eq_ignore_ascii_case(KEY) && matches!(before.last(), Some(b'?' | b'&'))
}

/// Whether a value is a UUID that somebody drew.
fn is_drawn_uuid(value: &[u8]) -> bool {
    value::is_uuid(value) && value::distinct(value) >= MIN_UUID
}
