mod export;
mod injection;
mod models;

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::{Host, Url};

use super::yaml::MAX_FAULTS;
use super::{
    AuditSection, CheckpointTarget, DatabaseSection, IdentitySection, IssuerConfig, JwksSource,
    KeyEncryptionRef, Profile, RetentionSection, SecretRef, ServerSection, ShadowPolicy, VaultKey,
    WitnessTarget,
};
use crate::extension::Backend;

impl Profile {
    /// What is wrong with values that are well-typed, each with its path.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Problems(Vec::new());
        server(&self.server, &mut problems);
        database(&self.database, &mut problems);
        audit(&self.audit, &mut problems);
        export::sinks(&self.export.sinks, &mut problems);
        if let Some(key) = &self.custody.key {
            encryption_key(key, "custody.key", &mut problems);
        }
        injection::settings(&self.injection, &mut problems);
        if let Some(key) = &self.secrets.fingerprint_key {
            secret_ref(key, "secrets.fingerprint_key", &mut problems);
        }
        identity(&self.identity, &mut problems);
        shadows(&self.shadow, &mut problems);
        models::section(&self.models, &mut problems);
        unique(&self.extensions.disabled, "extensions.disabled", &mut problems);
        problems.0
    }
}

struct Problems(Vec<(String, String)>);

impl Problems {
    fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        if self.0.len() < MAX_FAULTS {
            self.0.push((path.into(), problem.into()));
        }
    }

    fn range<T: PartialOrd + Display>(&mut self, path: &str, value: T, range: RangeInclusive<T>) {
        if !range.contains(&value) {
            self.add(path, format!("must be {} to {}, not {value}", range.start(), range.end()));
        }
    }

    fn filled(&mut self, path: &str, text: &str) {
        if text.is_empty() || text.chars().any(char::is_control) {
            self.add(path, "must not be empty or hold control characters");
        }
    }
}

/// Most shadow policies; each costs a decision as much as the policy in force.
const MOST_SHADOWS: usize = 8;

