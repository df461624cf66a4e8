use std::sync::Arc;

use serde_json::Value;
use systemprompt_core::llm::{ModelRequest, StopReason, ToolKind};

use super::directives::Directives;
use super::key::KeptKey;
use super::{CacheStats, CacheUse, KeptAnswer, KeptHead};
use crate::gateway::ModelGateway;
use crate::gateway::ask::{Answering, Asking, Exchange};
use crate::gateway::body::RequestBody;
use crate::gateway::lane;
use crate::gateway::seen::Seen;
use crate::route::{Chosen, ChosenTarget};
use crate::upstream::BodyCopy;

/// What the cache has for a request.
pub(in crate::gateway) enum Lookup {
    /// The answer.
    Found(Arc<KeptAnswer>),
    /// None, and the answer may be kept.
    Missed(Box<Keeping>),
    /// It is not for this request.
    Passed,
}

/// An answer that will be kept, if it is fit for that.
pub(in crate::gateway) struct Keeping {
    key: KeptKey,
    /// Whose answer it is to be: another one is asked for under another key.
    target: ChosenTarget,
    /// What is known of it once it has begun.
    begun: Option<(KeptHead, BodyCopy)>,
}

impl ModelGateway {
    /// What the cache of answers has done; `None` without one.
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.cache().map(super::AnswerCache::stats)
    }

    /// Looks for the answer to a request that was looked through, routed and permitted.
    pub(in crate::gateway) fn look_up(
        &self,
        asking: &Asking,
        request: &ModelRequest,
        body: &RequestBody,
        chosen: &Chosen,
    ) -> Lookup {
        let Some(cache) = self.cache().filter(|cache| cache.is_for(&chosen.model)) else {
            return Lookup::Passed;
        };
        let directives = Directives::of(&asking.headers);
        let target = &chosen.target;
        // What is asked in this process costs no time on a wire.
        let in_process = self.in_process(target.provider.name()).is_some();
        if directives.no_store || in_process || !is_repeatable(request, body) {
            return Lookup::Passed;
        }
        let key = KeptKey::of(asking, body, target, cache.rules.share);
        if !directives.no_cache
            && let Some(kept) = cache.find(&key, self.parts().clock.monotonic())
        {
            return Lookup::Found(kept);
        }
        Lookup::Missed(Box::new(Keeping { key, target: target.clone(), begun: None }))
    }

    /// Copies an answer that has begun while it is read, where it is one to be kept.
    pub(in crate::gateway) fn begin_keeping(
        &self,
        exchange: &mut Exchange,
        answering: &mut Answering,
    ) {
        let (Some(keeping), Some(cache)) = (&mut exchange.keeping, self.cache()) else { return };
        let target = exchange.account.target.as_ref();
        if let Answering::Upstream { answer, outgoing } = answering
            && target.is_some_and(|target| keeping.is_of(target))
        {
            let head = KeptHead::of(answer, outgoing);
            keeping.begun = Some((head, answer.body.copy(cache.longest())));
        }
    }

    /// Keeps an answer that went well to its end.
    pub(in crate::gateway) fn keep(&self, exchange: &mut Exchange, seen: &Seen) {
        let Some(keeping) = exchange.keeping.take().filter(|_| is_whole(seen)) else { return };
        let (Some(cache), Some((head, copy))) = (self.cache(), keeping.begun) else { return };
        if let Some(body) = copy.take() {
            cache.keep(keeping.key, head, body, self.parts().clock.monotonic());
        }
    }
}

impl Keeping {
    fn is_of(&self, target: &ChosenTarget) -> bool {
        self.target.provider.name() == target.provider.name() && self.target.model == target.model
    }
}

impl Exchange {
    /// What the cache had to say.
    pub(in crate::gateway) fn cache_use(&self) -> Option<CacheUse> {
        match (self.account.cached, &self.keeping) {
            (true, _) => Some(CacheUse::Hit),
            (false, Some(_)) => Some(CacheUse::Miss),
            (false, None) => None,
        }
    }
}

/// Whether an answer is one that the same request may have again.
fn is_whole(seen: &Seen) -> bool {
    let ended = matches!(
        seen.stop,
        Some(StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse)
    );
    ended && seen.error.is_none() && seen.denied == 0
}

/// Members that bring in what is kept elsewhere and may have changed, or that have an effect.
const ELSEWHERE: [&str; 4] = ["background", "container", "mcp_servers", "web_search_options"];

/// Whether a request says all that its answer depends on.
fn is_repeatable(request: &ModelRequest, body: &RequestBody) -> bool {
    let refers = |name: &&str| {
        body.value(name).is_some_and(|place| !matches!(body.at(place), "null" | "false"))
    };
    let runs_there = |kind: &ToolKind| match kind {
        ToolKind::Server { value } => !is_the_callers(value),
        ToolKind::Function { .. } | ToolKind::Text { .. } => false,
    };
    !ELSEWHERE.iter().chain(lane::STORED).any(refers)
        && !request.tools.iter().any(|tool| runs_there(&tool.kind))
}

/// Whether a tool that its provider has defined is run by the caller all the same.
fn is_the_callers(tool: &Value) -> bool {
    const BEGINNINGS: [&str; 6] =
        ["bash_", "text_editor_", "computer", "memory_", "local_shell", "apply_patch"];
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    BEGINNINGS.iter().any(|beginning| kind.starts_with(beginning))
}
