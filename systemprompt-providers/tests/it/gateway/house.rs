use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::Value;
use systemprompt_core::api::{AuthRefusal, Authenticate, RequestHead};
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::config::{Environment, parse};
use systemprompt_core::contract::{BudgetStore, LlmProvider};
use systemprompt_core::event::AiRequest;
use systemprompt_core::id::{Audience, TenantId, TokenId, UserId};
use systemprompt_core::principal::{Principal, PrincipalClaims};
use systemprompt_core::secret::Secret;
use systemprompt_providers::budget::{BudgetRule, BudgetRules, MemoryBudgetStore};
use systemprompt_providers::gateway::http::{ModelDoors, router};
use systemprompt_providers::gateway::{BodyRules, GatewayParts, ModelGateway, ProviderSecrets};
use systemprompt_providers::price::PriceTable;
use systemprompt_providers::route::RouteTable;
use systemprompt_providers::scripted::{Script, ScriptedUpstream, SeenRequest, sse};
use tower::ServiceExt as _;

use super::governor::Governor;
use super::scanner::Scanner;
use super::wire::{Got, Part, Wire};

/// The key of the caller.
pub(super) const CALLER_KEY: &str = "key-of-the-caller";

/// The keys of others, and whose they are: tenant, user, credential.
pub(super) const OTHERS: [(&str, [&str; 3]); 3] = [
    ("another-key-of-the-caller", ["acme", "ann", "key2"]),
    ("key-of-a-colleague", ["acme", "bob", "key3"]),
    ("key-of-a-stranger", ["umbrella", "ann", "key1"]),
];

/// The key of the provider.
pub(super) const PROVIDER_KEY: &str = "key-of-the-provider";

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway, its callers' door, and a provider behind it that speaks every dialect: models whose names begin
/// with `a-`, `c-`, `r-` and `g-` are spoken to in one each. `next-a-` and so on have another one to fall back
/// to.
pub(super) struct House {
    pub(super) upstream: ScriptedUpstream,
    pub(super) second: ScriptedUpstream,
    pub(super) governor: Governor,
    pub(super) scanner: Arc<Scanner>,
    pub(super) budgets: Arc<dyn BudgetStore>,
    pub(super) gateway: ModelGateway,
    pub(super) router: Router,
}

/// What a house is built with.
pub(super) struct Plan {
    pub(super) timeouts: &'static str,
    pub(super) budgets: Vec<BudgetRule>,
    /// Where they are counted: in memory where nothing is said.
    pub(super) store: Option<Arc<dyn BudgetStore>>,
    pub(super) body_limit: usize,
    /// What else is said of every provider.
    pub(super) providers: &'static str,
    pub(super) clock: Arc<dyn Clock>,
    /// More lines of the section `models`.
    pub(super) routes: &'static str,
    /// More providers at the upstream: their names, and what is said of them but their place.
    pub(super) more_upstreams: &'static [(&'static str, &'static str)],
    /// More lines of providers.
    pub(super) more_providers: &'static str,
    /// What extensions bring.
    pub(super) extensions: Vec<Arc<dyn LlmProvider>>,
    /// The key of the provider of `a-`, as it is configured.
    pub(super) key: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            timeouts: "{connect_ms: 2000, first_byte_ms: 5000, idle_ms: 5000, total_ms: 15000}",
            budgets: Vec::new(),
            store: None,
            body_limit: 1 << 20,
            providers: "breaker: {failures: 0}",
            clock: SystemClock::shared(),
            routes: "",
            more_upstreams: &[],
            more_providers: "",
            extensions: Vec::new(),
            key: "{env: K}",
        }
    }
}

