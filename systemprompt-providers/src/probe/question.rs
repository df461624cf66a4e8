use bytes::Bytes;
use http::HeaderValue;
use systemprompt_core::llm::{Block, Dialect, ErrorKind, Message, ModelError, ModelRequest, Role};

use crate::dialect::anthropic::VERSION_2023;
use crate::dialect::{Target, upstream};
use crate::preset::{Endpoint, Provider};
use crate::price::PriceTable;
use crate::upstream::UpstreamCall;

/// What a provider is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeQuestion {
    /// Which models it has. Costs nothing; some providers have no such list, and some show it to anybody.
    Models,
    /// The shortest answer of this model: one token, or as few as the wire allows.
    Answer(String),
}

/// The shortest answer that Responses can be asked for.
const LEAST_OF_RESPONSES: u64 = 16;

impl ProbeQuestion {
    pub(super) fn call(
        &self,
        provider: &Provider,
        endpoint: &Endpoint,
        prices: &PriceTable,
    ) -> Result<UpstreamCall, ModelError> {
        let mut call = match self {
            Self::Models => models(provider, endpoint.dialect),
            Self::Answer(model) => answer(provider, endpoint.dialect, model, prices)?,
        };
        provider.put_headers(&mut call.headers);
        Ok(call)
    }

    /// What is wrong with an answer.
    pub(super) fn problem(
        &self,
        provider: &Provider,
        endpoint: &Endpoint,
        status: u16,
        body: &Bytes,
    ) -> Option<ModelError> {
        let wire = upstream(endpoint.dialect);
        if !(200..300).contains(&status) {
            return Some(wire.decode_error(status, body));
        }
        match self {
            Self::Models => no_list(body),
            Self::Answer(_) => {
                let source = provider.source(&provider.flags(endpoint.dialect));
                wire.decode_answer(body, &source).err()
            }
        }
    }
}

pub(super) fn models(provider: &Provider, dialect: Dialect) -> UpstreamCall {
    let path = match dialect {
        Dialect::Gemini => "/v1beta/models",
        Dialect::Anthropic | Dialect::Chat | Dialect::Responses => "/v1/models",
    };
    let mut call = UpstreamCall::get(path);
    if dialect == Dialect::Anthropic {
        let version = provider.flags(dialect).version;
        let version = HeaderValue::from_str(version.as_deref().unwrap_or(VERSION_2023));
        let version = version.unwrap_or(HeaderValue::from_static(VERSION_2023));
        call.headers.insert("anthropic-version", version);
    }
    call
}

fn answer(
    provider: &Provider,
    dialect: Dialect,
    model: &str,
    prices: &PriceTable,
) -> Result<UpstreamCall, ModelError> {
    let mut request = ModelRequest::new(dialect, model);
    request.messages.push(Message { role: Role::User, content: vec![Block::text("hi")] });
    request.max_output_tokens = Some(match dialect {
        Dialect::Responses => LEAST_OF_RESPONSES,
        Dialect::Anthropic | Dialect::Chat | Dialect::Gemini => 1,
    });
    let target = Target {
        provider: provider.name(),
        model,
        capabilities: &provider.capabilities(model, prices),
        flags: &provider.flags(dialect),
    };
    let request = upstream(dialect).encode_request(&request, &target)?;
    Ok(UpstreamCall::of(&request)?)
}

/// All lists of models are an object with an array: `data`, at Gemini `models`.
fn no_list(body: &Bytes) -> Option<ModelError> {
    let list: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let is_list = list.is_some_and(|list| {
        let array = |name| list.get(name).is_some_and(serde_json::Value::is_array);
        array("data") || array("models")
    });
    let what = "the provider's answer is no list of models";
    (!is_list).then(|| ModelError::new(ErrorKind::BadGateway, what))
}
