//! `govern`: one call, decided here and now.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use systemprompt_audit::append_sealed_in;
use systemprompt_audit::subject::SubjectKeys;
use systemprompt_core::call::{Arguments, CallContext, Door, MalformedCall, ToolCall, ToolRef};
use systemprompt_core::contract::{
    AuditError, AuditSink, PermitLedger, PermitState, SettleError, TokenVerifier as _,
};
use systemprompt_core::database::DbPool;
use systemprompt_core::decision::{Decision, DenialReason, Evaluation, Outcome};
use systemprompt_core::event::AuditEvent;
use systemprompt_core::id::{AgentId, Audience, CallId, ContextId, PermitId, SessionId, TaskId};
use systemprompt_core::principal::Principal;
use systemprompt_governance::{Governor, MemoryRateStore};
use systemprompt_identity::{CredentialVerifier, VerifierSettings};

use crate::args::GovernArgs;
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::policy;
use crate::session::Session;

/// Most bytes read from standard input.
const MAX_INPUT: u64 = 2 * 1024 * 1024;

pub(crate) async fn run(
    args: &GovernArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let principal = principal(&args.key_file, session).await?;
    let call = call(args, principal).map_err(|fault| Failure::usage(fault.to_string()))?;
    let governor = governor(session)?;
    if args.dry_run {
        let dry = governor.dry_run(&call).await;
        let decision = if dry.denial.is_some() { "deny" } else { "allow" };
        return answer(decision, &call, dry.denial.as_ref(), &dry.evaluation, None, output);
    }
    match governor.evaluate(call.clone()).await {
        Decision::Allow(permit) => {
            let evaluation = permit.evaluation().clone();
            let ticket = json!(permit.into_ticket());
            answer("allow", &call, None, &evaluation, Some(ticket), output)
        }
        Decision::Deny(denial) => {
            answer("deny", &call, Some(&denial.reason), &denial.evaluation, None, output)
        }
        Decision::Pending(approval) => {
            answer("pending", &call, None, &approval.evaluation, None, output)
        }
    }
}

async fn principal(key_file: &Path, session: &Session) -> Result<Principal, Failure> {
    let key = std::fs::read_to_string(key_file)
        .map_err(|error| Failure::usage(format!("`{}`: {error}", key_file.display())))?;
    let verifier = CredentialVerifier::start(&session.identities(), VerifierSettings::default())
        .await
        .map_err(Failure::database)?;
    let surface = Audience::parse("api").map_err(Failure::other)?;
    let principal = verifier.verify(key.trim(), &surface).await.map_err(Failure::other)?;
    verifier.close().await.map_err(Failure::database)?;
    Ok(principal)
}

fn governor(session: &Session) -> Result<Governor, Failure> {
    let log = Arc::new(CliLog(session.database.clone(), session.subject_keys()?));
    let profile = session.config.profile();
    let mut builder = Governor::builder()
        .policy(profile.governance.clone())
        .scanner(policy::scanner(session)?)
        .rate_store(Arc::new(MemoryRateStore::new(session.clock.clone())))
        .audit(log.clone())
        .ledger(log)
        .clock(session.clock.clone());
    for check in policy::checks(session)? {
        builder = builder.check(check);
    }
    builder.build().map_err(|error| policy::build_failure(&session.config, error))
}

/// The call as it stands on standard input, in the form of `POST /api/v1/govern`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input<'a> {
    tool: String,
    server: Option<String>,
    #[serde(borrow)]
    arguments: &'a RawValue,
    agent_id: Option<AgentId>,
    session_id: Option<SessionId>,
    context_id: Option<ContextId>,
    task_id: Option<TaskId>,
    call_id: Option<CallId>,
}

