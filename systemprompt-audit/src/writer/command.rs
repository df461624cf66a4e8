use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use systemprompt_core::contract::{AuditError, SettleError};
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::id::{EventId, PermitId};
use systemprompt_core::principal::Principal;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::column::{Column, Value};
use crate::pending::Pending;
use crate::row::Row;
use crate::subject::{DataKey, seal};

/// The detail of an outcome whose call was answered deny.
const ANSWERED_DENY: &str = r#"{"answered":"deny","reason_code":"audit_unavailable"}"#;

/// How long an event of the log's own may wait.
const ALONE: Duration = Duration::from_secs(5);

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    Append(Append),
    Settle(Box<Settlement>),
    /// Say how large the log is and what its root is, to be signed.
    Announce,
    Close(oneshot::Sender<()>),
}

impl Command {
    /// Whether it may wait a little for others, because nobody waits for it.
    pub(super) fn may_wait(&self) -> bool {
        match self {
            Self::Append(append) => append.later,
            Self::Settle(settlement) => settlement.later,
            Self::Announce | Self::Close(_) => false,
        }
    }
}

/// Events to append, all or none.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) events: Vec<Pending>,
    /// Whether nobody waits for it.
    pub(crate) later: bool,
    /// After this the caller has denied; what is not in a transaction by then is not written.
    pub(crate) deadline: Instant,
    pub(crate) reply: oneshot::Sender<Result<(), AuditError>>,
    /// Set when the caller has waited long enough and denies; not when it is merely gone.
    pub(crate) given_up: Arc<AtomicBool>,
}

impl Append {
    /// Appends one event for which nobody waits but whoever calls; says whether it was written.
    pub(crate) async fn alone(event: Pending, commands: &mpsc::Sender<Command>) -> bool {
        let (reply, written) = oneshot::channel();
        let deadline = Instant::now() + ALONE;
        let append =
            Self { events: vec![event], later: false, deadline, reply, given_up: Arc::default() };
        commands.try_send(Command::Append(append)).is_ok() && matches!(written.await, Ok(Ok(())))
    }
}

/// A permit to settle.
#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) permit: PermitId,
    /// Whether nobody waits for it.
    pub(crate) later: bool,
    /// Who reports; `None` when the log itself records that nobody did.
    pub(crate) reporter: Option<Reporter>,
    pub(crate) outcome: Outcome,
    /// What is not the outcome's own; a JSON object.
    pub(crate) detail: Option<&'static str>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) reply: Option<oneshot::Sender<Result<(), SettleError>>>,
}

/// Who reports an outcome.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    pub(crate) tenant: Arc<str>,
    pub(crate) user: Arc<str>,
    pub(crate) credential: Arc<str>,
    pub(crate) sealed: Option<SealedReport>,
}

/// What a report says about a person, encrypted before it is known what it is about.
#[derive(Debug, Clone)]
pub(crate) struct SealedReport {
    /// The event that it will be.
    pub(crate) id: [u8; 16],
    pub(crate) pseudonym: Arc<str>,
    /// What is encrypted, as details of the event.
    pub(crate) detail: Arc<str>,
}

impl SealedReport {
    /// Of an outcome that will stand in the log `origin`; `None` when encryption fails.
    pub(crate) fn new(
        origin: &str,
        principal: &Principal,
        outcome: &Outcome,
        key: &DataKey,
    ) -> Option<Self> {
        let id = *EventId::generate().as_bytes();
        let mut row = Row::new();
        row.set(Column::Id, Value::Id(id));
        row.set(Column::CredentialId, Arc::<str>::from(principal.claims().credential.clone()));
        row.set_outcome(outcome.clone());
        seal(&mut row, origin, key)?;
        let Value::Text(detail) = row.value(Column::Detail).clone() else { return None };
        Some(Self { id, pseudonym: key.pseudonym.clone(), detail })
    }
}

impl From<&Principal> for Reporter {
    fn from(principal: &Principal) -> Self {
        let claims = principal.claims();
        Self {
            tenant: claims.tenant.clone().into(),
            user: claims.user.clone().into(),
            credential: claims.credential.clone().into(),
            sealed: None,
        }
    }
}

impl Settlement {
    /// The record that nobody reported an outcome.
    pub(crate) fn abandoned(
        permit: PermitId,
        reply: Option<oneshot::Sender<Result<(), SettleError>>>,
    ) -> Self {
        let outcome = Outcome::new(OutcomeStatus::Abandoned, std::time::Duration::ZERO);
        Self {
            permit,
            later: reply.is_none(),
            reporter: None,
            outcome,
            detail: None,
            deadline: None,
            reply,
        }
    }

    /// The record that a call was denied although the log has granted it this permit: its event became
    /// durable after the caller had been told that it could not be written.
    pub(crate) fn disowned(permit: PermitId) -> Self {
        Self { detail: Some(ANSWERED_DENY), ..Self::abandoned(permit, None) }
    }
}
