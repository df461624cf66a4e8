use std::path::Path;
use std::time::Duration;

use reqwest::header::CACHE_CONTROL;
use reqwest::redirect::Policy;
use systemprompt_core::id::ValidatedUrl;
use tokio::io::AsyncReadExt as _;

use super::key_set::{KeySetError, MAX_BYTES};

/// How long a fetched document may be used when its server does not say.
const DEFAULT_AGE: Duration = Duration::from_secs(3600);
/// Shortest and longest time between two refreshes, whatever the server says.
const MIN_AGE: Duration = Duration::from_secs(300);
const MAX_AGE: Duration = Duration::from_secs(86_400);

/// A document and how long it may be used before it is fetched again.
pub(super) struct Fetched {
    pub(super) document: Vec<u8>,
    pub(super) age: Duration,
}

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the keys cannot be fetched")]
    Http(#[from] reqwest::Error),
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Document(#[from] KeySetError),
}

/// A client for JWKS: no redirects, no proxies, short deadlines.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(5))
        .pool_max_idle_per_host(0)
        .user_agent(concat!("systemprompt/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Fetches a document over HTTP.
pub(super) async fn from_url(
    client: &reqwest::Client,
    url: &ValidatedUrl,
) -> Result<Fetched, FetchError> {
    let mut response = client.get(url.as_str()).header("accept", "application/json").send().await?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let control = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let age = control.map_or(DEFAULT_AGE, age);
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if document.len() + chunk.len() > MAX_BYTES {
            return Err(KeySetError::TooLarge.into());
        }
        document.extend_from_slice(&chunk);
    }
    Ok(Fetched { document, age: age.clamp(MIN_AGE, MAX_AGE) })
}

/// Reads a document from a file.
pub(super) async fn from_file(path: &Path) -> Result<Fetched, FetchError> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut document = Vec::new();
    tokio::fs::File::open(path).await?.take(limit).read_to_end(&mut document).await?;
    Ok(Fetched { document, age: MIN_AGE })
}

/// The age that a `Cache-Control` value allows (RFC 9111, section 5.2.2).
fn age(control: &str) -> Duration {
    let mut age = DEFAULT_AGE;
    for directive in control.split(',').map(str::trim) {
        if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache")
        {
            return Duration::ZERO;
        }
        if let Some((name, value)) = directive.split_once('=')
            && name.eq_ignore_ascii_case("max-age")
            && let Ok(seconds) = value.trim_matches('"').parse()
        {
            age = Duration::from_secs(seconds);
        }
    }
    age
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_what_the_server_allows() {
        assert_eq!(age("public, max-age=600"), Duration::from_secs(600));
        assert_eq!(age("Max-Age=\"7\""), Duration::from_secs(7));
        assert_eq!(age("no-store"), Duration::ZERO);
        assert_eq!(age("public"), DEFAULT_AGE);
        assert_eq!(age("max-age=soon"), DEFAULT_AGE);
    }
}
