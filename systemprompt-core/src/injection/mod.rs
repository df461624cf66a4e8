//! What is injected where, as a configuration says it: the section `injection` of the profile, and what
//! puts secrets there reads.

mod bound_host;
mod http;
mod named_secret;
mod process;
mod settings;

pub use bound_host::{BoundHost, BoundHostError};
pub use http::{CrossHost, HttpSettings};
pub use named_secret::{NamedSecret, NamedSecretError};
pub use process::ProcessLimits;
pub use settings::{Binding, BoundSink, Declaration, DeclaredHeader, InjectionSettings};
