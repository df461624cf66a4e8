use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use systemprompt_core::call::ToolCall;
use systemprompt_core::clock::SystemClock;
use systemprompt_core::contract::{
    AuditError, AuditSink, Decide, FoundPermit, GrantedCall, OpenSecret, PermitLedger, PermitState,
    RejectedCall, SecretStore, SecretStoreError, SecretUse, SettleError,
};
use systemprompt_core::decision::{
    Decision, Denial, DenialReason, Evaluation, Outcome, Permit, PermitClaim, PermitGrant,
};
use systemprompt_core::event::{AiRequest, AiRequestBodies, AuditBody, AuditEvent, EventKind};
use systemprompt_core::id::{CallId, PermitId, PolicyVersion, TraceId};
use systemprompt_core::policy::OnAllow;
use systemprompt_core::principal::Principal;
use systemprompt_core::secret::{Redact, Secret};

use super::scanner::{PLANTED, REDACTED};

/// What stands in the place of the arguments of `rewritten`.
pub(super) const SAFE: &str = r#"{"path":"/safe"}"#;

/// The key that is in custody.
pub(super) const CUSTODY_KEY: &str = "key-from-custody";

/// Decides, grants real permits, and keeps the books: tools whose names begin with `danger` are denied, and those
/// that a test [denies](Governor::deny); those that begin with `rewritten` run with [`SAFE`], and the model `forbidden` may not be asked.
#[derive(Default)]
pub(super) struct Governor(Arc<Books>);

#[derive(Default)]
struct Books {
    decided: Mutex<Vec<Decided>>,
    rejected: Mutex<Vec<RejectedCall>>,
    events: Mutex<Vec<AuditEvent>>,
    abandoned: Mutex<Vec<PermitId>>,
    denied: Mutex<Vec<String>>,
    rewritten: Mutex<Vec<String>>,
}

/// A call that was decided.
#[derive(Clone)]
pub(super) struct Decided {
    pub(super) permit: Option<PermitId>,
    pub(super) call: ToolCall,
    pub(super) outcome: Option<Outcome>,
}

impl Decided {
    pub(super) fn tool(&self) -> &str {
        self.call.tool().qualified()
    }

    pub(super) fn arguments(&self) -> &str {
        std::str::from_utf8(self.call.arguments().raw()).unwrap()
    }
}

impl Clone for Governor {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Governor {
    /// From now on calls of a tool are denied.
    pub(super) fn deny(&self, tool: &str) {
        self.0.denied.lock().push(tool.to_owned());
    }

    /// From now on calls of a tool run with [`SAFE`].
    pub(super) fn rewrite(&self, tool: &str) {
        self.0.rewritten.lock().push(tool.to_owned());
    }

    pub(super) fn decided(&self) -> Vec<Decided> {
        self.0.decided.lock().clone()
    }

    /// The calls of tools in answers, as `name arguments`.
    pub(super) fn tools(&self) -> Vec<String> {
        let decided = self.decided();
        let tools = decided.iter().filter(|call| !call.tool().starts_with("model:"));
        tools.map(|call| format!("{} {}", call.tool(), call.arguments())).collect()
    }

    pub(super) fn rejected(&self) -> Vec<RejectedCall> {
        self.0.rejected.lock().clone()
    }

    pub(super) fn abandoned(&self) -> usize {
        self.0.abandoned.lock().len()
    }

    /// The requests that were recorded.
    pub(super) fn records(&self) -> Vec<AiRequest> {
        self.details(EventKind::AiRequest)
    }

    /// The bodies that were recorded.
    pub(super) fn bodies(&self) -> Vec<AiRequestBodies> {
        self.details(EventKind::AiRequestBodies)
    }

    /// All events that were recorded.
    pub(super) fn events(&self) -> Vec<AuditEvent> {
        self.0.events.lock().clone()
    }

