//! What is written down: never a value, nor anything that could be told from one.

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::{Map, Value as Json, json};
use systemprompt_core::call::ToolCall;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{SecretUse, Sink};
use systemprompt_core::event::{AuditEvent, EventContext, EventKind, EventSubject};
use systemprompt_core::secret::Redact;

use crate::actor::Actor;

/// What stands for a text that could not be redacted.
const REDACTED: &str = "[redacted]";

/// The event of a change by `actor`; `detail` is an object.
pub(crate) fn of_change(
    kind: EventKind,
    actor: Actor<'_>,
    now: Timestamp,
    mut detail: Json,
) -> AuditEvent {
    if let (Actor::Operator(name), Some(members)) = (actor, detail.as_object_mut()) {
        members.insert("by".to_owned(), name.into());
    }
    AuditEvent { subject: actor.subject(), ..AuditEvent::system(now, kind, detail) }
}

/// The event of a use, or of one that was refused, with what else there is to say.
pub(crate) fn of_use(
    redact: &dyn Redact,
    kind: EventKind,
    usage: SecretUse<'_>,
    now: Timestamp,
    more: (&'static str, Json),
) -> AuditEvent {
    let mut detail = Map::new();
    let text = |text: &str| Json::from(redact.redact(text).into_owned());
    detail.insert("tenant".to_owned(), text(usage.tenant.as_str()));
    detail.insert("name".to_owned(), text(usage.name.as_str()));
    detail.insert("server".to_owned(), text(usage.server.as_str()));
    detail.insert("sink".to_owned(), sink(usage.sink, text));
    detail.insert(more.0.to_owned(), more.1);
    let event = AuditEvent::system(now, kind, Json::Object(detail));
    match usage.call {
        Some(call) => about(redact, call, event),
        None => event,
    }
}

/// A sink as details show it.
pub(crate) fn sink(sink: Sink<'_>, text: impl Fn(&str) -> Json) -> Json {
    match sink {
        Sink::Header { host, header } => json!({ "host": text(host), "header": text(header) }),
        Sink::Env { variable } => json!({ "variable": text(variable) }),
        Sink::Argument { tool, argument } => {
            json!({ "tool": text(tool), "argument": text(argument) })
        }
    }
}

fn about(redact: &dyn Redact, call: &ToolCall, event: AuditEvent) -> AuditEvent {
    let context = call.context();
    AuditEvent {
        trace_id: call.trace_id(),
        subject: Some(EventSubject::from(call.principal())),
        context: EventContext {
            call_id: match call.call_id_supplied() {
                true => redacted(redact, call.call_id()),
                false => Some(call.call_id().clone()),
            },
            session: call.session().and_then(|id| redacted(redact, id)),
            context: context.context.as_ref().and_then(|id| redacted(redact, id)),
            task: context.task.as_ref().and_then(|id| redacted(redact, id)),
            agent: call.agent().and_then(|id| redacted(redact, id)),
            plugin: context.plugin.as_ref().and_then(|id| redacted(redact, id)),
            door: Some(call.door()),
            user_agent: None,
            client_addr: context.client_addr,
        },
        ..event
    }
}

/// `id` itself if it holds no secret, else what is left of it; `None` if that is no id.
fn redacted<T: AsRef<str> + Clone + FromStr>(redact: &dyn Redact, id: &T) -> Option<T> {
    match redact.redact(id.as_ref()) {
        Cow::Borrowed(_) => Some(id.clone()),
        Cow::Owned(redacted) => redacted.parse().or_else(|_| REDACTED.parse()).ok(),
    }
}
