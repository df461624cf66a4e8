//! Connections to providers: timeouts, retries, circuit breakers, guarded addresses.
//!
//! An [`UpstreamClient`] stands for one provider. It holds the provider's connections, lets so many calls
//! through at a time, stops asking while the provider is down, asks again where that cannot do harm, and
//! looks at every address before it connects. What comes back is an [`UpstreamAnswer`], whose body is a
//! stream of bytes as they arrive.
//!
//! | module | what it does |
//! |---|---|
//! | `settings` | what can be configured |
//! | `client` | what a host holds: a provider |
//! | `exchange` | sends a call, and again where that helps |
//! | `connections` | how connections are made: TLS, HTTP/2, proxies |
//! | `call` | what is sent: path, headers, body, credential |
//! | `body` | reads the answer, with its timeouts and caps |
//! | `in_process` | providers that are no connection: a host's own, and the one that is built in |
//! | `gzip` | decodes answers that were compressed in spite of the request |
//! | `breaker`, `bulkhead` | leave a provider alone that is down or busy |
//! | `resolver`, `address` | which addresses are connected to |
//! | `error`, `classify` | what went wrong, without the credential and without the body |
//!
//! An answer with a status other than 2xx is an answer, not an error: its body says what failed in the
//! words of the provider, which a dialect reads. The [`UpstreamError`]s are those of the connection.

mod address;
mod answer;
mod attempt;
mod body;
mod breaker;
mod bulkhead;
mod call;
mod classify;
mod client;
mod configured;
mod connections;
mod copy;
mod error;
mod exchange;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzed;
mod gzip;
mod health;
mod in_process;
mod resolver;
mod retry;
mod settings;

pub use answer::UpstreamAnswer;
pub use attempt::{Attempt, AttemptOutcome};
pub use body::UpstreamBody;
pub use call::{Credential, UpstreamCall};
pub use client::UpstreamClient;
pub(crate) use copy::BodyCopy;
pub use error::{UpstreamError, UpstreamErrorKind, Waited};
pub use health::{BreakerState, UpstreamHealth};
pub(crate) use in_process::Asked;
pub use in_process::{InProcess, InProcessAnswer};
pub use settings::{BreakerSettings, FailureShare, RetrySettings, SettingsError, UpstreamSettings};
