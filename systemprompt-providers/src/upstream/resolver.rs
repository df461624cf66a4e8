use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::Reach;

/// Decides which addresses are connected to.
///
/// It is the resolver of the client, so the addresses it has checked are those that are connected to: a
/// name that is answered differently a moment later (DNS rebinding) changes nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct GuardedResolver {
    reach: Reach,
}

/// Why a name is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unconnectable {
    #[error("the provider has an address that must not be connected to")]
    Blocked,
    #[error("the provider's name has no address")]
    Unresolved,
}

impl GuardedResolver {
    pub(super) const fn new(reach: Reach) -> Self {
        Self { reach }
    }

    /// Checks an address that is written out in the URL: it is not resolved and would pass by.
    pub(super) fn check(self, url: &Url) -> Result<(), Unconnectable> {
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
            Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.reach.allows(address) { Ok(()) } else { Err(Unconnectable::Blocked) }
    }

    async fn addresses(self, name: &str) -> Result<Vec<SocketAddr>, Unconnectable> {
        let found =
            tokio::net::lookup_host((name, 0)).await.map_err(|_| Unconnectable::Unresolved)?;
        self.judge(found.collect())
    }

    /// The addresses of a name, of which none may be refused: who answers with one public and one private
    /// address has no good reason to.
    fn judge(self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Unconnectable> {
        if !found.iter().all(|address| self.reach.allows(address.ip())) {
            return Err(Unconnectable::Blocked);
        }
        if found.is_empty() { Err(Unconnectable::Unresolved) } else { Ok(found) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_written_out_are_checked() {
        let check = |reach, url: &str| GuardedResolver::new(reach).check(&Url::parse(url).unwrap());
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
            assert_eq!(check(Reach::Public, url), Err(Unconnectable::Blocked), "{url}");
            assert_eq!(check(Reach::Private, url), Ok(()), "{url}");
        }
        assert_eq!(check(Reach::Public, "https://1.1.1.1/"), Ok(()));
        assert_eq!(check(Reach::Private, "http://1.1.1.1/"), Err(Unconnectable::Blocked));
    }

    #[test]
    fn one_refused_address_refuses_the_name() {
        let judge = |reach, all: &[&str]| {
            let found = all.iter().map(|address| address.parse().unwrap()).collect();
            GuardedResolver::new(reach).judge(found).map(|found| found.len())
        };
        let (public, private) = ("8.8.8.8:0", "10.0.0.1:0");
        assert_eq!(judge(Reach::Public, &[public, public]), Ok(2));
        assert_eq!(judge(Reach::Public, &[public, private]), Err(Unconnectable::Blocked));
        assert_eq!(judge(Reach::Private, &[public, private]), Err(Unconnectable::Blocked));
        assert_eq!(judge(Reach::Any, &[public, private]), Ok(2));
        assert_eq!(judge(Reach::Any, &[]), Err(Unconnectable::Unresolved));
    }

    #[tokio::test]
    async fn names_are_judged_by_their_addresses() {
        let public = GuardedResolver::new(Reach::Public);
        assert_eq!(public.addresses("localhost").await, Err(Unconnectable::Blocked));
        let found = GuardedResolver::new(Reach::Private).addresses("localhost").await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        let unknown = public.addresses("no-such-host.invalid").await;
        assert_eq!(unknown, Err(Unconnectable::Unresolved));
    }
}