/// What a caller got.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl House {
    pub(super) async fn new() -> Self {
        Self::built(Plan::default()).await
    }

    pub(super) async fn built(plan: Plan) -> Self {
        let (upstream, second) =
            (ScriptedUpstream::start().await.unwrap(), ScriptedUpstream::start().await.unwrap());
        let text = profile(&plan, &upstream.url(), &second.url());
        let loaded = parse(&text, "p.yaml", &Environment::empty());
        let models = loaded.unwrap_or_else(|error| panic!("{error}")).profile.models;
        static PRICES: LazyLock<Arc<PriceTable>> =
            LazyLock::new(|| Arc::new(PriceTable::embedded()));
        let routes = RouteTable::compile(&models, PRICES.clone());
        let key = |name: &str| (name.to_owned(), Arc::new(Secret::new(PROVIDER_KEY.to_owned())));
        let more = plan.more_upstreams.iter().map(|(name, _)| *name);
        let keys = ["a", "c", "r", "g", "a2", "c2", "r2", "own"].into_iter().chain(more).map(key);
        let (governor, scanner) = (Governor::default(), Arc::new(Scanner::default()));
        let clock = plan.clock.clone();
        let in_memory = || Arc::new(MemoryBudgetStore::new(clock.clone())) as Arc<dyn BudgetStore>;
        let budgets = plan.store.clone().unwrap_or_else(in_memory);
        let gateway = ModelGateway::new(GatewayParts {
            routes: routes.unwrap_or_else(|error| panic!("{error}")),
            secrets: ProviderSecrets { keys: keys.collect(), ..ProviderSecrets::default() },
            extensions: plan.extensions.clone(),
            decide: Arc::new(governor.clone()),
            inspect: scanner.clone(),
            ledger: Arc::new(governor.clone()),
            audit: Arc::new(governor.clone()),
            custody: Arc::new(governor.clone()),
            redact: Arc::new(governor.clone()),
            budgets: BudgetRules::compile(&plan.budgets).unwrap(),
            budget_store: budgets.clone(),
            clock: clock.clone(),
            cache: models.cache.clone(),
            bodies: BodyRules { which: models.record_bodies, most_bytes: models.record_body_bytes },
        })
        .unwrap();
        let doors = ModelDoors {
            gateway: gateway.clone(),
            authenticate: Arc::new(Keys),
            body_limit: plan.body_limit,
        };
        Self { upstream, second, governor, scanner, budgets, gateway, router: router(doors) }
    }

    /// The provider answers every request in a dialect so.
    pub(super) fn plays(&self, wire: Wire, script: Script) {
        self.upstream.always("POST", wire.path(), script);
    }

    /// The provider answers every request in a dialect with these parts.
    pub(super) fn says(&self, wire: Wire, parts: &[Part], stream: bool) {
        let script = match stream {
            true => sse(wire.stream(parts)),
            false => Script::json(wire.whole(parts)),
        };
        self.plays(wire, script);
    }

    /// Sends a request through the door of a dialect.
    pub(super) async fn ask(&self, wire: Wire, body: impl ToString) -> Reply {
        self.send(request(wire).body(Body::from(body.to_string())).unwrap()).await
    }

    /// The same, where many do so at a time.
    pub(super) async fn patiently(&self, wire: Wire, body: &str) -> Reply {
        self.whole(request(wire).body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Reply {
        tokio::time::timeout(PATIENCE, self.whole(request)).await.expect("it hangs")
    }

    async fn whole(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// Asks and reads the answer, which keeps the grammar of its dialect.
    pub(super) async fn got(&self, front: Wire, model: &str, stream: bool) -> (Got, Reply) {
        let reply = self.ask(front, front.request(model, stream)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let got = if stream {
            front.check(&reply.body, false);
            front.read_stream(&reply.body)
        } else {
            front.read_whole(&reply.body)
        };
        (got, reply)
    }

    /// The last request that the provider saw.
    pub(super) fn seen(&self) -> SeenRequest {
        self.upstream.journal().pop().expect("a request")
    }

    /// The record of the last request, when there are so many.
    pub(super) async fn record(&self, number: usize) -> AiRequest {
        let all = async {
            loop {
                let records = self.governor.records();
                if records.len() >= number {
                    return records;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let mut all = tokio::time::timeout(PATIENCE, all).await.expect("a record");
        // Its money is counted beside it.
        tokio::time::timeout(PATIENCE, self.gateway.settled()).await.expect("it never is");
        assert_eq!(all.len(), number, "one record of each request");
        all.pop().unwrap()
    }

    /// Asserts that every use of a model was settled, and no permit was lost.
    pub(super) async fn is_settled(&self) {
        tokio::time::timeout(PATIENCE, self.gateway.settled()).await.expect("it never is");
        assert_eq!(self.governor.abandoned(), 0, "a permit was dropped");
        for call in self.governor.decided() {
            if call.permit.is_some() && call.tool().starts_with("model:") {
                assert!(call.outcome.is_some(), "`{}` is not settled", call.tool());
            }
        }
    }
}

/// A request of the caller, without its body.
pub(super) fn request(wire: Wire) -> axum::http::request::Builder {
    request_with(CALLER_KEY, wire)
}

/// A request of whoever has this key, without its body.
pub(super) fn request_with(key: &str, wire: Wire) -> axum::http::request::Builder {
    let request = Request::builder().method("POST").uri(wire.path());
    let request = request.header("x-systemprompt-session-id", "s1");
    let request = request.header("content-type", "application/json");
    match wire {
        Wire::A => request.header("x-api-key", key).header("anthropic-version", "2023-06-01"),
        _ => request.header("authorization", format!("Bearer {key}")),
    }
}

fn profile(plan: &Plan, upstream: &str, second: &str) -> String {
    let mut text = String::from("profile: p\nmodels:\n  providers:\n");
    let kinds = BTreeMap::from([
        ("a", "kind: anthropic"),
        ("c", "kind: openai_chat"),
        ("r", "kind: custom, wire: responses"),
        ("g", "kind: gemini"),
    ]);
    for (name, kind) in &kinds {
        for (name, url) in [((*name).to_owned(), upstream), (format!("{name}2"), second)] {
            let key = if name == "a" { plan.key } else { "{env: K}" };
            let _ = writeln!(
                text,
                "    {name}: {{{kind}, base_url: '{url}', key: {key}, private_addresses: true, \
                 timeouts: {}, retries: {{attempts: 1}}, {}}}",
                plan.timeouts, plan.providers
            );
        }
    }
    text.push_str(plan.more_providers);
    for (name, what) in plan.more_upstreams {
        let _ = writeln!(
            text,
            "    {name}: {{{what}, base_url: '{upstream}', key: {{env: K}}, private_addresses: true}}"
        );
    }
    text.push_str("    echo: {kind: echo}\n  routes:\n");
    for name in kinds.keys() {
        let _ = writeln!(
            text,
            "  - {{match: '{name}-*', provider: {name}, model: up-{name}, unpriced: allow}}\n  \
             - {{match: 'same-{name}', provider: {name}, unpriced: allow}}\n  \
             - {{match: 'next-{name}-*', provider: {name}, model: up-{name}, unpriced: allow, \
             fallback: [{{provider: {name}2, model: up2-{name}}}]}}"
        );
    }
    text.push_str("  - {match: claude-opus-5, provider: a}\n");
    text.push_str("  - {match: forbidden, provider: a, model: up-a, unpriced: allow}\n");
    text.push_str("  - {match: 'echo', provider: echo}\n");
    text + plan.routes
}

/// Knows a few keys.
struct Keys;

#[async_trait]
impl Authenticate for Keys {
    async fn authenticate(
        &self,
        request: RequestHead<'_>,
        audience: &Audience,
    ) -> Result<Principal, AuthRefusal> {
        let header = |name: &str| request.headers.get(name)?.to_str().ok();
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let key = header("x-api-key").or(bearer).ok_or(AuthRefusal::Missing)?;
        let mut known = OTHERS.into_iter().chain([(CALLER_KEY, ["acme", "ann", "key1"])]);
        let (_, [tenant, user, credential]) =
            known.find(|(known, _)| *known == key).ok_or(AuthRefusal::Missing)?;
        let claims = PrincipalClaims {
            tenant: TenantId::parse(tenant).unwrap(),
            user: UserId::parse(user).unwrap(),
            roles: BTreeSet::default(),
            scopes: BTreeSet::default(),
            department: None,
            audience: audience.clone(),
            credential: TokenId::parse(credential).unwrap(),
            actors: Vec::new(),
        };
        Ok(Principal::assert_authenticated(claims).unwrap())
    }

    fn client_addr(&self, request: RequestHead<'_>) -> Option<IpAddr> {
        request.peer
    }
}
