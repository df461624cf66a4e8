//! The whole application: bootstrap in stages, [`App`], and the first start of an installation.

#[doc(inline)]
pub use systemprompt_core::bootstrap::{
    BootstrapError, Config, CredentialsBootstrap, ProfileBootstrap, SecretsBootstrap,
};
#[doc(inline)]
pub use systemprompt_core::config::Environment;
#[doc(inline)]
pub use systemprompt_runtime::first_start::{FirstStart, first_start, starter_profile};
#[doc(inline)]
pub use systemprompt_runtime::{
    App, AppBuilder, AppContext, CheckedProfile, Configured, StartError, Unconfigured,
    check_profile, installer,
};
