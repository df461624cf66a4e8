use std::path::{Path, PathBuf};

use super::{
    CheckpointTarget, JwksSource, KeyEncryptionRef, ModelsSection, Profile, ProviderKey, SecretRef,
    SinkTarget, SyslogTarget, VaultKey,
};

impl Profile {
    /// Takes every relative path relative to `folder`.
    pub fn resolve_paths(&mut self, folder: &Path) {
        self.database.url = self.database.url.within(folder);
        let Self { database, secrets, audit, .. } = self;
        for secret in [&mut database.password, &mut secrets.fingerprint_key, &mut audit.signing_key]
        {
            if let Some(SecretRef::File(path)) = secret {
                join(path, folder);
            }
        }
        let encryption = self.audit.encryption.as_mut().map(|encryption| &mut encryption.key);
        for key in encryption.into_iter().chain(&mut self.custody.key) {
            resolve_key(key, folder);
        }
        for target in self.audit.checkpoints.iter_mut().flatten() {
            if let CheckpointTarget::File(path) = target {
                join(path, folder);
            }
        }
        for sink in &mut self.export.sinks {
            match &mut sink.to {
                SinkTarget::File(file) => join(&mut file.path, folder),
                SinkTarget::Syslog(SyslogTarget::Unix(path)) => join(path, folder),
                SinkTarget::Syslog(SyslogTarget::Tls(tls)) => {
                    if let Some(path) = &mut tls.ca {
                        join(path, folder);
                    }
                }
                SinkTarget::Http(http) => {
                    for secret in [&mut http.secret_url, &mut http.token].into_iter().flatten() {
                        if let SecretRef::File(path) = secret {
                            join(path, folder);
                        }
                    }
                }
                SinkTarget::Stdout(_) | SinkTarget::Syslog(_) => {}
            }
        }
        resolve_models(&mut self.models, folder);
        for shadow in &mut self.shadow {
            join(&mut shadow.file, folder);
        }
        for issuer in &mut self.identity.issuers {
            if let JwksSource::File(path) = &mut issuer.jwks {
                join(path, folder);
            }
        }
    }
}

fn resolve_models(models: &mut ModelsSection, folder: &Path) {
    if let Some(prices) = &mut models.prices {
        join(prices, folder);
    }
    for provider in models.providers.values_mut() {
        let tls = &mut provider.tls;
        for path in [&mut tls.ca_file, &mut tls.client_cert].into_iter().flatten() {
            join(path, folder);
        }
        let key = match &mut provider.key {
            Some(ProviderKey::Ref(reference)) => Some(reference),
            _ => None,
        };
        let secrets = [key, tls.client_key.as_mut(), provider.secret_proxy.as_mut()];
        for secret in secrets.into_iter().flatten() {
            if let SecretRef::File(path) = secret {
                join(path, folder);
            }
        }
    }
}

fn resolve_key(key: &mut KeyEncryptionRef, folder: &Path) {
    match key {
        KeyEncryptionRef::File(path) => join(path, folder),
        KeyEncryptionRef::Vault(VaultKey { token: SecretRef::File(path), .. }) => {
            join(path, folder);
        }
        KeyEncryptionRef::Age(age) => {
            join(&mut age.file, folder);
            if let SecretRef::File(path) = &mut age.identity {
                join(path, folder);
            }
        }
        KeyEncryptionRef::Env(_) | KeyEncryptionRef::Vault(_) => {}
    }
}

fn join(path: &mut PathBuf, folder: &Path) {
    *path = folder.join(&path);
}
