use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::jwt::SigningAlgorithm;

/// A public key with the one algorithm it is good for.
#[derive(Clone)]
pub(crate) struct PublicKey {
    algorithm: SigningAlgorithm,
    key: DecodingKey,
}

impl PublicKey {
    pub(super) fn new(algorithm: SigningAlgorithm, key: DecodingKey) -> Self {
        Self { algorithm, key }
    }

    pub(crate) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's over `message`.
    ///
    /// The provider is named here rather than taken from the process, so that nobody else's choice
    /// changes what is verified.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = match self.algorithm {
            SigningAlgorithm::Rs256 => Algorithm::RS256,
            SigningAlgorithm::Es256 => Algorithm::ES256,
            SigningAlgorithm::EdDsa => Algorithm::EdDSA,
        };
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.key)
            .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}
