use url::Url;

use super::super::{Problems, secret_ref, unique};
use crate::config::{ProviderConfig, ProviderKey, ProviderKind};
use crate::llm::Dialect;

pub(super) fn provider(name: &str, provider: &ProviderConfig, problems: &mut Problems) {
    let path = format!("models.providers.{name}");
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        problems.add(&path, "the name must be 1 to 64 of `a-z 0-9 - _`");
    }
    match provider.kind {
        ProviderKind::Echo | ProviderKind::ByExtension => {
            connects_to_nothing(provider, &path, problems);
            credential_in_process(provider, &path, problems);
        }
        _ => {
            place(provider, &path, problems);
            wire(provider, &path, problems);
            credential(provider, &path, problems);
        }
    }
    headers(provider, &path, problems);
    limits(provider, &path, problems);
    connection(provider, &path, problems);
    if let Some(vendor) = &provider.priced_as {
        problems.filled(&format!("{path}.priced_as"), vendor);
    }
}

/// Keys of a connection mean nothing to a provider that has none.
fn connects_to_nothing(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    for (key, given) in [
        ("base_url", provider.base_url.is_some()),
        ("wire", provider.wire.is_some()),
        ("key_header", provider.key_header.is_some()),
        ("headers", !provider.headers.is_empty()),
        ("version", provider.version.is_some()),
        ("betas", provider.betas.is_some()),
        ("cache_ttl", provider.cache_ttl.is_some()),
        ("stream_usage", provider.stream_usage.is_some()),
        ("usage_mode", provider.usage_mode.is_some()),
        ("private_addresses", provider.private_addresses),
        ("health", provider.health.is_some()),
        ("proxy", provider.proxy.is_some()),
        ("secret_proxy", provider.secret_proxy.is_some()),
    ] {
        if given {
            let problem = format!("must be left out: `{}` connects to nothing", provider.kind);
            problems.add(format!("{path}.{key}"), problem);
        }
    }
}

/// A provider of an extension is handed a key that was found at the start; one in custody is opened for a header
/// of a host, and there is none.
fn credential_in_process(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    let at = format!("{path}.key");
    match (&provider.key, provider.kind) {
        (None, _) => {}
        (Some(ProviderKey::Ref(reference)), ProviderKind::ByExtension) => {
            secret_ref(reference, &at, problems);
        }
        (Some(ProviderKey::Custody(_)), ProviderKind::ByExtension) => {
            problems.add(
                at,
                "must be in a variable or a file: what an extension does with it is not seen",
            );
        }
        (Some(_), kind) => {
            problems.add(at, format!("must be left out: `{kind}` connects to nothing"));
        }
    }
}

fn place(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    let at = format!("{path}.base_url");
    let Some(base_url) = &provider.base_url else {
        if !provider.kind.has_place() {
            let problem = format!("must be given for the kind `{}`", provider.kind);
            problems.add(at, problem);
        }
        return;
    };
    // What was parsed once is parsed again.
    let Ok(url) = Url::parse(base_url.as_str()) else { return };
    if url.query().is_some() || url.fragment().is_some() {
        problems.add(&at, "must have no query and no fragment");
    }
    if url.scheme() == "http" && !provider.private_addresses {
        let problem = "must be an `https` URL; one without TLS is for networks of one's own and \
                       takes `private_addresses: true`";
        problems.add(&at, problem);
    }
    let Some(last) = url.path().trim_end_matches('/').rsplit('/').next() else { return };
    let wire_paths = ["anthropic", "compatible-mode"];
    let is_version = last.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let several = provider.kind.wires().len() > 1;
    if is_version || (several && wire_paths.contains(&last)) {
        let problem = format!("must end before `/{last}`, which is added to it");
        problems.add(&at, problem);
    }
}

fn wire(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    let own = provider.kind.wires();
    match provider.wire {
        None if provider.kind == ProviderKind::Custom => {
            problems.add(format!("{path}.wire"), "must be given for the kind `custom`");
        }
        Some(wire) if provider.kind != ProviderKind::Custom && !own.contains(&wire) => {
            let own: Vec<_> = own.iter().map(|wire| format!("`{}`", wire.as_str())).collect();
            let problem =
                format!("must be one that `{}` speaks: {}", provider.kind, own.join(", "));
            problems.add(format!("{path}.wire"), problem);
        }
        _ => {}
    }
    let wires = provider.wires();
    for (key, given, of) in [
        ("version", provider.version.is_some(), Dialect::Anthropic),
        ("betas", provider.betas.is_some(), Dialect::Anthropic),
        ("cache_ttl", provider.cache_ttl.is_some(), Dialect::Anthropic),
        ("stream_usage", provider.stream_usage.is_some(), Dialect::Chat),
    ] {
        if given && !wires.is_empty() && !wires.contains(&of) {
            let problem = format!("is for the wire `{}`, which is not spoken here", of.as_str());
            problems.add(format!("{path}.{key}"), problem);
        }
    }
    if provider.version.as_deref().is_some_and(|version| !is_date(version)) {
        problems.add(format!("{path}.version"), "must be a date such as `2026-10-21`");
    }
    if let Some(betas) = &provider.betas {
        unique(betas, &format!("{path}.betas"), problems);
        for (index, beta) in betas.iter().enumerate() {
            if beta.is_empty() || !beta.bytes().all(|b| b.is_ascii_graphic() && b != b',') {
                problems.add(format!("{path}.betas[{index}]"), "is no proper value");
            }
        }
    }
}

