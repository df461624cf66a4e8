//! Encryption of what lies in a database, by keys that are kept outside of it.
//!
//! A value is encrypted with a data key of its own ([`Cipher`]), and the data key with a key encryption key
//! ([`KeyEncryption`]): one in a file or a variable ([`LocalKey`], also from a file that age has encrypted),
//! one in the transit engine of Vault or OpenBao (`Transit`, feature `transit`), or what a host has, such
//! as the KMS of its cloud. A new key encryption key costs one encryption per data key and leaves the values
//! as they are.

mod age;
mod cipher;
mod key_encryption;
mod local_key;
#[cfg(feature = "transit")]
mod transit;

pub use age::decrypt_age;
pub use cipher::{Cipher, KEY_BYTES, data_key};
pub use key_encryption::{KeyEncryption, KeyEncryptionError};
pub use local_key::LocalKey;
#[cfg(feature = "transit")]
pub use transit::{Transit, TransitOptions, TransitToken};
