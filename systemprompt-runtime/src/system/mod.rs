//! The routes of the process itself: health, metrics, the discovery document, and the answers to what
//! is on no route. None of them needs a credential, and none of them says anything about a call.

mod discovery;
mod fallback;
mod health;
mod metrics;
mod probe;

use axum::Router;
use axum::routing::get;
use systemprompt_core::api::with_trace;
use systemprompt_core::extension::MountedRouter;

pub(crate) use fallback::{not_found, wrong_method};
pub(crate) use probe::Probe;

use crate::App;

const HEALTH: &str = "/health";
const READY: &str = "/health/ready";
const METRICS: &str = "/metrics";
const DISCOVERY: &str = "/api/v1";

/// The routes of the process.
pub(crate) fn router(app: App) -> Router {
    let router = Router::new()
        .route(HEALTH, get(health::alive))
        .route(READY, get(health::ready))
        .route(METRICS, get(metrics::show))
        .route(DISCOVERY, get(discovery::show))
        .method_not_allowed_fallback(wrong_method)
        .with_state(app);
    with_trace(router)
}

/// The patterns that requests are counted by: every route of the family, and one per extension.
pub(crate) fn route_patterns(extensions: &[MountedRouter]) -> Vec<String> {
    let own = [HEALTH, READY, METRICS, DISCOVERY];
    let doors =
        systemprompt_governance::http::ROUTES.iter().chain(systemprompt_audit::http::ROUTES);
    let doors = doors.chain(systemprompt_providers::gateway::http::ROUTES);
    let family = own.into_iter().chain(doors.map(|(_, path)| *path)).map(str::to_owned);
    let bases = extensions.iter().map(|mounted| mounted.base().as_str());
    family.chain(bases.flat_map(|base| [base.to_owned(), format!("{base}/*")])).collect()
}
