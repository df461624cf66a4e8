//! Secret values that cannot be printed or serialised by accident.

use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroize;

/// A secret value: no `Debug`, no `Serialize`, no `Clone`, wiped when dropped.
pub struct Secret<T: Zeroize>(SecretBox<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes `value` into custody.
    pub fn new(value: T) -> Self {
        Self(SecretBox::new(Box::new(value)))
    }

    /// Lends the value. Named so that a reviewer can find every use.
    pub fn expose(&self) -> &T {
        self.0.expose_secret()
    }
}

/// Replaces secrets in text that is about to be stored, logged or counted.
///
/// Implemented by the secret scanner; everything that records a caller-supplied string goes through it.
pub trait Redact: Send + Sync + 'static {
    /// `text` with every secret replaced by `[redacted:<rule>]`; borrowed when there was none.
    fn redact<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str>;
}
