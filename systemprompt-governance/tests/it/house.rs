//! What the tests share: a log in memory, principals, calls and a starter policy.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use systemprompt_core::call::{Arguments, CallContext, Door, ToolCall, ToolRef};
use systemprompt_core::clock::{Clock, ManualClock, Timestamp};
use systemprompt_core::contract::{
    AuditError, AuditSink, FoundPermit, GrantedCall, PermitLedger, PermitState, SettleError,
};
use systemprompt_core::decision::{CheckOutcome, Decision, Outcome};
use systemprompt_core::event::{AuditBody, AuditEvent, DecisionBody};
use systemprompt_core::id::{AgentId, Audience, CallId, PermitId, RoleId, Scope, SessionId};
use systemprompt_core::policy::{
    AgentPolicy, Blocklist, LimitKey, LimitPolicy, PolicyDocument, ScopeRule,
};
use systemprompt_core::principal::{Principal, PrincipalClaims};
use systemprompt_governance::secret::Scanner;
use systemprompt_governance::{Governor, GovernorBuilder};
use tokio::sync::Semaphore;

/// A log in memory: durable as far as a test is concerned, and able to fail or stall.
pub(crate) struct MemoryLog {
    pub(crate) events: Mutex<Vec<AuditEvent>>,
    pub(crate) outcomes: Mutex<HashMap<PermitId, Option<Outcome>>>,
    pub(crate) broken: AtomicBool,
    /// Appends wait for one of these.
    pub(crate) gate: Semaphore,
    pub(crate) clock: Arc<ManualClock>,
}

impl MemoryLog {
    pub(crate) fn decisions(&self) -> Vec<DecisionBody> {
        let events = self.events.lock();
        events
            .iter()
            .filter_map(|event| match &event.body {
                AuditBody::Decision(body) => Some((**body).clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// Everything that was recorded, as text, to be searched for what must not be there.
    pub(crate) fn text(&self) -> String {
        format!("{:?} {:?}", self.events.lock(), self.outcomes.lock())
    }
}

#[async_trait::async_trait]
impl AuditSink for MemoryLog {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        let Ok(pass) = self.gate.acquire().await else { return Err(AuditError::Closed) };
        drop(pass);
        if self.broken.load(Ordering::SeqCst) {
            return Err(AuditError::Unavailable("told to fail".into()));
        }
        self.events.lock().push(event);
        Ok(())
    }
}

#[async_trait::async_trait]
impl PermitLedger for MemoryLog {
    async fn settle(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let PermitState::Open { expires_at } = self.state(permit).await? else {
            return Err(SettleError::AlreadySettled);
        };
        let own = self.events.lock().iter().any(|event| {
            PermitId::from(event.id) == permit
                && event.subject.as_ref().is_some_and(|subject| &subject.user == principal.user())
        });
        if !own {
            return Err(SettleError::Unknown);
        }
        if self.clock.now() > expires_at {
            return Err(SettleError::Expired);
        }
        self.outcomes.lock().insert(permit, Some(outcome));
        Ok(())
    }

    fn abandon(&self, permit: PermitId) {
        self.outcomes.lock().entry(permit).or_insert(None);
    }

    async fn state(&self, permit: PermitId) -> Result<PermitState, AuditError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(AuditError::Unavailable("told to fail".into()));
        }
        if self.outcomes.lock().contains_key(&permit) {
            return Ok(PermitState::Settled);
        }
        let open = self.decisions().into_iter().find(|body| body.permit == Some(permit));
        Ok(open
            .and_then(|body| body.expires_at)
            .map_or(PermitState::Unknown, |expires_at| PermitState::Open { expires_at }))
    }

    async fn find(&self, call: GrantedCall<'_>) -> Result<Option<FoundPermit>, AuditError> {
        let events = self.events.lock();
        let found =
            events.iter().rfind(|event| event.context.call_id.as_ref() == Some(call.call_id));
        Ok(found.and_then(|event| match &event.body {
            AuditBody::Decision(body) => Some(FoundPermit {
                id: event.id.into(),
                server: body.server.clone(),
                tool: body.tool.clone(),
                trace_id: event.trace_id,
            }),
            _ => None,
        }))
    }
}

pub(crate) struct House {
    pub(crate) governor: Governor,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) clock: Arc<ManualClock>,
}

/// A governor over a log in memory and a clock that stands still.
pub(crate) fn house(policy: PolicyDocument) -> House {
    house_with(policy, |builder| builder)
}

pub(crate) fn house_with(
    policy: PolicyDocument,
    add: impl FnOnce(GovernorBuilder) -> GovernorBuilder,
) -> House {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_795_378_500_000_000)));
    let log = Arc::new(MemoryLog {
        events: Mutex::default(),
        outcomes: Mutex::default(),
        broken: AtomicBool::new(false),
        gate: Semaphore::new(1),
        clock: clock.clone(),
    });
    let builder = Governor::builder()
        .policy(policy)
        .scanner(scanner())
        .audit(log.clone())
        .ledger(log.clone())
        .clock(clock.clone());
    House { governor: add(builder).build().unwrap(), log, clock }
}

