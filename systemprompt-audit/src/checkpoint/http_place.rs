use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::{CheckpointPlace, CheckpointRecord, PlaceError};

/// How long a witness may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A witness that takes notes over HTTP: `POST` with the note as `text/plain`. Any answer of 2xx means
/// that it keeps it. Redirects are not followed.
#[derive(Debug, Clone)]
pub struct HttpPlace {
    url: Url,
    client: reqwest::Client,
}

impl HttpPlace {
    /// The witness at `url`.
    ///
    /// # Errors
    /// [`PlaceError::Unreached`] when the client cannot be set up.
    pub fn new(url: Url) -> Result<Self, PlaceError> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(unreached)?;
        Ok(Self { url, client })
    }
}

#[async_trait]
impl CheckpointPlace for HttpPlace {
    fn name(&self) -> String {
        // Path and user may hold a secret.
        format!("witness {}", self.url.origin().ascii_serialization())
    }

    async fn put(&self, record: &CheckpointRecord) -> Result<(), PlaceError> {
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "text/plain; charset=utf-8")
            .body(record.note.to_string());
        let status = request.send().await.map_err(unreached)?.status();
        if status.is_success() { Ok(()) } else { Err(PlaceError::Refused(status.as_u16())) }
    }
}

fn unreached(error: reqwest::Error) -> PlaceError {
    PlaceError::Unreached(error.without_url().to_string())
}
