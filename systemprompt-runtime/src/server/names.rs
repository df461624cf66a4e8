use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::uri::Authority;
use http::{HeaderMap, HeaderName, Uri, header};
use systemprompt_core::config::{Cidr, ServerSection};

static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The names this server answers to. Anything else is refused, so that a page in a browser cannot
/// reach it through a name of its own (DNS rebinding).
#[derive(Debug, Clone)]
pub(crate) struct Names {
    hosts: Vec<HostName>,
    origins: Vec<String>,
    proxies: Vec<Cidr>,
}

/// A configured host: a name, and a port where one is named.
#[derive(Debug, Clone)]
struct HostName {
    name: String,
    port: Option<u16>,
}

/// Why a request was refused for its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameFault {
    /// No `Host`, more than one, or one that is no host.
    #[error("the request needs exactly one `Host` header that names a host")]
    HostForm,
    /// `Host` contradicts the request line or `X-Forwarded-Host`.
    #[error("the `Host` header contradicts the rest of the request")]
    HostConflict,
    /// A name that is not ours.
    #[error("the server does not answer to this `Host`; add it to `server.hosts`")]
    Host,
    /// A browser page of another origin.
    #[error("requests from this `Origin` are refused; add it to `server.origins`")]
    Origin,
}

impl NameFault {
    /// The fault's status and stable code.
    pub(crate) fn status(self) -> (http::StatusCode, &'static str) {
        match self {
            Self::HostForm | Self::HostConflict => {
                (http::StatusCode::BAD_REQUEST, "invalid_request")
            }
            Self::Host => (http::StatusCode::FORBIDDEN, "host_forbidden"),
            Self::Origin => (http::StatusCode::FORBIDDEN, "origin_forbidden"),
        }
    }
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// The client's address.
    pub(crate) peer: IpAddr,
    /// Our own address, which is a name of ours too.
    pub(crate) local: IpAddr,
}

impl Names {
    /// The names of `section`, beside the loopback names.
    pub(crate) fn new(section: &ServerSection) -> Self {
        let hosts = section.hosts.iter().filter_map(|host| {
            let authority: Authority = host.parse().ok()?;
            Some(HostName {
                name: authority.host().to_ascii_lowercase(),
                port: authority.port_u16(),
            })
        });
        Self {
            hosts: hosts.collect(),
            origins: section.origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
            proxies: section.trusted_proxies.clone(),
        }
    }

    /// Checks what a request says about where it goes and comes from.
    pub(crate) fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        ends: Ends,
    ) -> Result<(), NameFault> {
        let host = single(headers, &header::HOST)?.ok_or(NameFault::HostForm)?;
        let (name, port) = split(host).ok_or(NameFault::HostForm)?;
        if uri.authority().is_some_and(|said| !said.as_str().eq_ignore_ascii_case(host)) {
            return Err(NameFault::HostConflict);
        }
        if !self.is_ours(name, port, ends.local) {
            return Err(NameFault::Host);
        }
        if headers.contains_key(&X_FORWARDED_HOST) {
            self.check_forwarded(host, headers, ends)?;
        }
        match headers.contains_key(header::ORIGIN) {
            true => self.check_origin(headers, ends),
            false => Ok(()),
        }
    }

    /// What a trusted proxy says must be a name of ours; anyone else may only repeat `Host`.
    fn check_forwarded(
        &self,
        host: &str,
        headers: &HeaderMap,
        ends: Ends,
    ) -> Result<(), NameFault> {
        let forwarded = single(headers, &X_FORWARDED_HOST)?.ok_or(NameFault::HostForm)?;
        if forwarded.eq_ignore_ascii_case(host) {
            return Ok(());
        }
        if !self.proxies.iter().any(|proxy| proxy.contains(ends.peer)) {
            return Err(NameFault::HostConflict);
        }
        let (name, port) = split(forwarded).ok_or(NameFault::HostForm)?;
        if self.is_ours(name, port, ends.local) { Ok(()) } else { Err(NameFault::Host) }
    }

    fn check_origin(&self, headers: &HeaderMap, ends: Ends) -> Result<(), NameFault> {
        let origin = single(headers, &header::ORIGIN).map_err(|_| NameFault::Origin)?;
        let origin = origin.unwrap_or_default();
        if self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return Ok(());
        }
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        match host.and_then(split) {
            Some((name, port)) if self.is_ours(name, port, ends.local) => Ok(()),
            _ => Err(NameFault::Origin),
        }
    }

    fn is_ours(&self, name: &str, port: Option<u16>, local: IpAddr) -> bool {
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        match address(name) {
            Some(ip) if ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST => true,
            Some(ip) if ip == local.to_canonical() => true,
            _ => self.hosts.iter().any(|host| {
                host.name.eq_ignore_ascii_case(name) && (host.port.is_none() || host.port == port)
            }),
        }
    }
}

/// The value of a header that may occur once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, NameFault> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| NameFault::HostForm),
        (Some(_), Some(_)) => Err(NameFault::HostForm),
    }
}

/// A host as it is written in `Host`: the name (an IPv6 address with its brackets), and the port.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    let (name, port) = match host.rfind([':', ']']) {
        Some(at) if host.as_bytes().get(at) == Some(&b':') => {
            let (name, port) = host.split_at_checked(at)?;
            (name, Some(port.strip_prefix(':')?))
        }
        _ => (host, None),
    };
    let port = match port {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        Some(_) => return None,
        None => None,
    };
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_name || address(name).is_some_and(|ip| ip.is_ipv6())).then_some((name, port))
}

/// The address a host is, if it is one; IPv6 stands in brackets.
fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests;
