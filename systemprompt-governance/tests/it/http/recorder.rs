use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use systemprompt_core::api::{AuthRefusal, Authenticate, RequestHead};
use systemprompt_core::call::{CallKind, ToolCall};
use systemprompt_core::clock::{SystemClock, Timestamp};
use systemprompt_core::content::{Content, Inspection, StreamOrigin};
use systemprompt_core::contract::{
    AuditError, AuditSink, Decide, FoundPermit, GrantedCall, Inspect, InspectStream, PermitLedger,
    PermitState, RejectedCall, SettleError, TokenError,
};
use systemprompt_core::decision::{
    Approval, CheckOutcome, CheckRecord, Decision, Denial, DenialReason, Evaluation, LimitState,
    Outcome, Permit, PermitClaim, PermitGrant, RateWindow, SecretLocation,
};
use systemprompt_core::event::AuditEvent;
use systemprompt_core::id::{Audience, CallId, EventId, PermitId, PolicyVersion, TraceId};
use systemprompt_core::policy::OnAllow;
use systemprompt_core::principal::{Principal, PrincipalClaims};
use systemprompt_core::secret::Redact;

/// Plays every part the doors are connected to and remembers what it was asked.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) calls: Mutex<Vec<ToolCall>>,
    pub(super) rejected: Mutex<Vec<RejectedCall>>,
    pub(super) tracked: Mutex<Vec<AuditEvent>>,
    pub(super) permits: Mutex<Vec<Granted>>,
    pub(super) abandoned: Mutex<Vec<PermitId>>,
    pub(super) on_allow: Mutex<Option<OnAllow>>,
}

#[derive(Clone)]
pub(super) struct Granted {
    pub(super) id: PermitId,
    pub(super) call: ToolCall,
    pub(super) expired: bool,
    pub(super) outcome: Option<Outcome>,
}

impl Recorder {
    pub(super) fn call(&self) -> ToolCall {
        self.calls.lock().unwrap().last().expect("a call").clone()
    }

    pub(super) fn rejection(&self) -> RejectedCall {
        self.rejected.lock().unwrap().last().expect("a rejected call").clone()
    }

    pub(super) fn event(&self) -> AuditEvent {
        self.tracked.lock().unwrap().last().expect("a tracked event").clone()
    }

    pub(super) fn outcome(&self) -> Outcome {
        let permits = self.permits.lock().unwrap();
        permits.iter().rev().find_map(|permit| permit.outcome.clone()).expect("an outcome")
    }

    pub(super) fn expire_all(&self) {
        self.permits.lock().unwrap().iter_mut().for_each(|permit| permit.expired = true);
    }
}

fn evaluation() -> Arc<Evaluation> {
    let check = |check: &'static str| CheckRecord {
        check: check.into(),
        outcome: CheckOutcome::Passed,
        detail: None,
        duration_ns: 120,
    };
    Arc::new(Evaluation {
        policy_version: PolicyVersion::parse("test-1").unwrap(),
        checks: ["scope", "secret", "blocklist", "rate"].map(check).into(),
        limits: vec![LimitState { name: "session".into(), remaining: 299, reset_ms: 200 }],
    })
}

fn deny(reason: DenialReason, call_id: CallId, trace_id: TraceId) -> Decision {
    Decision::Deny(Denial { reason, call_id, trace_id, evaluation: evaluation() })
}

/// The policy: `delete` is blocked, `busy` is limited, `Deploy` waits, `SECRET` is a secret.
fn verdict(call: &ToolCall) -> Option<DenialReason> {
    let text = std::str::from_utf8(call.arguments().raw()).unwrap();
    let name = call.tool().name().as_str();
    if text.contains("SECRET") {
        let member = if call.kind() == CallKind::Prompt { "prompt" } else { "command" };
        Some(DenialReason::SecretDetected {
            rule: "test".into(),
            location: SecretLocation::new(format!("$.{member}")),
            fingerprint: "f00d".into(),
        })
    } else if name.contains("delete") {
        Some(DenialReason::Blocked { list: "destructive".into(), pattern: "delete".into() })
    } else if name == "busy" {
        let window = RateWindow { limit: 300, window: Duration::from_secs(60) };
        let retry_after = Duration::from_micros(150_100);
        Some(DenialReason::RateLimited { limit: "session".into(), window, retry_after })
    } else {
        None
    }
}

/// Both halves of the governor's work, for the permits it grants.
#[async_trait]
impl Decide for Recorder {
    async fn decide(&self, call: ToolCall) -> Decision {
        self.calls.lock().unwrap().push(call.clone());
        if let Some(reason) = verdict(&call) {
            return deny(reason, call.call_id().clone(), call.trace_id());
        }
        if call.tool().name().as_str() == "Deploy" {
            return Decision::Pending(Approval {
                id: EventId::generate(),
                call_id: call.call_id().clone(),
                trace_id: call.trace_id(),
                expires_at: Timestamp::from_micros(1_800_000_000_000_000),
                evaluation: evaluation(),
            });
        }
        let id = PermitId::generate();
        let granted = Granted { id, call: call.clone(), expired: false, outcome: None };
        self.permits.lock().unwrap().push(granted);
        Decision::Allow(Permit::assert_granted(PermitGrant {
            rewritten: false,
            restored: None,
            id,
            claim: PermitClaim::default(),
            call,
            expires_at: Timestamp::from_micros(1_800_000_000_000_000),
            evaluation: evaluation(),
            on_allow: self.on_allow.lock().unwrap().unwrap_or(OnAllow::Allow),
            ledger: Arc::new(Settling(id)),
            clock: SystemClock::shared(),
        }))
    }

