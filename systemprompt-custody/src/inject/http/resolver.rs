use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use systemprompt_core::address::is_public;
use url::{Host, Url};

use super::HttpError;

/// The name of this machine.
const LOCALHOST: &str = "localhost";

/// Decides which addresses are connected to.
///
/// It is the resolver of the client, so what it has checked is what is connected to: a name that is
/// answered differently a moment later changes nothing. Cloning is a reference count.
#[derive(Debug, Clone)]
pub(super) struct CheckedResolver {
    private: Arc<BTreeSet<String>>,
}

/// Why a name is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unconnectable {
    #[error("the host has an address that is not of the public internet")]
    Private,
    #[error("the host has no address")]
    Unresolved,
}

impl CheckedResolver {
    /// A resolver for which these hosts may have private addresses.
    pub(super) fn new(private_hosts: &BTreeSet<String>) -> Result<Self, HttpError> {
        let read = |text: &String| {
            let bracketed = if text.contains(':') && !text.starts_with('[') {
                format!("[{text}]")
            } else {
                text.clone()
            };
            Host::parse(&bracketed).map(|host| host.to_string()).map_err(|_| HttpError::Setting {
                setting: "private_hosts",
                name: text.clone(),
                why: "is no host: a name or an address, without a port",
            })
        };
        Ok(Self { private: Arc::new(private_hosts.iter().map(read).collect::<Result<_, _>>()?) })
    }

    /// Checks what can be said of `url` before its host is resolved: scheme, credentials, and the
    /// address when it is written out (which is not resolved and would pass by the resolver).
    pub(super) fn check(&self, url: &Url) -> Result<(), HttpError> {
        let host = url.host().ok_or(HttpError::Url("has no host"))?;
        let named = self.private.contains(&host.to_string());
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpError::Url("holds a user or password; bind a secret instead"));
        }
        let address = match host {
            Host::Domain(_) => None,
            Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
        };
        let this_machine = match host {
            Host::Domain(name) => name == LOCALHOST,
            Host::Ipv4(_) | Host::Ipv6(_) => {
                address.is_some_and(|a| a.to_canonical().is_loopback())
            }
        };
        match url.scheme() {
            "https" => {}
            "http" if named && this_machine => {}
            "http" => return Err(HttpError::Insecure),
            _ => return Err(HttpError::Url("is neither `https` nor `http`")),
        }
        if address.is_some_and(|address| !named && !is_public(address)) {
            return Err(HttpError::PrivateAddress);
        }
        Ok(())
    }

    /// The addresses of `name`, of which none may be refused: who answers with one public and one
    /// private address has no good reason to.
    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Unconnectable> {
        let found =
            tokio::net::lookup_host((name, 0)).await.map_err(|_| Unconnectable::Unresolved)?;
        let found: Vec<_> = found.collect();
        let allowed = |address: &SocketAddr| match name {
            LOCALHOST => self.private.contains(name) && address.ip().is_loopback(),
            _ => self.private.contains(name) || is_public(address.ip()),
        };
        if !found.iter().all(allowed) {
            return Err(Unconnectable::Private);
        }
        if found.is_empty() { Err(Unconnectable::Unresolved) } else { Ok(found) }
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(&name.as_str().to_ascii_lowercase()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(hosts: &[&str]) -> CheckedResolver {
        CheckedResolver::new(&hosts.iter().map(|host| (*host).to_owned()).collect()).unwrap()
    }

    fn check(resolver: &CheckedResolver, url: &str) -> Result<(), HttpError> {
        resolver.check(&Url::parse(url).unwrap())
    }

    #[test]
    fn addresses_that_are_written_out_are_checked() {
        let none = resolver(&[]);
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://0/",
            "https://[64:ff9b::a00:1]/",
        ] {
            assert_eq!(check(&none, url), Err(HttpError::PrivateAddress), "{url}");
        }
        assert_eq!(check(&none, "https://1.1.1.1/"), Ok(()));
        assert_eq!(check(&resolver(&["10.0.0.7", "::1"]), "https://10.0.0.7:8443/"), Ok(()));
        assert_eq!(check(&resolver(&["::1"]), "http://[::1]:80/"), Ok(()));
        assert_eq!(
            check(&resolver(&["10.0.0.7"]), "https://10.0.0.8/"),
            Err(HttpError::PrivateAddress)
        );
    }

    #[test]
    fn connections_without_tls_stay_on_this_machine() {
        let named = resolver(&["127.0.0.1", "localhost", "10.0.0.7", "intranet.example"]);
        assert_eq!(check(&named, "http://127.0.0.1:1/"), Ok(()));
        assert_eq!(check(&named, "http://localhost:1/"), Ok(()));
        for url in
            ["http://10.0.0.7/", "http://intranet.example/", "http://[::1]/", "http://a.com/"]
        {
            assert_eq!(check(&named, url), Err(HttpError::Insecure), "{url}");
        }
        for url in ["https://u@a.com/", "https://u:p@a.com/", "ftp://a.com/", "file:///etc/passwd"]
        {
            assert!(matches!(check(&named, url), Err(HttpError::Url(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn names_of_private_addresses_are_not_connected_to() {
        assert_eq!(resolver(&[]).addresses("localhost").await, Err(Unconnectable::Private));
        // Some systems know the rooted name and some do not; connected to it is on none.
        assert!(resolver(&["localhost"]).addresses("localhost.").await.is_err());
        let addresses = resolver(&["localhost"]).addresses("localhost").await.unwrap();
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        let unknown = resolver(&[]).addresses("no-such-host.invalid").await;
        assert_eq!(unknown, Err(Unconnectable::Unresolved));
    }
}
