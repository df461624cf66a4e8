use crate::inject::InjectError;

/// A request could not be sent or its answer not be taken. No text of it holds a value, or anything that
/// the upstream wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The settings cannot be meant.
    #[error("`{name}` in `{setting}` {why}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// The entry.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// The client could not be made.
    #[error("the TLS client cannot be set up: {0}")]
    Setup(String),
    /// The address is none that requests go to.
    #[error("the url {0}")]
    Url(&'static str),
    /// No TLS.
    #[error("`http` is for hosts of this machine that `private_hosts` names; use `https`")]
    Insecure,
    /// The host has an address of a private network.
    #[error(
        "the host has an address that is not of the public internet; name it in `private_hosts` if that is meant"
    )]
    PrivateAddress,
    /// The host has no address.
    #[error("the host has no address")]
    Unresolved,
    /// A secret is missing or refused.
    #[error(transparent)]
    Inject(#[from] InjectError),
    /// The redirect leads to a host that the secret is not bound to.
    #[error("host `{from}` redirects to another host, which the secret is not bound to")]
    RedirectLeavesBinding {
        /// The host that redirects.
        from: String,
    },
    /// The redirect leads from TLS to a connection without.
    #[error("host `{from}` redirects from `https` to `http`")]
    Downgrade {
        /// The host that redirects.
        from: String,
    },
    /// The redirect leads nowhere, or to an address that requests do not go to.
    #[error("host `{from}` redirects to an address that requests do not go to")]
    RedirectRefused {
        /// The host that redirects.
        from: String,
    },
    /// Too many redirects.
    #[error("more than {max} redirects")]
    TooManyRedirects {
        /// Most that are followed.
        max: usize,
    },
    /// The answer did not come in time.
    #[error("no answer in time")]
    Timeout,
    /// No connection, or it broke.
    #[error("the connection {0}")]
    Connection(&'static str),
    /// The answer is too large.
    #[error("the answer is larger than {max} bytes")]
    TooLarge {
        /// Most bytes.
        max: usize,
    },
    /// The answer is compressed, though that was not asked for, and cannot be searched.
    #[error("the answer is compressed and cannot be searched for secrets")]
    Compressed,
}
