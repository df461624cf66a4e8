use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use systemprompt_core::call::{Arguments, Node};
use systemprompt_core::contract::{ToolDefinition, ToolError, ToolProvider};
use systemprompt_core::decision::Injected;
use systemprompt_core::id::ServerName;
use url::Url;

use super::{InjectingClient, UpstreamRequest};
use crate::inject::{Injection, Injector};

/// Most bytes of an upstream's answer that an error repeats.
const SHOWN: usize = 1024;

/// A tool that is one request to an HTTP service, with the arguments of the call in it.
#[derive(Debug, Clone)]
pub struct HttpTool {
    injector: Injector,
    client: InjectingClient,
    spec: HttpToolSpec,
    definition: ToolDefinition,
}

/// What request a tool is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpToolSpec {
    /// The server the tool belongs to, whose secrets it gets.
    pub server: ServerName,
    /// Where the request goes. Nothing of a call can change it but the query.
    pub url: Url,
    /// How.
    #[serde(default)]
    pub method: ToolMethod,
}

/// How the arguments of a call are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolMethod {
    /// As JSON, by `POST`.
    #[default]
    Post,
    /// As JSON, by `PUT`.
    Put,
    /// As JSON, by `PATCH`.
    Patch,
    /// In the query, by `GET`. Such arguments are strings, numbers and booleans, and hold no secrets.
    Get,
}

impl HttpTool {
    /// The tool `definition` as a request of `client`.
    #[must_use]
    pub fn new(
        injector: Injector,
        client: InjectingClient,
        spec: HttpToolSpec,
        definition: ToolDefinition,
    ) -> Self {
        Self { injector, client, spec, definition }
    }

    async fn send(&self, injection: &Injection, sent: &Arguments) -> Result<Bytes, String> {
        let arguments = injection.arguments().await.map_err(|error| error.to_string())?;
        let url = self.spec.url.clone();
        let request = match self.spec.method.body() {
            Some(method) => {
                let json = HeaderValue::from_static("application/json");
                UpstreamRequest::new(method, url)
                    .headers(HeaderMap::from_iter([(CONTENT_TYPE, json)]))
                    .arguments(arguments)
            }
            None if arguments.holds_secrets() => {
                return Err("a secret does not go into the query of a url".to_owned());
            }
            None => UpstreamRequest::new(Method::GET, with_query(url, sent)?),
        };
        let response = self.client.send(injection, request).await.map_err(|e| e.to_string())?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
    }
}

impl ToolMethod {
    /// The method, when the arguments are its body.
    fn body(self) -> Option<Method> {
        match self {
            Self::Post => Some(Method::POST),
            Self::Put => Some(Method::PUT),
            Self::Patch => Some(Method::PATCH),
            Self::Get => None,
        }
    }
}

#[async_trait]
impl ToolProvider for HttpTool {
    fn tools(&self) -> Vec<ToolDefinition> {
        vec![self.definition.clone()]
    }

    async fn call(&self, injected: Injected) -> Result<Bytes, ToolError> {
        if *injected.call().tool().name() != self.definition.name {
            return Err(ToolError(format!("there is no tool `{}`", injected.call().tool().name())));
        }
        let injection = self.injector.for_call(&self.spec.server, &injected);
        let injection = injection.map_err(|error| ToolError(error.to_string()))?;
        let result = self.send(&injection, injected.arguments()).await;
        result.map_err(|text| ToolError(injection.filter().redact_text(&text)))
    }
}

fn with_query(mut url: Url, arguments: &Arguments) -> Result<Url, String> {
    let Node::Object(members) = arguments.root() else {
        return Err("the arguments are no object".to_owned());
    };
    for (name, value) in members {
        let text = match value {
            Node::Null => continue,
            Node::Bool(value) => value.to_string(),
            Node::Number(value) => value.to_string(),
            Node::String(value) => value.to_string(),
            Node::Array(_) | Node::Object(_) => {
                return Err(format!("argument `{name}` does not go into the query of a url"));
            }
        };
        url.query_pairs_mut().append_pair(name, &text);
    }
    Ok(url)
}

fn refusal(status: StatusCode, body: &[u8]) -> String {
    let shown = String::from_utf8_lossy(body.get(..SHOWN).unwrap_or(body));
    format!("the upstream answered {}: {}", status.as_u16(), shown.trim())
}
