use std::path::{Path, PathBuf};

use super::{JwksSource, Profile, SecretRef};

impl Profile {
    /// Takes every relative path relative to `folder`.
    pub fn resolve_paths(&mut self, folder: &Path) {
        self.database.url = self.database.url.within(folder);
        if let Some(SecretRef::File(path)) = &mut self.database.password {
            join(path, folder);
        }
        if let Some(SecretRef::File(path)) = &mut self.secrets.fingerprint_key {
            join(path, folder);
        }
        for issuer in &mut self.identity.issuers {
            if let JwksSource::File(path) = &mut issuer.jwks {
                join(path, folder);
            }
        }
    }
}

fn join(path: &mut PathBuf, folder: &Path) {
    *path = folder.join(&path);
}
