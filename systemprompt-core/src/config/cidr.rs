use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network in CIDR form, such as `10.0.0.0/8`. An address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Whether `address` is in the network. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        mask(address.to_canonical(), self.prefix) == Some(self.network)
            && address.to_canonical().is_ipv4() == self.network.is_ipv4()
    }
}

/// `address` with all bits after the first `prefix` cleared; `None` when it has fewer bits.
fn mask(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(v4) => {
            let host = 32_u32.checked_sub(prefix)?;
            let mask = u32::MAX.checked_shl(host).unwrap_or(0);
            Some(Ipv4Addr::from_bits(v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let host = 128_u32.checked_sub(prefix)?;
            let mask = u128::MAX.checked_shl(host).unwrap_or(0);
            Some(Ipv6Addr::from_bits(v6.to_bits() & mask).into())
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| CidrError::Form)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| CidrError::Prefix { bits })?
            }
            Some(_) => return Err(CidrError::Form),
            None => bits,
        };
        let network = mask(address, prefix).ok_or(CidrError::Prefix { bits })?;
        if network != address {
            return Err(CidrError::HostBits { network: Self { network, prefix } });
        }
        Ok(Self { network, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl TryFrom<String> for Cidr {
    type Error = CidrError;
    fn try_from(text: String) -> Result<Self, CidrError> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl schemars::JsonSchema for Cidr {
    fn schema_name() -> Cow<'static, str> {
        "Cidr".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$" })
    }
}

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CidrError {
    /// Not an address, or not followed by a prefix length.
    #[error("a network is an address and a prefix length, such as `10.0.0.0/8`")]
    Form,
    /// The prefix is longer than the address.
    #[error("the prefix length is 0 to {bits}")]
    Prefix {
        /// Bits of the address.
        bits: u8,
    },
    /// Bits after the prefix are set, so it is unclear what was meant.
    #[error("bits after the prefix are set; did you mean `{network}`?")]
    HostBits {
        /// The network the address is in.
        network: Cidr,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn contains_what_shares_the_prefix() {
        assert!(cidr("10.0.0.0/8").contains("10.255.1.2".parse().unwrap()));
        assert!(cidr("10.0.0.0/8").contains("::ffff:10.1.1.1".parse().unwrap()));
        assert!(!cidr("10.0.0.0/8").contains("11.0.0.0".parse().unwrap()));
        assert!(!cidr("10.0.0.0/8").contains("::1".parse().unwrap()));
        assert!(cidr("0.0.0.0/0").contains("8.8.8.8".parse().unwrap()));
        assert!(!cidr("0.0.0.0/0").contains("2001:db8::1".parse().unwrap()));
        assert!(cidr("2001:db8::/32").contains("2001:db8:1::1".parse().unwrap()));
        assert!(cidr("192.0.2.7").contains("192.0.2.7".parse().unwrap()));
        assert!(!cidr("192.0.2.7").contains("192.0.2.8".parse().unwrap()));
    }

    #[test]
    fn refuses_what_is_no_network() {
        for text in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0/8", "::/129", "a/8"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
        let error = "10.1.0.0/8".parse::<Cidr>().unwrap_err();
        assert_eq!(error.to_string(), "bits after the prefix are set; did you mean `10.0.0.0/8`?");
    }
}