/// `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn credential(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    let at = format!("{path}.key");
    match &provider.key {
        Some(ProviderKey::Ref(reference)) => secret_ref(reference, &at, problems),
        Some(ProviderKey::Custody(_)) => {}
        None if provider.base_url.is_none() && provider.kind.has_place() => {
            let problem = format!("must be given: `{}` answers nobody without one", provider.kind);
            problems.add(at, problem);
        }
        None => {}
    }
    let Some(header) = &provider.key_header else { return };
    let at = format!("{path}.key_header");
    if !is_token(header) || is_of_the_connection(header) {
        problems.add(at, "is no header that can carry a key");
    } else if provider.key.is_none() {
        problems.add(at, "needs a `key`");
    }
}

/// A name of a header (RFC 9110 section 5.6.2).
fn is_token(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(token)
}

/// Headers that are the connection's own.
fn is_of_the_connection(name: &str) -> bool {
    [
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
    .iter()
    .any(|own| name.eq_ignore_ascii_case(own))
}

/// Headers that carry credentials.
fn is_of_a_credential(name: &str, key_header: Option<&str>) -> bool {
    ["api-key", "authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key"]
        .into_iter()
        .chain(key_header)
        .any(|own| name.eq_ignore_ascii_case(own))
}

fn headers(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    for (name, value) in &provider.headers {
        let at = format!("{path}.headers.{name}");
        if !is_token(name) || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            problems.add(at, format!("`{name}` is no proper header"));
        } else if is_of_the_connection(name) {
            problems.add(at, format!("`{name}` is the connection's own"));
        } else if is_of_a_credential(name, provider.key_header.as_deref()) {
            problems.add(at, "a credential belongs into `key`");
        }
    }
}

fn limits(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    let (timeouts, retries) = (&provider.timeouts, &provider.retries);
    for (key, value, most) in [
        ("timeouts.connect_ms", timeouts.connect_ms, 600_000),
        ("timeouts.first_byte_ms", timeouts.first_byte_ms, 3_600_000),
        ("timeouts.idle_ms", timeouts.idle_ms, 3_600_000),
        ("timeouts.total_ms", timeouts.total_ms, 86_400_000),
        ("retries.base_ms", retries.base_ms, 60_000),
        ("breaker.open_ms", provider.breaker.open_ms, 3_600_000),
    ] {
        problems.range(&format!("{path}.{key}"), value, 1..=most);
    }
    problems.range(&format!("{path}.retries.attempts"), retries.attempts, 1..=20);
    problems.range(&format!("{path}.breaker.failures"), provider.breaker.failures, 0..=10_000);
    if let Some(health) = &provider.health {
        problems.range(&format!("{path}.health.interval_s"), health.interval_s, 1..=3_600);
        if provider.breaker.failures == 0 && !health.idle {
            let problem = "asks nothing: `breaker.failures` is 0, so that it never opens, and `idle` is not set";
            problems.add(format!("{path}.health"), problem);
        }
    }
    problems.range(&format!("{path}.max_concurrent"), provider.max_concurrent, 1..=1_000_000);
    if retries.max_ms < retries.base_ms || retries.max_ms > 600_000 {
        let problem = format!("must be `base_ms` to 600000, not {}", retries.max_ms);
        problems.add(format!("{path}.retries.max_ms"), problem);
    }
}

fn connection(provider: &ProviderConfig, path: &str, problems: &mut Problems) {
    let tls = &provider.tls;
    for (key, file) in [("ca_file", &tls.ca_file), ("client_cert", &tls.client_cert)] {
        if let Some(file) = file {
            problems.filled(&format!("{path}.tls.{key}"), &file.to_string_lossy());
        }
    }
    if let Some(key) = &tls.client_key {
        secret_ref(key, &format!("{path}.tls.client_key"), problems);
    }
    if tls.client_cert.is_some() != tls.client_key.is_some() {
        problems.add(format!("{path}.tls"), "`client_cert` and `client_key` belong together");
    }
    if let Some(proxy) = &provider.secret_proxy {
        secret_ref(proxy, &format!("{path}.secret_proxy"), problems);
        if provider.proxy.is_some() {
            problems.add(format!("{path}.secret_proxy"), "there is a `proxy` already");
        }
    }
}
