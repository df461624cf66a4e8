use sha2::{Digest as _, Sha256};
use systemprompt_core::id::PolicyVersion;
use systemprompt_core::policy::PolicyDocument;

/// Hex digits of the digest that are part of a version.
const DIGITS: usize = 16;

/// `sha256:` and the first 16 hex digits of the SHA-256 of the document as JSON with every key, defaults
/// included, in the order of the type: documents that mean the same by default have one version.
pub(crate) fn version_of(document: &PolicyDocument) -> Result<PolicyVersion, String> {
    let json = serde_json::to_vec(document).map_err(|error| error.to_string())?;
    let digest = hex::encode(Sha256::digest(&json));
    let digits = digest.get(..DIGITS).unwrap_or(&digest);
    PolicyVersion::parse(&format!("sha256:{digits}")).map_err(|error| error.to_string())
}
