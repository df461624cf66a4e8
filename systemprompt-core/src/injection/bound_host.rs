use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

/// The port of https.
const HTTPS: u16 = 443;

/// The host a header is bound to: `api.example.com` or, where the port is not 443, `10.0.0.7:8443`.
///
/// No part of it is a pattern: a header goes to this host and this port and no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct BoundHost {
    host: Host<String>,
    port: u16,
    shown: String,
}

/// A text is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a host is a name or address, with the port when it is not 443, such as `api.example.com` or `10.0.0.7:8443`"
)]
pub struct BoundHostError;

impl BoundHost {
    /// Host and port in lower case, the port left out when it is 443.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Host and port as a grant for requests to `url` names them: the port left out when it is the one of
    /// the scheme.
    #[must_use]
    pub fn as_connected(&self, url: &Url) -> String {
        match url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }

    /// Whether a request to `url` goes to this host and port.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        url.host().is_some_and(|host| host.to_owned() == self.host)
            && url.port_or_known_default() == Some(self.port)
    }
}

impl FromStr for BoundHost {
    type Err = BoundHostError;

    fn from_str(text: &str) -> Result<Self, BoundHostError> {
        // What would start another part of an URL is refused before it is read as one.
        let foreign = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '/' | '\\' | '?' | '#' | '@' | '*' | '%')
        };
        if text.contains(foreign) {
            return Err(BoundHostError);
        }
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| BoundHostError)?;
        let host = url.host().ok_or(BoundHostError)?.to_owned();
        let port = url.port().unwrap_or(HTTPS);
        let rooted = matches!(&host, Host::Domain(name) if name.ends_with('.'));
        if rooted || port == 0 || text.ends_with(':') {
            return Err(BoundHostError);
        }
        let shown = if port == HTTPS { host.to_string() } else { format!("{host}:{port}") };
        Ok(Self { host, port, shown })
    }
}

impl fmt::Display for BoundHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Serialize for BoundHost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown)
    }
}

impl<'de> Deserialize<'de> for BoundHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_covers_one_host_and_port() {
        let host: BoundHost = "API.example.com".parse().unwrap();
        assert_eq!(host.as_str(), "api.example.com");
        let covers = |host: &BoundHost, url: &str| host.covers(&Url::parse(url).unwrap());
        assert!(covers(&host, "https://api.example.com/x"));
        assert!(covers(&host, "https://API.EXAMPLE.COM:443/x"));
        for other in [
            "https://api.example.com:8443/",
            "http://api.example.com/",
            "https://api.example.com.evil.example/",
            "https://evil-api.example.com/",
            "https://api.example.com./",
            "https://api.example.com@evil.example/",
            "https://example.com/",
        ] {
            assert!(!covers(&host, other), "{other}");
        }
        let plain: BoundHost = "localhost:80".parse().unwrap();
        for (host, url, connected) in [
            (&host, "https://api.example.com/", "api.example.com"),
            (&plain, "http://localhost/", "localhost"),
            (&plain, "https://localhost:80/", "localhost:80"),
        ] {
            assert!(covers(host, url), "{url}");
            assert_eq!(host.as_connected(&Url::parse(url).unwrap()), connected);
        }
        let local: BoundHost = "[::1]:8080".parse().unwrap();
        assert_eq!(local.as_str(), "[::1]:8080");
        assert!(covers(&local, "http://[0:0::1]:8080/"));
    }

    #[test]
    fn what_is_more_or_less_than_a_host_is_refused() {
        for text in [
            "",
            ":443",
            "a:0",
            "a:",
            "a:70000",
            "https://a",
            "a/b",
            "a?b",
            "a#b",
            "u@a",
            "*.a.com",
            "a.com.",
            "a b",
            "a\\b",
            "a%2eb",
        ] {
            assert!(text.parse::<BoundHost>().is_err(), "{text}");
        }
    }
}
