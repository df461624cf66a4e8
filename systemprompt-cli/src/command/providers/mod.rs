//! `providers list`, `test`, `prices`.

mod listing;
mod prices;
mod test;

use std::path::Path;
use std::sync::Arc;

use systemprompt_core::bootstrap::ProfileBootstrap;
use systemprompt_core::config::Environment;
use systemprompt_core::encryption::KeyEncryption;
use systemprompt_core::extension::TypedExtensionRegistry;
use systemprompt_providers::route::RouteTable;

use crate::args::ProvidersCommand;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(
    command: &ProvidersCommand,
    profile: &Path,
    linked: TypedExtensionRegistry,
    encryption: Option<Arc<dyn KeyEncryption>>,
    output: Output,
) -> Result<(), Failure> {
    match command {
        ProvidersCommand::List => listing::list(&routes(profile)?, output),
        ProvidersCommand::Prices(args) => prices::list(args, profile, output),
        ProvidersCommand::Test(args) => test::run(args, profile, linked, encryption, output).await,
    }
}

/// The routes of a profile. The secrets it refers to need not be there.
fn routes(profile: &Path) -> Result<RouteTable, Failure> {
    let stage = ProfileBootstrap::load(profile, Environment::from_process());
    let stage = stage.map_err(Failure::config)?;
    systemprompt_runtime::model_routes(stage.loaded()).map_err(Failure::config)
}