    fn details<T: DeserializeOwned>(&self, wanted: EventKind) -> Vec<T> {
        let events = self.0.events.lock();
        let details = events.iter().filter_map(|event| match &event.body {
            AuditBody::Other { kind, detail } if *kind == wanted => Some(detail.clone()),
            _ => None,
        });
        details.map(|detail| serde_json::from_value(detail).unwrap()).collect()
    }
}

fn evaluation() -> Arc<Evaluation> {
    Arc::new(Evaluation {
        policy_version: PolicyVersion::parse("test-1").unwrap(),
        checks: Vec::new(),
        limits: Vec::new(),
    })
}

fn deny(reason: DenialReason, call_id: CallId, trace_id: TraceId) -> Decision {
    Decision::Deny(Denial { reason, call_id, trace_id, evaluation: evaluation() })
}

#[async_trait]
impl Decide for Governor {
    async fn decide(&self, call: ToolCall) -> Decision {
        // A decision takes a moment, in which other things happen.
        tokio::task::yield_now().await;
        let name = call.tool().qualified().to_owned();
        let mut decided = self.0.decided.lock();
        let is_denied = self.0.denied.lock().contains(&name);
        if is_denied || name.starts_with("danger") || name == "model:forbidden" {
            decided.push(Decided { permit: None, call: call.clone(), outcome: None });
            let reason = DenialReason::Blocked { list: "tests".into(), pattern: "danger*".into() };
            return deny(reason, call.call_id().clone(), call.trace_id());
        }
        let id = PermitId::generate();
        decided.push(Decided { permit: Some(id), call: call.clone(), outcome: None });
        let rewritten = name.starts_with("rewritten") || self.0.rewritten.lock().contains(&name);
        let granted = match rewritten {
            true => ToolCall::new(
                call.principal().clone(),
                call.door(),
                call.tool().clone(),
                systemprompt_core::call::Arguments::parse(SAFE).unwrap(),
                call.context().clone(),
            ),
            false => call,
        };
        let clock = SystemClock::shared();
        Decision::Allow(Permit::assert_granted(PermitGrant {
            id,
            claim: PermitClaim::default(),
            call: granted,
            rewritten,
            restored: None,
            expires_at: clock.now().after(Duration::from_secs(600)),
            evaluation: evaluation(),
            on_allow: OnAllow::Allow,
            ledger: Arc::new(self.clone()),
            clock,
        }))
    }

    async fn reject(&self, call: RejectedCall) -> Decision {
        self.0.rejected.lock().push(call.clone());
        let trace_id = call.context.trace_id.expect("a trace");
        deny(call.reason, CallId::generate(), trace_id)
    }
}

#[async_trait]
impl PermitLedger for Governor {
    async fn settle(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let mut decided = self.0.decided.lock();
        let own =
            |call: &&mut Decided| call.permit == Some(permit) && call.call.principal() == principal;
        let Some(call) = decided.iter_mut().find(own) else { return Err(SettleError::Unknown) };
        if call.outcome.is_some() {
            return Err(SettleError::AlreadySettled);
        }
        call.outcome = Some(outcome);
        Ok(())
    }

    fn abandon(&self, permit: PermitId) {
        self.0.abandoned.lock().push(permit);
    }

    async fn state(&self, _: PermitId) -> Result<PermitState, AuditError> {
        Ok(PermitState::Unknown)
    }

    async fn find(&self, call: GrantedCall<'_>) -> Result<Option<FoundPermit>, AuditError> {
        let decided = self.0.decided.lock();
        let found = decided.iter().rev().find(|known| {
            known.call.call_id() == call.call_id
                && known.call.principal() == call.principal
                && known.call.context().session.as_ref() == call.session
                && known.permit.is_some()
        });
        Ok(found.and_then(|known| {
            Some(FoundPermit {
                id: known.permit?,
                server: None,
                tool: known.tool().into(),
                trace_id: known.call.trace_id(),
            })
        }))
    }
}

#[async_trait]
impl AuditSink for Governor {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.0.events.lock().push(event);
        Ok(())
    }
}

impl Redact for Governor {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.contains(PLANTED) { text.replace(PLANTED, REDACTED).into() } else { text.into() }
    }
}

#[async_trait]
impl SecretStore for Governor {
    async fn open(&self, usage: SecretUse<'_>) -> Result<OpenSecret, SecretStoreError> {
        if usage.name.as_str() != "main-key" {
            return Err(SecretStoreError::Unknown(usage.name.to_string()));
        }
        let value = Secret::new(CUSTODY_KEY.to_owned());
        Ok(OpenSecret { name: usage.name.clone(), version: 1, value })
    }
}
