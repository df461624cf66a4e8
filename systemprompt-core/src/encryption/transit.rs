use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use url::Url;
use zeroize::Zeroizing;

use super::{KeyEncryption, KeyEncryptionError};
use crate::secret::Secret;

/// Most bytes of an answer that are read.
const MOST_BYTES: usize = 64 * 1024;

/// A key encryption key in the transit engine of Vault or OpenBao, which encrypts and decrypts with it and
/// never shows it.
pub struct Transit {
    options: TransitOptions,
    client: reqwest::Client,
}

/// Where a [`Transit`] key is.
pub struct TransitOptions {
    /// The server.
    pub url: Url,
    /// Where the engine is mounted, `transit` mostly.
    pub mount: String,
    /// The name of the key.
    pub name: String,
    /// What the server lets in.
    pub token: TransitToken,
    /// How long a request may take.
    pub timeout: Duration,
}

/// A token of Vault or OpenBao.
pub enum TransitToken {
    /// The token itself.
    Value(Secret<String>),
    /// A file, which is read for each request: an agent renews it.
    File(PathBuf),
}

impl Transit {
    /// A key; nothing is asked yet.
    ///
    /// # Errors
    /// [`KeyEncryptionError`] when the client cannot be set up.
    pub fn new(options: TransitOptions) -> Result<Self, KeyEncryptionError> {
        let client = reqwest::Client::builder()
            .timeout(options.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(unreached)?;
        Ok(Self { options, client })
    }

    /// Asks the engine, and gives the member `wanted` of what it answers.
    async fn ask(
        &self,
        verb: &str,
        body: &Json,
        wanted: &str,
    ) -> Result<Zeroizing<String>, KeyEncryptionError> {
        let TransitOptions { url, mount, name, .. } = &self.options;
        let mut url = url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(mount.split('/')).push(verb).push(name);
        }
        let token = self.token().await?;
        let request = self.client.post(url).header("x-vault-token", token.trim_end());
        let body = Zeroizing::new(body.to_string());
        let request = request.header("content-type", "application/json").body(body.to_string());
        let mut answer = request.send().await.map_err(unreached)?;
        let status = answer.status();
        if status == reqwest::StatusCode::BAD_REQUEST {
            // What it was given to decrypt was not encrypted by this key.
            return Err(KeyEncryptionError::Foreign);
        }
        if !status.is_success() {
            return Err(unavailable(&format!("the server answered {}", status.as_u16())));
        }
        let mut text = Zeroizing::new(Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(unreached)? {
            if text.len() + chunk.len() > MOST_BYTES {
                return Err(unavailable("the answer is too long"));
            }
            text.extend_from_slice(&chunk);
        }
        let answer: Json =
            serde_json::from_slice(&text).map_err(|_| unavailable("the answer is not JSON"))?;
        let member = answer.get("data").and_then(|data| data.get(wanted)).and_then(Json::as_str);
        member
            .map(|text| Zeroizing::new(text.to_owned()))
            .ok_or_else(|| unavailable("the answer does not hold what was asked for"))
    }

    async fn token(&self) -> Result<Zeroizing<String>, KeyEncryptionError> {
        match &self.options.token {
            TransitToken::Value(token) => Ok(Zeroizing::new(token.expose().clone())),
            TransitToken::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
                match read {
                    Ok(Ok(token)) => Ok(Zeroizing::new(token)),
                    _ => Err(unavailable("the file of the token cannot be read")),
                }
            }
        }
    }
}

#[async_trait]
impl KeyEncryption for Transit {
    async fn wrap(&self, key: &[u8]) -> Result<String, KeyEncryptionError> {
        let body = json!({ "plaintext": STANDARD.encode(key) });
        Ok(self.ask("encrypt", &body, "ciphertext").await?.to_string())
    }

    async fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        let body = json!({ "ciphertext": wrapped });
        let plain = self.ask("decrypt", &body, "plaintext").await?;
        let key = STANDARD.decode(plain.as_bytes()).map_err(|_| KeyEncryptionError::Foreign)?;
        Ok(Zeroizing::new(key))
    }
}

fn unreached(error: reqwest::Error) -> KeyEncryptionError {
    unavailable(&error.without_url().to_string())
}

fn unavailable(why: &str) -> KeyEncryptionError {
    KeyEncryptionError::Unavailable(why.to_owned())
}

impl fmt::Debug for Transit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TransitOptions { mount, name, .. } = &self.options;
        f.debug_struct("Transit").field("mount", mount).field("name", name).finish_non_exhaustive()
    }
}

impl fmt::Debug for TransitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransitOptions").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for TransitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(..)",
            Self::File(_) => "File(..)",
        })
    }
}
