use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use systemprompt_core::config::LossPolicy;
use systemprompt_core::llm::{Dialect, LossKind, LossReport, ModelError, ModelRequest};

use super::body::{Edits, RequestBody};
use super::capable;
use crate::dialect::anthropic::has_foreign_state;
use crate::dialect::chat::splice;
use crate::dialect::responses::ResponsesFront;
use crate::dialect::{Front as _, ProviderFlags, Source, Target, UpstreamRequest, upstream};
use crate::route::{ChosenTarget, RouteTable};

/// A request as one provider gets it.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) dialect: Dialect,
    pub(super) request: UpstreamRequest,
    pub(super) source: Source,
    /// Whether it is the caller's own body, and the answer may be the provider's.
    pub(super) byte_lane: bool,
    /// Whether frames that only tell the usage are kept from the caller.
    pub(super) hide_usage: bool,
}

impl Outgoing {
    /// A request that was written anew.
    pub(super) fn written(dialect: Dialect, source: Source, request: UpstreamRequest) -> Self {
        let source = Source { tool_names: Arc::new(request.tool_names.clone()), ..source };
        Self { dialect, request, source, byte_lane: false, hide_usage: false }
    }

    /// The caller's own body.
    pub(super) fn passed(dialect: Dialect, source: Source, path: String, body: Bytes) -> Self {
        let (losses, tool_names) = (LossReport::default(), BTreeMap::new());
        let request = UpstreamRequest { path, headers: Vec::new(), body, losses, tool_names };
        Self { byte_lane: true, ..Self::written(dialect, source, request) }
    }

    /// What it takes to read the answer, without what was sent.
    pub(super) fn without_request(&self) -> Self {
        let request = UpstreamRequest {
            path: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            ..self.request.clone()
        };
        Self { request, source: self.source.clone(), ..*self }
    }
}

/// Writes the request for a target.
pub(super) fn outgoing(
    routes: &RouteTable,
    request: &ModelRequest,
    body: &RequestBody,
    target: &ChosenTarget,
    query: Option<&str>,
) -> Result<Outgoing, ModelError> {
    let provider = &target.provider;
    let Some(endpoint) = provider.endpoint_for(request.dialect) else {
        return Err(ModelError::new(
            systemprompt_core::llm::ErrorKind::Api,
            format!("the provider `{}` is spoken to in no dialect", provider.name()),
        ));
    };
    let dialect = endpoint.dialect;
    let flags = provider.flags(dialect);
    let source = provider.source(&flags);
    let capabilities = provider.capabilities(&target.model, routes.prices());
    if dialect == request.dialect {
        capable::refuse_pictures(request, &target.model, &capabilities)?;
    }
    if passes(request, body, dialect, &flags) {
        let (body, hide_usage) = spliced(request, body, &target.model)?;
        let path = path(dialect, query);
        let mut losses = LossReport::default();
        capable::note_unheeded(request, &flags, &mut losses);
        refuse_losses(&losses, provider.config().loss)?;
        let mut outgoing = Outgoing::passed(dialect, source, path, body);
        outgoing.request.losses = losses;
        return Ok(Outgoing { hide_usage, ..outgoing });
    }
    refuse_stored(request, body)?;
    let to = Target {
        provider: provider.name(),
        model: &target.model,
        capabilities: &capabilities,
        flags: &flags,
    };
    let mut encoded = upstream(dialect).encode_request(request, &to)?;
    capable::note_unheeded(request, &flags, &mut encoded.losses);
    refuse_losses(&encoded.losses, provider.config().loss)?;
    Ok(Outgoing::written(dialect, source, encoded))
}

/// Whether a provider can be sent the caller's own body.
pub(super) fn passes(
    request: &ModelRequest,
    body: &RequestBody,
    dialect: Dialect,
    flags: &ProviderFlags,
) -> bool {
    dialect == request.dialect
        && !has_foreign_state(body.bytes())
        && (flags.cache_ttl || !names_a_life(body.bytes()))
}

/// What refers to something that OpenAI keeps, and nobody else.
pub(super) const STORED: &[&str] = &["previous_response_id", "conversation", "prompt"];

/// Refuses a request that refers to what only another provider keeps.
///
/// # Errors
/// That of the dialect, which names the member.
pub(super) fn refuse_stored(request: &ModelRequest, body: &RequestBody) -> Result<(), ModelError> {
    if request.dialect == Dialect::Responses && STORED.iter().any(|name| body.value(name).is_some())
    {
        ResponsesFront.decode_request(body.bytes())?;
    }
    Ok(())
}

/// What names a person to the provider, and is kept from it.
pub(super) const fn identity(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Anthropic => &["metadata"],
        _ => &["user", "safety_identifier"],
    }
}

/// Whether a body may say how long something is to be cached, which not every provider takes.
fn names_a_life(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"\"ttl\"").is_some()
}

/// The caller's body with the model of the target, and without what names the caller's own user.
pub(super) fn spliced(
    request: &ModelRequest,
    body: &RequestBody,
    model: &str,
) -> Result<(Bytes, bool), ModelError> {
    let body = body.without(identity(request.dialect))?;
    let mut edits = Edits::default();
    if request.model != model
        && let Some(place) = body.value("model")
    {
        let name = serde_json::to_string(model).unwrap_or_default();
        edits.replace(place.clone(), name);
    }
    let bytes = body.with(edits);
    if request.dialect == Dialect::Chat && request.stream {
        let usage = splice::ask_for_stream_usage(&bytes)?;
        return Ok((usage.body, !usage.asked));
    }
    Ok((bytes, false))
}

fn path(dialect: Dialect, query: Option<&str>) -> String {
    let path = match dialect {
        Dialect::Anthropic => "/v1/messages",
        Dialect::Chat => "/v1/chat/completions",
        Dialect::Responses => "/v1/responses",
        Dialect::Gemini => "/v1beta/models",
    };
    with_query(path, query)
}

pub(super) fn with_query(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// Refuses a request of which something is lost that the policy lets not be lost.
///
/// # Errors
/// `not_carried`, which names it.
pub(super) fn refuse_losses(losses: &LossReport, policy: LossPolicy) -> Result<(), ModelError> {
    if policy != LossPolicy::Reject {
        return Ok(());
    }
    match losses.losses().iter().find(|loss| loss.what != LossKind::Hint) {
        None => Ok(()),
        Some(loss) => Err(ModelError::invalid(
            loss.field.clone(),
            format!(
                "`{}` cannot be said to the provider, and the route lets nothing be lost",
                loss.field
            ),
        )
        .with_code("not_carried")),
    }
}