pub(crate) fn scanner() -> Scanner {
    Scanner::builder().fingerprint_key(b"0123456789abcdef").build().unwrap()
}

/// `mcp__systemprompt__*` for admins, everything else for `tools:use`, a few blocked words.
pub(crate) fn starter() -> PolicyDocument {
    let words = ["delete", "drop", "destroy", "truncate", "wipe", "purge", "shutdown"];
    PolicyDocument {
        agents: vec![
            AgentPolicy { scopes: texts(&["admin"]), ..agent("developer_agent") },
            AgentPolicy { everyone: true, ..agent("associate_agent") },
        ],
        rules: vec![
            ScopeRule {
                scopes: texts(&["admin"]),
                ..rule("admin-tools", &["mcp__systemprompt__*"])
            },
            ScopeRule {
                except: texts(&["mcp__systemprompt__*"]),
                scopes: texts(&["tools:use"]),
                ..rule("tools", &["*"])
            },
        ],
        blocklists: vec![Blocklist {
            id: "destructive".into(),
            patterns: texts(&words),
            exempt_scopes: Vec::new(),
            exempt_roles: Vec::new(),
        }],
        ..PolicyDocument::default()
    }
}

pub(crate) fn with_limit(limit: u64, window_s: u64, key: &[LimitKey]) -> PolicyDocument {
    PolicyDocument { limits: vec![self::limit("calls", limit, window_s, key)], ..starter() }
}

pub(crate) fn limit(id: &str, limit: u64, window_s: u64, key: &[LimitKey]) -> LimitPolicy {
    LimitPolicy { id: id.into(), key: key.to_vec(), limit, window_s, burst: None }
}

pub(crate) fn agent(id: &str) -> AgentPolicy {
    AgentPolicy {
        id: id.into(),
        everyone: false,
        scopes: Vec::new(),
        roles: Vec::new(),
        users: Vec::new(),
        departments: Vec::new(),
    }
}

pub(crate) fn rule(id: &str, tools: &[&str]) -> ScopeRule {
    ScopeRule {
        id: id.into(),
        effect: systemprompt_core::policy::Effect::Allow,
        tools: texts(tools),
        except: Vec::new(),
        servers: Vec::new(),
        agents: Vec::new(),
        scopes: Vec::new(),
        roles: Vec::new(),
    }
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) fn user() -> Principal {
    principal("ursula", &["tools:use"])
}

pub(crate) fn admin() -> Principal {
    principal("ada", &["tools:use", "admin"])
}

pub(crate) fn principal(user: &str, scopes: &[&str]) -> Principal {
    Principal::assert_authenticated(PrincipalClaims {
        tenant: "acme".parse().unwrap(),
        user: user.parse().unwrap(),
        roles: [RoleId::parse("user").unwrap()].into(),
        scopes: scopes.iter().map(|scope| Scope::parse(scope).unwrap()).collect(),
        department: None,
        audience: Audience::api(),
        credential: format!("key-of-{user}").parse().unwrap(),
        actors: Vec::new(),
    })
    .unwrap()
}

/// A call under construction.
#[derive(Clone)]
pub(crate) struct Call {
    principal: Principal,
    tool: &'static str,
    arguments: String,
    context: CallContext,
}

pub(crate) fn call(principal: &Principal, tool: &'static str) -> Call {
    let (principal, context) = (principal.clone(), CallContext::default());
    Call { principal, tool, arguments: "{\"path\":\"src/main.rs\"}".into(), context }
}

impl Call {
    pub(crate) fn arguments(mut self, arguments: impl Into<String>) -> Self {
        self.arguments = arguments.into();
        self
    }

    pub(crate) fn session(mut self, session: &str) -> Self {
        self.context.session = Some(SessionId::parse(session).unwrap());
        self
    }

    pub(crate) fn agent(mut self, agent: &str) -> Self {
        self.context.agent = Some(AgentId::parse(agent).unwrap());
        self
    }

    pub(crate) fn id(mut self, call_id: &str) -> Self {
        self.context.call_id = Some(CallId::parse(call_id).unwrap());
        self
    }

    pub(crate) fn context(mut self, change: impl FnOnce(&mut CallContext)) -> Self {
        change(&mut self.context);
        self
    }

    pub(crate) fn build(self) -> ToolCall {
        ToolCall::new(
            self.principal,
            Door::Embedded,
            ToolRef::parse(None, self.tool).unwrap(),
            Arguments::parse(self.arguments).unwrap(),
            self.context,
        )
    }
}

/// `allow`, or the code of the reason.
pub(crate) fn code(decision: &Decision) -> &'static str {
    decision.reason().map_or(decision.as_str(), |reason| reason.code())
}

pub(crate) fn outcomes(decision: &Decision) -> Vec<(String, CheckOutcome)> {
    let checks = &decision.evaluation().checks;
    checks.iter().map(|check| (check.check.to_string(), check.outcome)).collect()
}
