//! Composition of a systemprompt process: bootstrap, the merged router, the server, graceful shutdown.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use systemprompt_runtime::App;
//!
//! let app = App::builder().installation("./systemprompt-data").await?.start().await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! app.serve(listener).await?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`AppBuilder`] collects what a host brings; [`AppContext`] is the last stage of bootstrap; [`App`]
//!   is the running application, with [`App::router`] for hosts that serve by themselves.
//! - [`server`] is the HTTP server with its limits.
//! - [`first_start`](mod@first_start) makes a new installation: data folder, database, first users and
//!   keys, starter profile.

mod app;
mod audit_keys;
mod audit_signing;
mod check_profile;
mod custody;
mod enabled;
mod error;
mod export;
pub mod first_start;
mod forget_revocations;
mod hardening;
mod injection;
mod issuer;
mod jobs;
mod journal;
mod key_encryption;
pub mod logging;
mod metrics;
mod models;
mod prune_events;
mod reload;
mod secret_rules;
pub mod server;
mod shadow;
mod signal;
mod system;

#[doc(inline)]
pub use app::{App, AppBuilder, AppContext, Configured, Unconfigured, installer};
#[doc(inline)]
pub use audit_keys::{retention, subject_keys};
#[doc(inline)]
pub use audit_signing::previous_key;
#[doc(inline)]
pub use check_profile::{CheckedProfile, check_profile};
#[doc(inline)]
pub use custody::custody_key;
#[doc(inline)]
pub use error::StartError;
#[doc(inline)]
pub use models::{routes as model_routes, secrets as provider_secrets};
#[doc(inline)]
pub use secret_rules::scanner;
