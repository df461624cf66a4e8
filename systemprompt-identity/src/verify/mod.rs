//! From a credential to a principal.

mod api_key;
mod background;
mod cache;
mod last_used;
mod settings;
mod stats;
mod verifier;

pub(crate) use background::Background;
pub(crate) use cache::Verified;
pub use settings::VerifierSettings;
pub use stats::{IdentityStats, IssuerStats};
pub use verifier::CredentialVerifier;
