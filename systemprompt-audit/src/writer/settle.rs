//! Which settlements the log accepts, and the rows they become.

use std::collections::{HashMap, HashSet};

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::SettleError;
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::event::EventKind;
use systemprompt_core::id::EventId;

use super::command::Settlement;
use crate::column::{Column, Value};
use crate::pending::Pending;
use crate::row::Row;
use crate::store::Granted;

/// The verdict on each of a batch's settlements, and the rows of those that were accepted.
pub(super) struct Judgement {
    pub(super) verdicts: Vec<Result<(), SettleError>>,
    pub(super) rows: Vec<Pending>,
}

/// Judges `settlements` by the permits that were granted. Of two for one permit the first counts.
pub(super) fn judge(
    settlements: &[&Settlement],
    granted: &[Granted],
    origin: &str,
    now: Timestamp,
) -> Judgement {
    let granted: HashMap<_, _> = granted.iter().map(|grant| (grant.permit, grant)).collect();
    let mut spent = HashSet::new();
    let mut rows = Vec::new();
    let mut verdicts = Vec::with_capacity(settlements.len());
    for settlement in settlements {
        let permit = *settlement.permit.as_bytes();
        let verdict = match granted.get(&permit) {
            None => Err(SettleError::Unknown),
            Some(grant) => accept(settlement, grant, now).and_then(|()| {
                if spent.insert(permit) { Ok(grant) } else { Err(SettleError::AlreadySettled) }
            }),
        };
        verdicts.push(verdict.map(|grant| {
            rows.push(Pending::new(origin, row(settlement, grant, now)));
        }));
    }
    Judgement { verdicts, rows }
}

/// A permit belongs to a user of a tenant: any of the user's credentials may report its outcome.
fn accept(settlement: &Settlement, grant: &Granted, now: Timestamp) -> Result<(), SettleError> {
    let Some(reporter) = &settlement.reporter else {
        return if grant.settled.is_some() { Err(SettleError::AlreadySettled) } else { Ok(()) };
    };
    // A permit from before encryption was turned on names the user itself. Pseudonyms are those of a
    // department, which is another one in another of the user's credentials.
    let user = grant.owner.as_deref().or(grant.user_id.as_deref());
    let pseudonym = reporter.sealed.as_ref().map(|sealed| &*sealed.pseudonym);
    if grant.tenant_id.as_deref() != Some(&*reporter.tenant)
        || !(user == Some(&*reporter.user)
            || (pseudonym.is_some() && grant.user_id.as_deref() == pseudonym))
    {
        return Err(SettleError::Unknown);
    }
    let expired = now.as_micros() > grant.expires_at;
    match grant.settled {
        // That the sweep was faster changes nothing for the caller: it came too late.
        Some(OutcomeStatus::Abandoned) if expired => Err(SettleError::Expired),
        Some(_) => Err(SettleError::AlreadySettled),
        None if expired => Err(SettleError::Expired),
        None => Ok(()),
    }
}

fn row(settlement: &Settlement, grant: &Granted, now: Timestamp) -> Row {
    let mut row = Row::new();
    row.set(Column::Id, Value::Id(*EventId::generate().as_bytes()));
    row.set(Column::Kind, EventKind::Outcome.as_str());
    row.set(Column::OccurredAt, now.as_micros());
    row.set(Column::TraceId, Value::Id(grant.trace_id));
    row.set(Column::CallId, grant.call_id.clone());
    row.set(Column::TenantId, grant.tenant_id.clone());
    row.set(Column::UserId, grant.user_id.clone());
    row.set(Column::PermitId, Value::Id(grant.permit));
    if let Some(reporter) = &settlement.reporter {
        row.set(Column::CredentialId, reporter.credential.clone());
    }
    row.set_outcome(settlement.outcome.clone());
    row.set(Column::Detail, settlement.detail);
    if let Some(sealed) = settlement.reporter.as_ref().and_then(|it| it.sealed.as_ref()) {
        row.set(Column::Id, Value::Id(sealed.id));
        row.set(Column::UserId, sealed.pseudonym.clone());
        row.set(Column::Detail, sealed.detail.clone());
        for column in [Column::CredentialId, Column::ResultDigest, Column::Error] {
            row.set(column, Value::Null);
        }
    }
    row
}
