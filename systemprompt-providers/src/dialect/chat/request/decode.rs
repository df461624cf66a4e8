use serde_json::Value;
use systemprompt_core::llm::{
    Dialect, Effort, ModelError, ModelRequest, OutputFormat, Reasoning, Sampling,
};

use super::super::fields::{Fields, wrong};
use super::{history, tools};

/// Reads a request. Members without a word in the canonical form stay in `rest` by their paths, such as
/// `logit_bias` or `messages.3.name`.
pub(in super::super) fn decode(body: &[u8]) -> Result<ModelRequest, ModelError> {
    let mut fields = Fields::body(body)?;
    let mut request = ModelRequest::new(Dialect::Chat, fields.word("model")?);
    one_answer(&mut fields)?;
    history::read(&mut fields, &mut request)?;
    tools::read(&mut fields, &mut request)?;
    request.max_output_tokens = limit(&mut fields)?;
    request.stop_sequences = stop(&mut fields)?;
    request.sampling = sampling(&mut fields)?;
    request.reasoning = effort(&mut fields)?;
    request.output = output(&mut fields, &mut request)?;
    request.verbosity = fields.string("verbosity")?;
    request.service_tier = fields.string("service_tier")?;
    request.user = user(&mut fields)?;
    request.stream = fields.boolean("stream")?.unwrap_or(false);
    stream_options(&mut fields, &mut request)?;
    fields.rest_into(&mut request.rest);
    Ok(request)
}

/// The canonical form has one answer, as all wires but this one have.
fn one_answer(fields: &mut Fields) -> Result<(), ModelError> {
    match fields.unsigned("n")? {
        None | Some(1) => Ok(()),
        Some(_) => Err(wrong(fields.at("n"), "1: only one answer is given to a request")),
    }
}

/// `max_completion_tokens`, or its older name. At least 1.
fn limit(fields: &mut Fields) -> Result<Option<u64>, ModelError> {
    let older = fields.unsigned("max_tokens")?;
    let (name, limit) = match fields.unsigned("max_completion_tokens")? {
        Some(limit) => ("max_completion_tokens", Some(limit)),
        None => ("max_tokens", older),
    };
    if limit == Some(0) {
        return Err(wrong(fields.at(name), "at least 1"));
    }
    Ok(limit)
}

fn stop(fields: &mut Fields) -> Result<Vec<String>, ModelError> {
    match fields.take("stop") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(texts)) => texts
            .into_iter()
            .enumerate()
            .map(|(at, text)| match text {
                Value::String(text) => Ok(text),
                _ => Err(wrong(format!("stop.{at}"), "a string")),
            })
            .collect(),
        Some(_) => Err(wrong(fields.at("stop"), "a string or an array of strings")),
    }
}

fn sampling(fields: &mut Fields) -> Result<Sampling, ModelError> {
    Ok(Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        // Not of OpenAI, but of most servers that speak its wire.
        top_k: fields.unsigned("top_k")?,
        seed: fields.integer("seed")?,
        presence_penalty: fields.number("presence_penalty")?,
        frequency_penalty: fields.number("frequency_penalty")?,
    })
}

fn effort(fields: &mut Fields) -> Result<Option<Reasoning>, ModelError> {
    let Some(word) = fields.string("reasoning_effort")? else { return Ok(None) };
    match Effort::parse(&word) {
        Some(effort) => Ok(Some(Reasoning { effort: Some(effort), ..Reasoning::default() })),
        None => Err(wrong(
            fields.at("reasoning_effort"),
            "one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`",
        )),
    }
}

fn output(fields: &mut Fields, request: &mut ModelRequest) -> Result<OutputFormat, ModelError> {
    let Some(mut format) = fields.member("response_format")? else { return Ok(OutputFormat::Text) };
    let kind = format.word("type")?;
    let output = match kind.as_str() {
        "text" => OutputFormat::Text,
        "json_object" => OutputFormat::JsonObject,
        "json_schema" => {
            let mut inner = format.inner("json_schema")?;
            let schema = inner.take("schema").unwrap_or_else(|| Value::Object(Default::default()));
            if !schema.is_object() {
                return Err(wrong(inner.at("schema"), "an object"));
            }
            let output = OutputFormat::JsonSchema {
                name: inner.string("name")?,
                description: inner.string("description")?,
                schema,
                strict: inner.boolean("strict")?,
            };
            inner.rest_into(&mut request.rest);
            output
        }
        _ => return Err(wrong(format.at("type"), "one of `text`, `json_object`, `json_schema`")),
    };
    format.rest_into(&mut request.rest);
    Ok(output)
}

/// `safety_identifier`, or its older name.
fn user(fields: &mut Fields) -> Result<Option<String>, ModelError> {
    let older = fields.string("user")?;
    Ok(fields.string("safety_identifier")?.or(older))
}

fn stream_options(fields: &mut Fields, request: &mut ModelRequest) -> Result<(), ModelError> {
    let Some(mut options) = fields.member("stream_options")? else { return Ok(()) };
    request.stream_usage = options.boolean("include_usage")?.unwrap_or(false) && request.stream;
    let left = options.left();
    if !left.is_empty() {
        request.rest.insert("stream_options".to_owned(), Value::Object(left));
    }
    Ok(())
}
