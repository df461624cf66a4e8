//! The secrets in custody, as the profile says.

use std::sync::Arc;

use systemprompt_audit::{AuditLog, ChangeLog};
use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError, LocalKey};
use systemprompt_core::secret::Redact;
use systemprompt_custody::{Custody, CustodyError, CustodyParts};

use crate::key_encryption::key_encryption;
use crate::{AppContext, StartError};

/// The key that encrypts the data keys of secrets: the one that the profile names, or the one in the data
/// folder.
///
/// # Errors
/// [`StartError`] when it cannot be used.
pub fn custody_key(config: &Config) -> Result<Arc<dyn KeyEncryption>, StartError> {
    let profile = config.profile();
    match (&profile.custody.key, config.custody_key()) {
        (Some(key), _) => key_encryption(config, key, "custody.key"),
        (None, Some(text)) => Ok(Arc::new(LocalKey::parse(text).map_err(CustodyError::Key)?)),
        (None, None) => {
            let none = KeyEncryptionError::Malformed("the profile names none".to_owned());
            Err(CustodyError::Key(none).into())
        }
    }
}

/// The secrets of an application, of whose uses `audit` tells.
pub(crate) async fn open(
    context: &AppContext,
    clock: &Arc<dyn Clock>,
    audit: &AuditLog,
    redact: Arc<dyn Redact>,
    encryption: Option<Arc<dyn KeyEncryption>>,
) -> Result<Custody, StartError> {
    let database = context.database().clone();
    let custody = Custody::new(CustodyParts {
        encryption: match encryption {
            Some(encryption) => encryption,
            None => custody_key(context.config())?,
        },
        uses: Arc::new(audit.clone()),
        changes: Arc::new(ChangeLog::new(database.clone(), audit.keys().cloned())),
        redact,
        clock: clock.clone(),
        database,
    });
    match custody.check_key().await {
        // Whoever has the key may be back before a secret is asked for.
        Err(CustodyError::Key(error @ KeyEncryptionError::Unavailable(_))) => {
            tracing::warn!("no secret in custody can be handed out now: {error}");
        }
        Err(CustodyError::Key(error)) => return Err(StartError::CustodyKey(error)),
        other => other?,
    }
    Ok(custody)
}
