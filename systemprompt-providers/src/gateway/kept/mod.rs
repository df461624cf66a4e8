//! Answers that are kept, so that the same request is answered again without asking the provider.
//!
//! What is kept is what the provider sent, not what the caller got of it: an answer from here goes the same way
//! as one that has just come, through the inspection of its texts and the decisions about its calls. So it is
//! answered under the policy that is in force now, by the rights of whoever asks now.

mod directives;
mod key;
mod lookup;
mod stats;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use systemprompt_core::config::ModelCache;

use self::key::KeptKey;
pub(super) use self::lookup::{Keeping, Lookup};
pub use self::stats::CacheStats;
use super::ask::Answering;
use super::lane::Outgoing;
use crate::upstream::{UpstreamAnswer, UpstreamBody};

/// Bytes that an answer takes beside its own.
const OVERHEAD: u64 = 1024;

/// What the cache had to say to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheUse {
    /// The answer was kept.
    Hit,
    /// It was not, and is from now on if it is fit for that.
    Miss,
}

impl CacheUse {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }
}

/// All answers that are kept, within the bytes that they may take together.
pub(super) struct AnswerCache {
    rules: ModelCache,
    answers: Cache<KeptKey, Arc<KeptAnswer>, Bytewise>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// An answer as its provider sent it, and what it takes to read it.
pub(super) struct KeptAnswer {
    /// How it was asked for, without the request itself.
    outgoing: Outgoing,
    content_type: Option<HeaderValue>,
    body: Bytes,
    /// Monotonic time at which it is too old.
    until: Duration,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<KeptKey, Arc<KeptAnswer>> for Bytewise {
    fn weight(&self, _: &KeptKey, answer: &Arc<KeptAnswer>) -> u64 {
        answer.size()
    }
}

impl AnswerCache {
    pub(super) fn new(rules: ModelCache) -> Self {
        const USUAL_ANSWER: u64 = 8 * 1024;
        const MOST_PLACES: u64 = 1 << 20;
        let places = (rules.max_bytes / USUAL_ANSWER).clamp(16, MOST_PLACES);
        // One shard: with several, each would have room for shorter answers alone.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(usize::try_from(places).unwrap_or(usize::MAX))
            .weight_capacity(rules.max_bytes)
            .build();
        let answers = match options {
            Ok(options) => Cache::with_options(
                options,
                Bytewise,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // It fails for what is not said, and all is.
            Err(_) => Cache::with_weighter(1, rules.max_bytes, Bytewise),
        };
        Self { rules, answers, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// Whether answers of a model are kept.
    fn is_for(&self, model: &str) -> bool {
        self.rules.models.iter().any(|pattern| pattern.matches(model))
    }

    /// Most bytes of an answer.
    fn longest(&self) -> usize {
        usize::try_from(self.rules.max_answer_bytes).unwrap_or(usize::MAX)
    }

    fn find(&self, key: &KeptKey, now: Duration) -> Option<Arc<KeptAnswer>> {
        let found = self.answers.get(key);
        let fresh = found.filter(|answer| now < answer.until);
        match &fresh {
            Some(_) => self.hits.fetch_add(1, Relaxed),
            None => {
                self.answers.remove_if(key, |answer| answer.until <= now);
                self.misses.fetch_add(1, Relaxed)
            }
        };
        fresh
    }

    fn keep(&self, key: KeptKey, head: KeptHead, body: Bytes, now: Duration) {
        let until = now.saturating_add(Duration::from_secs(self.rules.ttl_s));
        let KeptHead { outgoing, content_type } = head;
        self.answers.insert(key, Arc::new(KeptAnswer { outgoing, content_type, body, until }));
    }

    pub(super) fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            answers: self.answers.len() as u64,
            bytes: self.answers.weight(),
        }
    }
}

/// What is known of an answer before its body was read.
pub(super) struct KeptHead {
    outgoing: Outgoing,
    content_type: Option<HeaderValue>,
}

impl KeptHead {
    fn of(answer: &UpstreamAnswer, outgoing: &Outgoing) -> Self {
        let content_type = answer.headers.get(CONTENT_TYPE).cloned();
        Self { outgoing: outgoing.without_request(), content_type }
    }
}

impl KeptAnswer {
    /// The answer, as if its provider had just begun to send it.
    pub(super) fn answering(&self) -> Answering {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        let answer = UpstreamAnswer {
            status: StatusCode::OK,
            headers,
            body: UpstreamBody::kept(self.body.clone()),
            attempts: Vec::new(),
            retry_after: None,
        };
        Answering::Upstream { answer: Box::new(answer), outgoing: Box::new(self.outgoing.clone()) }
    }

    pub(super) const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// Bytes of memory it takes, about.
    fn size(&self) -> u64 {
        const OF_AN_ENTRY: usize = 96;
        let request = &self.outgoing.request;
        let names: usize = request
            .tool_names
            .iter()
            .chain(&*self.outgoing.source.tool_names)
            .map(|(sent, own)| sent.len() + own.len() + OF_AN_ENTRY)
            .sum();
        let losses = request.losses.losses().iter();
        let losses: usize = losses.map(|loss| loss.field.len() + OF_AN_ENTRY).sum();
        let content_type = self.content_type.as_ref().map_or(0, HeaderValue::len);
        OVERHEAD + (self.body.len() + names + losses + content_type) as u64
    }
}

#[cfg(test)]
mod tests;
