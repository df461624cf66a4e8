use std::io;

use axum::Router;
use tokio::net::TcpListener;

use super::App;
use crate::hardening::harden;
use crate::server::Server;
use crate::signal::{Hangups, terminated};
use crate::system;

/// What the paths of requests to models begin with.
const MODELS: &str = "/v1/";

impl App {
    /// Serves the connections of `listener` until SIGTERM or Ctrl-C, reloading the policy on SIGHUP;
    /// then lets running requests finish and ends the application, for its other listeners too. The
    /// process is closed to others of the same user before (`custody.harden_process`).
    ///
    /// # Errors
    /// When signals cannot be received or the listener is not usable. The application has ended then,
    /// too.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        harden(&self.0.context.config);
        let served = async {
            let (mut hangups, stop) = (Hangups::new()?, terminated()?);
            let reloads = async {
                loop {
                    hangups.next().await;
                    tracing::info!("SIGHUP: loading the policy again");
                    // What is wrong is logged, counted and recorded on the way.
                    drop(self.reload().await);
                }
            };
            tokio::select! {
                served = self.listen(listener, stop) => served,
                never = reloads => never,
            }
        };
        let served = served.await;
        self.shutdown().await;
        served
    }

    /// Serves the connections of `listener` until `stop` completes, then lets running requests finish
    /// and ends the application. Signals are left to the host, and so is
    /// [`harden_process`](systemprompt_custody::inject::harden_process).
    ///
    /// # Errors
    /// When the listener is not usable.
    pub async fn serve_until(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let served = self.listen(listener, stop).await;
        self.shutdown().await;
        served
    }

    async fn listen(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let section = &self.0.context.config.profile().server;
        let stop = async {
            stop.await;
            self.0.streams.close();
        };
        let models = self.0.context.config.profile().models.body_limit_bytes;
        Server::metered(self.whole_router(), section, self.0.meter.clone())
            .with_long_bodies(MODELS, models)
            .serve(listener, stop)
            .await
    }

    /// The routes with an answer for everything that is on none of them.
    fn whole_router(&self) -> Router {
        self.router().fallback(system::not_found).method_not_allowed_fallback(system::wrong_method)
    }
}
