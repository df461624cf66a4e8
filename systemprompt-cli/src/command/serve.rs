//! `serve`.

use std::path::Path;

use systemprompt_runtime::{AppBuilder, logging};
use tokio::net::TcpListener;

use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(
    app: AppBuilder,
    args: &ServeArgs,
    profile: &Path,
    output: Output,
) -> Result<(), Failure> {
    let app = app.profile(profile).map_err(Failure::config)?;
    let (server, log) = (&app.configured().profile().server, &app.configured().profile().logging);
    logging::start(log);
    let addr = args.addr.unwrap_or(server.addr);
    let listener = TcpListener::bind(addr)
        .await
        .map_err(|error| Failure::usage(format!("cannot listen on `{addr}`: {error}")))?;
    let app = app.start().await.map_err(Failure::start)?;
    let bound = listener.local_addr().map_err(Failure::other)?;
    output.text(&format!("listening on http://{bound}\n"))?;
    app.serve(listener).await.map_err(Failure::other)
}
