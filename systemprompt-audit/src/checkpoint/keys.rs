use std::fmt;
use std::sync::Arc;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::secret::Secret;

use crate::note::{Ed25519Signer, KeyError, SeedError, Signer, VerifierKey};

/// A private key that signs checkpoints, before it has its name.
///
/// As text it is the 64 hex digits of an Ed25519 seed (RFC 8032 section 5.1.5).
#[derive(Clone)]
pub struct SigningKey(Arc<Secret<[u8; 32]>>);

impl SigningKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`SeedError`] when the text is none.
    pub fn parse(text: &Secret<String>) -> Result<Self, SeedError> {
        let seed = Ed25519Signer::seed_from_hex(text.expose())?;
        Ok(Self(Arc::new(Secret::new(seed))))
    }

    /// The key under a name.
    ///
    /// # Errors
    /// [`KeyError::Name`] when the name cannot be that of a key.
    pub fn named(&self, name: &str) -> Result<Arc<dyn Signer>, KeyError> {
        Ok(Arc::new(Ed25519Signer::new(name, self.0.expose())?))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// The keys of an installation.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    /// The one that signs.
    pub current: SigningKey,
    /// The one before it, and until when both sign.
    pub previous: Option<(SigningKey, Timestamp)>,
}

impl SigningKeys {
    /// One key that follows no other.
    #[must_use]
    pub fn new(current: SigningKey) -> Self {
        Self { current, previous: None }
    }

    /// The name of the keys of an installation.
    pub(crate) fn name(installation: &str) -> String {
        format!("audit@{installation}")
    }

    /// The public key that checks what the current one signs.
    pub(crate) fn verifier(&self, installation: &str) -> Result<VerifierKey, KeyError> {
        Ok(self.current.named(&Self::name(installation))?.verifier().clone())
    }

    /// The keys as signers for an installation.
    pub(crate) fn signers(&self, installation: &str) -> Result<Signers, KeyError> {
        let name = Self::name(installation);
        let named = |(key, until): &(SigningKey, Timestamp)| Ok((key.named(&name)?, *until));
        Ok(Signers {
            current: self.current.named(&name)?,
            previous: self.previous.as_ref().map(named).transpose()?,
        })
    }
}

/// Who signs.
#[derive(Debug, Clone)]
pub(crate) struct Signers {
    pub(crate) current: Arc<dyn Signer>,
    pub(crate) previous: Option<(Arc<dyn Signer>, Timestamp)>,
}

impl Signers {
    /// Those who sign checkpoints at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Vec<&dyn Signer> {
        let previous = self.previous.iter().filter(|(_, until)| *until > now);
        std::iter::once(&*self.current).chain(previous.map(|(signer, _)| &**signer)).collect()
    }

    /// Those who vouch for the current key: the one before it does even when its time is over.
    pub(crate) fn endorsers(&self) -> Vec<&dyn Signer> {
        let previous = self.previous.iter().map(|(signer, _)| &**signer);
        std::iter::once(&*self.current).chain(previous).collect()
    }
}