fn shadows(shadows: &[ShadowPolicy], problems: &mut Problems) {
    if shadows.len() > MOST_SHADOWS {
        problems.add("shadow", format!("must be at most {MOST_SHADOWS}, not {}", shadows.len()));
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    for (index, shadow) in shadows.iter().enumerate() {
        if !(1..=64).contains(&shadow.id.len()) || !shadow.id.bytes().all(plain) {
            problems.add(format!("shadow[{index}].id"), "must be 1 to 64 of `a-z 0-9 - _`");
        }
        problems.filled(&format!("shadow[{index}].file"), &shadow.file.to_string_lossy());
    }
    let ids = shadows.iter().map(|shadow| shadow.id.as_str());
    duplicates(ids, |index| format!("shadow[{index}].id"), problems);
}

fn server(server: &ServerSection, problems: &mut Problems) {
    problems.range("server.body_limit_bytes", server.body_limit_bytes, 1024..=64 << 20);
    problems.range("server.header_limit_bytes", server.header_limit_bytes, 4096..=1 << 20);
    problems.range("server.header_timeout_ms", server.header_timeout_ms, 1..=600_000);
    problems.range("server.body_timeout_ms", server.body_timeout_ms, 1..=600_000);
    problems.range("server.shutdown_timeout_ms", server.shutdown_timeout_ms, 0..=600_000);
    problems.range("server.max_connections", server.max_connections, 1..=1_000_000);
    for (index, host) in server.hosts.iter().enumerate() {
        if let Some(problem) = host_problem(host) {
            problems.add(format!("server.hosts[{index}]"), problem);
        }
    }
    for (index, origin) in server.origins.iter().enumerate() {
        if let Some(problem) = origin_problem(origin) {
            problems.add(format!("server.origins[{index}]"), problem);
        }
    }
    unique(&server.hosts, "server.hosts", problems);
    unique(&server.origins, "server.origins", problems);
}

/// A host name or address as it appears in `Host`, without a port and without wildcards.
fn host_problem(host: &str) -> Option<String> {
    const FORM: &str = "must be a host name such as `gateway.example.com`, without scheme, port or \
                        wildcard";
    let form = Some(FORM.to_owned());
    if host.is_empty() || host.contains(['*', '/', '@', '?', '#', '\\', '%']) {
        return form;
    }
    match Host::parse(host) {
        Ok(parsed) if parsed.to_string() == host => None,
        Ok(parsed) => Some(format!("must be in its normal form, `{parsed}`")),
        Err(_) => form,
    }
}

fn origin_problem(origin: &str) -> Option<String> {
    const FORM: &str = "must be an origin such as `https://console.example.com`, without a path or \
                        wildcard";
    let form = Some(FORM.to_owned());
    if origin.contains('*') {
        return form;
    }
    let Ok(url) = Url::parse(origin) else { return form };
    if !matches!(url.scheme(), "http" | "https") {
        return form;
    }
    let normal = url.origin().ascii_serialization();
    if normal == origin {
        None
    } else if url.path() == "/" && url.username().is_empty() && url.password().is_none() {
        Some(format!("must be in its normal form, `{normal}`"))
    } else {
        form
    }
}

fn database(database: &DatabaseSection, problems: &mut Problems) {
    problems.range("database.max_connections", database.max_connections, 1..=1000);
    problems.range("database.acquire_timeout_ms", database.acquire_timeout_ms, 1..=60_000);
    problems.range("database.busy_timeout_ms", database.busy_timeout_ms, 0..=60_000);
    let statement_timeout = database.statement_timeout_ms;
    problems.range("database.statement_timeout_ms", statement_timeout, 0..=3_600_000);
    if let Some(password) = &database.password {
        secret_ref(password, "database.password", problems);
        if database.url.backend() == Backend::Sqlite {
            problems.add("database.password", "a SQLite database has no password");
        } else if database.url.has_password() {
            problems.add("database.password", "`database.url` holds a password already");
        }
    }
}

fn audit(audit: &AuditSection, problems: &mut Problems) {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if let Some(origin) = &audit.origin
        && (origin.is_empty() || origin.len() > 64 || !origin.bytes().all(plain))
    {
        problems.add("audit.origin", "must be 1 to 64 of `A-Za-z0-9_-.`");
    }
    problems.range("audit.queue", audit.queue, 1..=1_000_000);
    problems.range("audit.max_batch", audit.max_batch, 1..=10_000);
    problems.range("audit.append_timeout_ms", audit.append_timeout_ms, 1..=60_000);
    problems.range("audit.sweep_interval_s", audit.sweep_interval_s, 1..=3600);
    problems.range("audit.streams_per_user", audit.streams_per_user, 1..=1000);
    problems.range("audit.checkpoint_events", audit.checkpoint_events, 1..=1_000_000);
    problems.range("audit.checkpoint_interval_s", audit.checkpoint_interval_s, 1..=86_400);
    if let Some(key) = &audit.signing_key {
        secret_ref(key, "audit.signing_key", problems);
    }
    if let Some(encryption) = &audit.encryption {
        encryption_key(&encryption.key, "audit.encryption.key", problems);
    }
    let RetentionSection { age, size } = &audit.retention;
    if age.is_some_and(|age| age.get() < Duration::from_secs(3600)) {
        problems.add("audit.retention.age", "must be at least `1h`");
    }
    if size.is_some_and(|size| size.get() < 1 << 20) {
        problems.add("audit.retention.size", "must be at least `1MiB`");
    }
    for (index, target) in audit.checkpoints.iter().flatten().enumerate() {
        let path = format!("audit.checkpoints[{index}]");
        match target {
            CheckpointTarget::File(file) => {
                problems.filled(&format!("{path}.file"), &file.to_string_lossy());
            }
            CheckpointTarget::Stdout(true) => {}
            CheckpointTarget::Stdout(false) => {
                problems.add(format!("{path}.stdout"), "must be `true`, or left out");
            }
            CheckpointTarget::Http(url) if !is_safe_to_fetch(url.as_str()) => {
                problems.add(format!("{path}.http"), "must be an `https` URL");
            }
            CheckpointTarget::Http(_) => {}
            CheckpointTarget::Witness(WitnessTarget { url, key }) => {
                let url = url.as_str();
                if !is_safe_to_fetch(url) || url.contains(['?', '#']) {
                    problems.add(
                        format!("{path}.witness.url"),
                        "must be an `https` URL without a query",
                    );
                }
                if !is_witness_key(key) {
                    problems.add(
                        format!("{path}.witness.key"),
                        "must be the key of a witness, `name+id+key` with the signature type 0x04",
                    );
                }
            }
        }
    }
}

/// Whether `key` has the form of a witness's (C2SP signed-note, verifier keys): 33 bytes in base64, of which
/// the first is 4. Whether the id is that of the key is found when it is used.
fn is_witness_key(key: &str) -> bool {
    let mut parts = key.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    !name.is_empty()
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
        && id.len() == 8
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && key.len() == 44
        && key.starts_with('B')
        && key.as_bytes().get(1).is_some_and(|second| (b'A'..=b'P').contains(second))
        && key.bytes().all(base64)
}

fn encryption_key(key: &KeyEncryptionRef, at: &str, problems: &mut Problems) {
    let (path, secret) = key.secret(at);
    secret_ref(&secret, &path, problems);
    match key {
        KeyEncryptionRef::Vault(vault) => vault_key(vault, at, problems),
        KeyEncryptionRef::Age(age) => {
            problems.filled(&format!("{at}.age.file"), &age.file.to_string_lossy());
        }
        KeyEncryptionRef::Env(_) | KeyEncryptionRef::File(_) => {}
    }
}

fn vault_key(vault: &VaultKey, at: &str, problems: &mut Problems) {
    let path = |key: &str| format!("{at}.vault.{key}");
    if !is_safe_to_fetch(vault.url.as_str()) {
        problems.add(path("url"), "must be an `https` URL");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let named = |text: &str| {
        !text.is_empty() && !text.starts_with('.') && text.len() <= 255 && text.bytes().all(plain)
    };
    if !vault.mount.split('/').all(named) {
        problems.add(path("mount"), "must be the path of a mounted engine, such as `transit`");
    }
    if !named(&vault.name) {
        problems.add(path("name"), "must be the name of a key, of `A-Za-z0-9_-.`");
    }
    problems.range(&path("timeout_ms"), vault.timeout_ms, 100..=60_000);
}

fn secret_ref(secret: &SecretRef, path: &str, problems: &mut Problems) {
    match secret {
        SecretRef::Env(name) => {
            if name.is_empty() || name.contains(['=', '\0']) {
                problems.add(format!("{path}.env"), "must be the name of an environment variable");
            }
        }
        SecretRef::File(file) => {
            problems.filled(&format!("{path}.file"), &file.to_string_lossy());
        }
    }
}

fn identity(identity: &IdentitySection, problems: &mut Problems) {
    let failed_logins = identity.failed_logins_per_minute;
    problems.range("identity.failed_logins_per_minute", failed_logins, 1..=100_000);
    problems.range("identity.revocation_poll_ms", identity.revocation_poll_ms, 10..=500);
    problems.range("identity.token_cache_entries", identity.token_cache_entries, 0..=10_000_000);
    for (index, each) in identity.issuers.iter().enumerate() {
        issuer(each, &format!("identity.issuers[{index}]"), problems);
    }
    let names = identity.issuers.iter().map(|issuer| issuer.issuer.as_str());
    let path = |index| format!("identity.issuers[{index}].issuer");
    duplicates(names, path, problems);
}

fn issuer(issuer: &IssuerConfig, path: &str, problems: &mut Problems) {
    problems.filled(&format!("{path}.issuer"), &issuer.issuer);
    if issuer.algorithms.is_empty() {
        problems.add(format!("{path}.algorithms"), "must name at least one algorithm");
    }
    let algorithms = issuer.algorithms.iter().map(|algorithm| format!("{algorithm:?}"));
    unique(&algorithms.collect::<Vec<_>>(), &format!("{path}.algorithms"), problems);
    match &issuer.jwks {
        JwksSource::File(file) => {
            problems.filled(&format!("{path}.jwks.file"), &file.to_string_lossy());
        }
        JwksSource::Url(url) if !is_safe_to_fetch(url.as_str()) => {
            problems.add(format!("{path}.jwks.url"), "must be an `https` URL");
        }
        JwksSource::Url(_) => {}
    }
    if issuer.audiences.api.is_empty() && issuer.audiences.hook.is_empty() {
        problems.add(format!("{path}.audiences"), "must name an audience for at least one surface");
    }
    let optional = |claim: &'_ Option<String>| claim.clone().unwrap_or_else(|| "-".to_owned());
    for (key, claim) in [
        ("user_claim", issuer.user_claim.clone()),
        ("roles_claim", optional(&issuer.roles_claim)),
        ("scopes_claim", issuer.scopes_claim.clone()),
        ("department_claim", optional(&issuer.department_claim)),
        ("actor_claim", issuer.actor_claim.clone()),
    ] {
        problems.filled(&format!("{path}.{key}"), &claim);
    }
    let lifetime = format!("{path}.max_lifetime_s");
    problems.range(&lifetime, issuer.max_lifetime_s, 60..=31_536_000);
}

/// Keys decide who may come in: they travel encrypted, or not beyond this machine.
fn is_safe_to_fetch(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn unique(names: &[String], path: &str, problems: &mut Problems) {
    duplicates(names.iter().map(String::as_str), |index| format!("{path}[{index}]"), problems);
}

fn duplicates<'n>(
    names: impl Iterator<Item = &'n str>,
    path: impl Fn(usize) -> String,
    problems: &mut Problems,
) {
    let mut seen = HashMap::new();
    for (index, name) in names.enumerate() {
        if let Some(first) = seen.get(name) {
            problems.add(path(index), format!("is the same as `{}`", path(*first)));
        } else {
            seen.insert(name, index);
        }
    }
}