fn call(args: &GovernArgs, principal: Principal) -> Result<ToolCall, MalformedCall> {
    let field = |field| move |source| MalformedCall::Field { field, source };
    let envelope = |detail: String| MalformedCall::Envelope { detail };
    let (tool, arguments, context) = match &args.tool {
        Some(tool) => {
            let text = match args.arguments.as_str() {
                "-" => stdin().map_err(envelope)?,
                text => text.to_owned(),
            };
            let context = CallContext {
                agent: args
                    .agent
                    .as_deref()
                    .map(AgentId::parse)
                    .transpose()
                    .map_err(field("agent"))?,
                session: args
                    .session
                    .as_deref()
                    .map(SessionId::parse)
                    .transpose()
                    .map_err(field("session"))?,
                ..CallContext::default()
            };
            (ToolRef::parse(args.server.as_deref(), tool)?, Arguments::parse(text)?, context)
        }
        None => {
            let text = stdin().map_err(envelope)?;
            let input: Input<'_> = serde_json::from_str(&text)
                .map_err(|error| envelope(format!("standard input: {error}")))?;
            let context = CallContext {
                call_id: input.call_id,
                agent: input.agent_id,
                session: input.session_id,
                context: input.context_id,
                task: input.task_id,
                ..CallContext::default()
            };
            let arguments = Arguments::parse(input.arguments.get().to_owned())?;
            (ToolRef::parse(input.server.as_deref(), &input.tool)?, arguments, context)
        }
    };
    Ok(ToolCall::new(principal, Door::Cli, tool, arguments, context))
}

fn stdin() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_INPUT + 1).read_to_string(&mut text);
    match read {
        Err(error) => Err(format!("standard input: {error}")),
        Ok(bytes) if bytes as u64 > MAX_INPUT => {
            Err(format!("standard input: more than {MAX_INPUT} bytes"))
        }
        Ok(_) => Ok(text),
    }
}

/// Prints the decision in the form of `POST /api/v1/govern`; a denial is exit code 4.
fn answer(
    decision: &str,
    call: &ToolCall,
    reason: Option<&DenialReason>,
    evaluation: &Evaluation,
    permit: Option<Value>,
    output: Output,
) -> Result<(), Failure> {
    if output.is_json() {
        let reason = reason.map(|reason| {
            json!({ "code": reason.code(), "message": reason.to_string(), "data": reason.data() })
        });
        let answer = json!({
            "decision": decision,
            "call_id": call.call_id(),
            "trace_id": call.trace_id(),
            "permit": permit,
            "reason": reason,
            "evaluation": evaluation,
        });
        output.value(&answer)?;
    } else {
        let mut text = format!("{decision}\n");
        for check in &evaluation.checks {
            let outcome = serde_json::to_value(check.outcome).unwrap_or_default();
            let outcome = outcome.as_str().unwrap_or_default();
            text.push_str(&format!("  {:<12} {outcome}\n", check.check));
        }
        text.push_str(&format!("  trace        {}\n", call.trace_id()));
        output.text(&text)?;
    }
    match reason {
        Some(reason) => Err(Failure::new(FailureKind::Denied, reason.to_string())),
        None => Ok(()),
    }
}

/// Writes decisions to the log of the command line, each in a transaction of its own.
struct CliLog(DbPool, Option<SubjectKeys>);

#[async_trait]
impl AuditSink for CliLog {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        let unavailable =
            |error: &dyn std::error::Error| AuditError::Unavailable(error.to_string());
        let Self(database, keys) = self;
        let events = vec![event];
        if let Some(keys) = keys {
            keys.prepare(database, &events).await?;
        }
        let mut change = database.begin_write().await.map_err(|error| unavailable(&error))?;
        append_sealed_in(&mut change, keys.as_ref(), events).await?;
        change.commit().await.map_err(|error| unavailable(&error))
    }
}

/// Permits of the command line are handed out as tickets; outcomes are reported to a server.
#[async_trait]
impl PermitLedger for CliLog {
    async fn settle(
        &self,
        _permit: PermitId,
        _principal: &Principal,
        _outcome: Outcome,
    ) -> Result<(), SettleError> {
        Err(SettleError::Audit(AuditError::Closed))
    }

    fn abandon(&self, _permit: PermitId) {}

    async fn state(&self, _permit: PermitId) -> Result<PermitState, AuditError> {
        Ok(PermitState::Unknown)
    }
}
