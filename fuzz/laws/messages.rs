//! Requests of callers and whole answers of providers, of any bytes and of good ones that were spoiled:
//! they are read or refused, and what was read can be written in every dialect.

use serde_json::Value;
use systemprompt_core::llm::{Answer, LossReport, ModelRequest};
use systemprompt_providers::dialect::anthropic::{AnthropicFront, AnthropicUpstream};
use systemprompt_providers::dialect::chat::{ChatFront, ChatUpstream};
use systemprompt_providers::dialect::gemini::GeminiUpstream;
use systemprompt_providers::dialect::responses::{ResponsesFront, ResponsesUpstream};
use systemprompt_providers::dialect::{
    Capabilities, Front, ProviderFlags, Target, Upstream, UsageMode,
};

use crate::cut::Choices;
use crate::{odd, wire};

const FRONTS: [(&dyn Front, &str); 3] = [
    (&AnthropicFront, include_str!("messages/anthropic_request.json")),
    (&ChatFront, include_str!("messages/chat_request.json")),
    (&ResponsesFront, include_str!("messages/responses_request.json")),
];

const UPSTREAMS: [(&dyn Upstream, &str); 4] = [
    (&AnthropicUpstream, include_str!("messages/anthropic_answer.json")),
    (&ChatUpstream, include_str!("messages/chat_answer.json")),
    (&ResponsesUpstream, include_str!("messages/responses_answer.json")),
    (&GeminiUpstream, include_str!("messages/gemini_answer.json")),
];

pub fn check(input: &[u8]) {
    let mut choices = Choices(input);
    match choices.below(2) {
        0 => {
            let (front, good) = *choices.of(&FRONTS);
            let body = body(good, &mut choices);
            if let Ok(request) = front.decode_request(&body) {
                sent(&request, &mut choices);
            }
        }
        _ => {
            let (upstream, good) = *choices.of(&UPSTREAMS);
            let body = body(good, &mut choices);
            upstream.decode_error(500, &body);
            if let Ok(answer) = upstream.decode_answer(&body, &wire::source(UsageMode::default())) {
                told(&answer);
            }
        }
    }
}

fn body(good: &str, choices: &mut Choices<'_>) -> Vec<u8> {
    if choices.byte() % 4 == 0 {
        return choices.0.to_vec();
    }
    let mut value: Value = serde_json::from_str(good).expect("it is JSON");
    odd::spoil(&mut value, choices);
    value.to_string().into_bytes()
}

/// Writes a request for every provider.
fn sent(request: &ModelRequest, choices: &mut Choices<'_>) {
    let bits = choices.byte();
    let bit = |at: u8| bits & (1 << at) != 0;
    let capabilities = Capabilities {
        sampling: bit(0),
        forced_tool_choice: bit(1),
        prefill: bit(2),
        thinking_budget: bit(3),
        adaptive_thinking: bit(4),
        always_thinks: bit(5),
        images: bit(6),
        cache_breakpoints: bit(7),
        max_output: bit(0).then_some(1),
        ..Capabilities::default()
    };
    let flags = ProviderFlags {
        cache_ttl: bit(1),
        json_schema: bit(2),
        reasoning_required: bit(3),
        replay_reasoning: bit(4),
        ..ProviderFlags::default()
    };
    let to =
        Target { provider: &"p".into(), model: "m", capabilities: &capabilities, flags: &flags };
    for (upstream, _) in UPSTREAMS {
        if let Ok(sent) = upstream.encode_request(request, &to) {
            let read = serde_json::from_slice::<Value>(&sent.body);
            assert!(read.is_ok_and(|body| body.is_object()), "what is sent is no JSON");
            assert!(sent.path.starts_with('/'));
        }
    }
}

/// Writes an answer for every caller.
fn told(answer: &Answer) {
    for (front, _) in FRONTS {
        let reply = wire::reply(front);
        let body = front.encode_answer(answer, &reply, &mut LossReport::default());
        assert!(serde_json::from_slice::<Value>(&body).is_ok_and(|body| body.is_object()));
    }
}
