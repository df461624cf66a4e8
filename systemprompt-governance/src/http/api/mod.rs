//! The decision API: programs ask for a decision and report how it went.

mod call_body;
mod decision_answer;
mod govern;
mod inspect;
mod outcome;

pub(super) use decision_answer::DecisionAnswer;
pub(super) use govern::{govern, govern_batch};
pub(super) use inspect::inspect;
pub(super) use outcome::{duration_of_ms, report_outcome};

use axum::body::Body;
use bytes::Bytes;
use systemprompt_core::api::Problem;
use systemprompt_core::call::MalformedCall;
use systemprompt_core::id::{Audience, IdError, TraceId};
use systemprompt_core::principal::Principal;

use super::fields::FieldFault;
use super::{Doors, Incoming, body};

/// The caller, and the body in full. The body of a stranger is not read.
async fn admit(
    doors: &Doors,
    incoming: &Incoming,
    mut body: Body,
) -> Result<(Principal, Bytes), Problem> {
    let trace_id = incoming.trace_id();
    let principal = incoming
        .authenticate(doors, &Audience::api())
        .await
        .map_err(|refusal| refusal.problem(trace_id))?;
    let headers = incoming.headers();
    let read = match body::check_encoding(headers).and(body::check_media_type(headers)) {
        Ok(()) => body::read(&mut body, doors.body_limit).await,
        Err(refusal) => Err(refusal),
    };
    match read {
        Ok(bytes) => Ok((principal, bytes)),
        Err(refusal) => {
            body::drain(body).await;
            Err(refusal.problem(trace_id))
        }
    }
}

fn bad_body(doors: &Doors, fault: &FieldFault, trace_id: TraceId) -> Problem {
    Problem::bad_request(fault.describe(doors), trace_id)
}

/// A member that is an id, if it is there.
fn id<T>(
    field: &'static str,
    text: Option<&str>,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<Option<T>, MalformedCall> {
    text.map(parse).transpose().map_err(|source| MalformedCall::Field { field, source })
}
