use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::HeaderMap;

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone)]
pub struct TrustedProxies(Option<Arc<dyn Fn(IpAddr) -> bool + Send + Sync>>);

impl TrustedProxies {
    /// None: the header is ignored.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Those whose address matches.
    #[must_use]
    pub fn matching(trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(trusted)))
    }

    /// The client's address: the peer, or the last one before the chain of trusted proxies.
    pub(super) fn client_addr(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let mut client = peer?.to_canonical();
        let Some(trusted) = &self.0 else {
            return Some(client);
        };
        if !trusted(client) {
            return Some(client);
        }
        let values = headers.get_all("x-forwarded-for").iter();
        let values: Vec<&[u8]> = values.map(http::HeaderValue::as_bytes).collect();
        for hop in values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
            // What cannot be read hides who was before it.
            let Some(address) = address(hop) else { break };
            client = address;
            if !trusted(client) {
                break;
            }
        }
        Some(client)
    }
}

impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "TrustedProxies(some)" } else { "TrustedProxies(none)" })
    }
}

/// An address, with or without a port.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    parsed.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &TrustedProxies, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        trusted.client_addr(Some(peer.parse().unwrap()), &headers).unwrap().to_string()
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        assert_eq!(client(&TrustedProxies::none(), "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        let proxies = TrustedProxies::matching(|a| a.to_string().starts_with("10."));
        assert_eq!(client(&proxies, "192.0.2.1", &["1.2.3.4"]), "192.0.2.1");
    }

    #[test]
    fn the_chain_is_walked_from_the_right_while_it_is_trusted() {
        let proxies = TrustedProxies::matching(|a| a.to_string().starts_with("10."));
        assert_eq!(client(&proxies, "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"]), "1.2.3.4");
        assert_eq!(client(&proxies, "::ffff:10.0.0.1", &["6.6.6.6", "1.2.3.4:80"]), "1.2.3.4");
        assert_eq!(client(&proxies, "10.0.0.1", &["1.2.3.4, nonsense, 10.0.0.3"]), "10.0.0.3");
        assert_eq!(client(&proxies, "10.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client(&proxies, "10.0.0.1", &[]), "10.0.0.1");
    }
}
