use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;

use crate::App;
use crate::metrics::Exposition;

/// All metrics in the Prometheus text format.
pub(super) async fn show(State(app): State<App>) -> Response {
    let mut page = Exposition::new();
    app.expose(&mut page);
    ([(header::CONTENT_TYPE, Exposition::CONTENT_TYPE)], page.into_text()).into_response()
}