    async fn reject(&self, call: RejectedCall) -> Decision {
        self.rejected.lock().unwrap().push(call.clone());
        let trace_id = call.context.trace_id.expect("a trace");
        deny(call.reason, CallId::generate(), trace_id)
    }
}

/// The ledger a permit itself knows: accepts one outcome of its own permit, and must never be told
/// that a permit was dropped.
struct Settling(PermitId);

#[async_trait]
impl PermitLedger for Settling {
    async fn settle(&self, permit: PermitId, _: &Principal, _: Outcome) -> Result<(), SettleError> {
        assert_eq!(permit, self.0);
        Ok(())
    }

    fn abandon(&self, permit: PermitId) {
        panic!("a permit was dropped: {permit}");
    }

    async fn state(&self, _: PermitId) -> Result<PermitState, AuditError> {
        Ok(PermitState::Unknown)
    }
}

#[async_trait]
impl PermitLedger for Recorder {
    async fn settle(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let mut permits = self.permits.lock().unwrap();
        let granted = permits
            .iter_mut()
            .find(|granted| granted.id == permit && granted.call.principal() == principal)
            .ok_or(SettleError::Unknown)?;
        if granted.expired {
            return Err(SettleError::Expired);
        }
        match granted.outcome.replace(outcome) {
            None => Ok(()),
            Some(first) => {
                granted.outcome = Some(first);
                Err(SettleError::AlreadySettled)
            }
        }
    }

    fn abandon(&self, permit: PermitId) {
        self.abandoned.lock().unwrap().push(permit);
    }

    async fn state(&self, _: PermitId) -> Result<PermitState, AuditError> {
        Ok(PermitState::Unknown)
    }

    async fn find(&self, call: GrantedCall<'_>) -> Result<Option<FoundPermit>, AuditError> {
        let permits = self.permits.lock().unwrap();
        let same = |granted: &&Granted| {
            granted.call.principal() == call.principal
                && granted.call.session() == call.session
                && granted.call.call_id() == call.call_id
        };
        Ok(permits.iter().rev().find(same).map(|granted| FoundPermit {
            id: granted.id,
            server: granted.call.tool().server().map(|server| server.as_str().into()),
            tool: granted.call.tool().name().as_str().into(),
            trace_id: granted.call.trace_id(),
        }))
    }
}

/// Knows the callers `ada` and `bob` by their names.
#[async_trait]
impl Authenticate for Recorder {
    async fn authenticate(
        &self,
        request: RequestHead<'_>,
        audience: &Audience,
    ) -> Result<Principal, AuthRefusal> {
        let header = request.headers.get("authorization").ok_or(AuthRefusal::Missing)?;
        match header.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) {
            Some(name @ ("ada" | "bob")) => Ok(principal(name, audience)),
            Some("elsewhere") => Err(TokenError::Audience.into()),
            Some("flood") => {
                Err(AuthRefusal::TooManyFailures { retry_after: Duration::from_millis(1500) })
            }
            _ => Err(TokenError::Invalid.into()),
        }
    }

    fn client_addr(&self, request: RequestHead<'_>) -> Option<IpAddr> {
        request.peer
    }
}

fn principal(name: &str, audience: &Audience) -> Principal {
    Principal::assert_authenticated(PrincipalClaims {
        tenant: "acme".parse().unwrap(),
        user: name.parse().unwrap(),
        roles: BTreeSet::new(),
        scopes: BTreeSet::new(),
        department: None,
        audience: audience.clone(),
        credential: format!("key-{name}").parse().unwrap(),
        actors: Vec::new(),
    })
    .unwrap()
}

#[async_trait]
impl AuditSink for Recorder {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.tracked.lock().unwrap().push(event);
        Ok(())
    }
}

impl Redact for Recorder {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.contains("SECRET") {
            Cow::Owned(text.replace("SECRET", "[redacted:test]"))
        } else {
            Cow::Borrowed(text)
        }
    }
}

#[async_trait]
impl Inspect for Recorder {
    async fn inspect(&self, _: Content<'_>) -> Inspection {
        Inspection::pass()
    }

    fn inspect_stream(&self, _: StreamOrigin) -> Box<dyn InspectStream> {
        Box::new(Through)
    }
}

/// A stream that lets everything go on.
struct Through;

#[async_trait]
impl InspectStream for Through {
    async fn push(&mut self, piece: &str) -> Result<String, DenialReason> {
        Ok(piece.to_owned())
    }

    async fn finish(&mut self) -> Result<String, DenialReason> {
        Ok(String::new())
    }
}
