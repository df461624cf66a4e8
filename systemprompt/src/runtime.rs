//! The whole application: from a configuration to a server that drains before it ends.

#[doc(no_inline)]
pub use systemprompt_core::bootstrap::{
    BootstrapError, Config, CredentialsBootstrap, ProfileBootstrap, SecretsBootstrap,
};
#[doc(no_inline)]
pub use systemprompt_core::config::Environment;
#[doc(inline)]
pub use systemprompt_runtime::first_start::{FirstStart, first_start, starter_profile};
#[doc(inline)]
pub use systemprompt_runtime::server::Server;
#[doc(inline)]
pub use systemprompt_runtime::{
    App, AppBuilder, AppContext, CheckedProfile, Configured, StartError, Unconfigured,
    check_profile, installer, model_routes, provider_secrets,
};
