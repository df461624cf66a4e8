//! What users of other gateways have reported, each by its name: `litellm_25321` is issue or pull request 25321
//! of litellm. Each goes through the whole gateway, from the caller's door to the provider and back.
//!
//! | reports of | where |
//! |---|---|
//! | what comes of a stream or an answer | `answers` |
//! | how a stream ends that fails | `endings` |
//! | what of a conversation is sent on | `turns` |
//! | tools, and their schemas | `tools` |
//! | signatures and thoughts over several requests | `thoughts` |
//! | what is counted, and what it costs | `usage` |
//! | headers, marks and limits | `settings` |
//!
//! Every report applies to this gateway in some form. These apply in a part only:
//!
//! | report | what does not apply |
//! |---|---|
//! | litellm#32357, the second `message_start` | in the byte lane a provider's own is passed on as it came; the gateway never writes one |
//! | litellm#14457, the row of one token | what a provider has not told when its caller leaves is an estimate, and says so |
//! | claude-code-router#1378, `reasoning: {effort, enabled}` | that member of OpenRouter is never sent; `reasoning_effort` is |
//! | vercel/ai#20649, the aggregated stream | an answer that is not streamed is asked for as such: the limits of time are those of the profile |

mod answers;
mod endings;
mod settings;
mod thoughts;
mod tools;
mod turns;
mod usage;

use serde_json::{Value, json};
use systemprompt_providers::scripted::{Script, sse};

use super::house::{House, Reply};
use super::wire::{Wire, chat_chunk};

/// The name of a model that is spoken to in a dialect.
fn model(upstream: Wire) -> String {
    format!("{upstream:?}-x").to_lowercase()
}

/// What the provider was sent last.
fn sent(house: &House) -> Value {
    serde_json::from_slice(&house.seen().body).unwrap()
}

/// Asks, and the provider answers with these parts; what it was sent.
async fn sends(house: &House, front: Wire, upstream: Wire, asked: &Value) -> Value {
    house.says(upstream, &[super::wire::Text("So.")], false);
    let reply = house.ask(front, asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    sent(house)
}

/// Asks for a stream, and the provider answers with these frames.
async fn streams(house: &House, front: Wire, upstream: Wire, frames: &[String]) -> Reply {
    house.plays(upstream, sse(frames));
    let reply = house.ask(front, front.request(&model(upstream), true)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// Asks for a whole answer, and the provider answers with this one.
async fn answers(house: &House, front: Wire, upstream: Wire, answer: &Value) -> Reply {
    house.plays(upstream, Script::json(answer.to_string()));
    house.ask(front, front.request(&model(upstream), false)).await
}

/// The events of a stream.
fn events(stream: &Reply) -> Vec<Value> {
    let text = stream.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// A chunk of Chat with one choice.
fn chunk(delta: Value, finish: Option<&str>) -> String {
    let choice = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    chat_chunk(&choice, &Value::Null)
}

/// A request of one user's message and these turns behind it.
fn conversation(front: Wire, model: &str, turns: &[Value]) -> Value {
    let mut request = front.request(model, false);
    let name = if front == Wire::R { "input" } else { "messages" };
    request[name].as_array_mut().unwrap().extend(turns.iter().cloned());
    request
}
