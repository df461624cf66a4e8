//! Witnesses that speak C2SP tlog-witness.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use url::Url;

use super::{CheckpointRecord, GrowingLog, PlaceError, Witness};
use crate::merkle::Hash;
use crate::note::{NoteError, NoteSignature, SignedNote, WitnessKey};

/// How long a witness may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes.
const ANSWER: usize = 64 * 1024;

/// Most hashes of a proof: more than any tree needs.
const PROOF: usize = 63;

/// How often one checkpoint is handed over anew because the witness has seen another size than was thought.
const ROUNDS: usize = 4;

/// A witness over HTTP (C2SP tlog-witness): `POST <prefix>/add-checkpoint` with the checkpoint and the proof
/// that it goes on where the one ended that the witness has cosigned before. Redirects are not followed.
#[derive(Debug)]
pub struct TlogWitness {
    url: Url,
    key: WitnessKey,
    client: reqwest::Client,
    /// What it has cosigned last, by log.
    seen: Mutex<HashMap<String, u64>>,
}

/// What a witness has answered.
enum Answer {
    /// Lines of signatures.
    Cosigned(String),
    /// It has cosigned a checkpoint of this size last.
    Seen(u64),
}

impl TlogWitness {
    /// The witness with this submission prefix and key.
    ///
    /// # Errors
    /// [`PlaceError::Unreached`] when the client cannot be set up.
    pub fn new(prefix: &Url, key: WitnessKey) -> Result<Self, PlaceError> {
        let mut url = prefix.clone();
        url.set_path(&format!("{}/add-checkpoint", prefix.path().trim_end_matches('/')));
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(unreached)?;
        Ok(Self { url, key, client, seen: Mutex::default() })
    }

    fn seen(&self, origin: &str) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(origin).copied().unwrap_or_default()
    }

    fn remember(&self, origin: &str, size: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(origin.to_owned(), size);
    }

    async fn submit(
        &self,
        old: u64,
        proof: &[Hash],
        record: &CheckpointRecord,
    ) -> Result<Answer, PlaceError> {
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(body(old, proof, &record.note));
        let answer = request.send().await.map_err(unreached)?;
        let (status, is_size) = (answer.status(), is_size(answer.headers()));
        match status {
            StatusCode::OK => Ok(Answer::Cosigned(text(answer).await?)),
            StatusCode::CONFLICT if is_size => {
                let size = parse_size(&text(answer).await?);
                size.map(Answer::Seen).ok_or_else(|| declined("it names no size that it has seen"))
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(PlaceError::Refused(status.as_u16()))
            }
            status if status.is_client_error() => Err(PlaceError::Declined(reason(status, record))),
            status => Err(PlaceError::Refused(status.as_u16())),
        }
    }

    /// The note with those of the cosignatures in `lines` that are the witness's own.
    fn cosigned(&self, note: &SignedNote, lines: &str) -> Result<SignedNote, PlaceError> {
        let signatures: Option<Vec<_>> = lines.lines().map(NoteSignature::from_line).collect();
        let signatures =
            signatures.ok_or_else(|| declined("its answer is no list of signatures"))?;
        let too_many = |error: NoteError| declined(&error.to_string());
        let answered = note.clone().with(&signatures).map_err(too_many)?;
        match self.key.cosignature(&answered) {
            Ok(Some(own)) => note.clone().with(&[own.signature]).map_err(too_many),
            Ok(None) => Err(declined(&format!("it has not cosigned with the key {}", self.key))),
            Err(_) => Err(declined("its cosignature is not that of its key over the checkpoint")),
        }
    }
}

#[async_trait]
impl Witness for TlogWitness {
    fn name(&self) -> String {
        // Path and user may hold a secret.
        format!("{} at {}", self.key.name(), self.url.origin().ascii_serialization())
    }

    async fn cosign(
        &self,
        record: &CheckpointRecord,
        log: &dyn GrowingLog,
    ) -> Result<Option<SignedNote>, PlaceError> {
        let (origin, size) = (record.checkpoint.origin.as_str(), record.checkpoint.size);
        let mut old = self.seen(origin);
        for _ in 0..ROUNDS {
            if old > size {
                let has = log.size().await?;
                if has >= old {
                    return Ok(None);
                }
                return Err(declined(&format!(
                    "it has cosigned {old} events of a log that has {has}: events are missing at its end"
                )));
            }
            let proof = match old {
                0 => Vec::new(),
                old => log.consistency(old, size).await?,
            };
            match self.submit(old, &proof, record).await? {
                Answer::Cosigned(lines) => {
                    let note = self.cosigned(&record.note, &lines)?;
                    self.remember(origin, size);
                    return Ok(Some(note));
                }
                Answer::Seen(seen) if seen == old => {
                    return Err(declined(&reason(StatusCode::UNPROCESSABLE_ENTITY, record)));
                }
                Answer::Seen(seen) => {
                    self.remember(origin, seen);
                    old = seen;
                }
            }
        }
        Err(PlaceError::Refused(StatusCode::CONFLICT.as_u16()))
    }
}

/// The body of `add-checkpoint`.
fn body(old: u64, proof: &[Hash], note: &SignedNote) -> String {
    let mut body = format!("old {old}\n");
    for hash in proof.iter().take(PROOF) {
        body.push_str(&STANDARD.encode(hash));
        body.push('\n');
    }
    // Nothing that could fail.
    let _ = write!(body, "\n{note}");
    body
}

fn is_size(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value == "text/x.tlog.size")
}

/// A size in decimal and a line break.
fn parse_size(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('\n').unwrap_or(text);
    let plain = digits == "0" || !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What a status of C2SP tlog-witness means.
fn reason(status: StatusCode, record: &CheckpointRecord) -> String {
    match status {
        StatusCode::NOT_FOUND => {
            format!("it does not know the log `{}`", record.checkpoint.origin)
        }
        StatusCode::FORBIDDEN => {
            let (origin, key) = (&record.checkpoint.origin, &record.key);
            format!("it does not know the log `{origin}` with the key {key}")
        }
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
            "what it has seen of the log is not the beginning of what it is now".to_owned()
        }
        other => format!("it answered {}", other.as_u16()),
    }
}

/// The text of an answer of a bounded length.
async fn text(mut answer: Response) -> Result<String, PlaceError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreached)? {
        if bytes.len() + chunk.len() > ANSWER {
            return Err(declined("its answer is too long"));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| declined("its answer is no text"))
}

fn declined(why: &str) -> PlaceError {
    PlaceError::Declined(why.to_owned())
}

fn unreached(error: reqwest::Error) -> PlaceError {
    PlaceError::Unreached(error.without_url().to_string())
}
