use std::sync::Arc;

use super::{IdError, text};

/// An e-mail address: `local@domain`, 3 to 254 bytes (RFC 5321 section 4.5.3.1.3), domain lower-cased.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(Arc<str>);

impl Email {
    const FORM: IdError =
        IdError::Form { kind: "e-mail address", expected: "of the form `local@domain`" };

    /// Parses an address.
    ///
    /// # Errors
    /// [`IdError`] when the text is not an address of the plain (unquoted) form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        text::check("e-mail address", text, text::is_plain)?;
        let (local, domain) = text.rsplit_once('@').ok_or(Self::FORM)?;
        let local_ok = !local.is_empty() && local.len() <= 64 && !local.contains('@');
        let labels_ok = domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        if text.len() > 254 || !local_ok || !labels_ok {
            return Err(Self::FORM);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase()).into()))
    }
}

text_id_traits!(Email);
