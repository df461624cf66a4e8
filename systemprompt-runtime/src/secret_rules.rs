//! The secret scanner of an application: what is built in and what its extensions know.

use systemprompt_core::extension::TypedExtensionRegistry;
use systemprompt_governance::secret::{Scanner, ScannerError};

/// The scanner with the rules of all extensions.
///
/// # Errors
/// [`ScannerError`] when the key is short or a rule file has a fault.
pub fn scanner(registry: &TypedExtensionRegistry, key: &[u8]) -> Result<Scanner, ScannerError> {
    let files = registry.secret_rules().into_iter();
    let builder = Scanner::builder().fingerprint_key(key);
    files.fold(builder, |builder, file| builder.rules(file.name, file.text)).build()
}
