//! Streams of providers, of any bytes and of good frames that were spoiled: their events keep the order of
//! the canonical form wherever the bytes were cut, they do not grow, and what is written of them keeps
//! the grammar of every dialect.

use serde_json::Value;
use systemprompt_core::llm::{BlockStart, Delta, EventOrder, StreamEvent};
use systemprompt_providers::dialect::anthropic::{self, AnthropicFront, AnthropicUpstream};
use systemprompt_providers::dialect::chat::grammar::ChatGrammar;
use systemprompt_providers::dialect::chat::{ChatFront, ChatUpstream};
use systemprompt_providers::dialect::gemini::GeminiUpstream;
use systemprompt_providers::dialect::responses::{self, ResponsesFront, ResponsesUpstream};
use systemprompt_providers::dialect::{Front, Source, Upstream, UsageMode};

use crate::cut::{self, Choices};
use crate::{odd, wire};

const LIMIT: usize = 1 << 20;

const WIRES: [(&dyn Upstream, &str); 4] = [
    (&AnthropicUpstream, include_str!("streams/anthropic.jsonl")),
    (&ChatUpstream, include_str!("streams/chat.jsonl")),
    (&ResponsesUpstream, include_str!("streams/responses.jsonl")),
    (&GeminiUpstream, include_str!("streams/gemini.jsonl")),
];

pub fn check(input: &[u8]) {
    let mut choices = Choices(input);
    let (upstream, good) = *choices.of(&WIRES);
    let source = source(&mut choices);
    let bytes = match choices.byte() % 4 {
        0 => choices.0.to_vec(),
        _ => spoiled(good, &mut choices),
    };
    let whole = events(upstream, &source, &bytes, &[0, bytes.len()]);
    let cuts = choices.cuts(bytes.len());
    assert_eq!(whole, events(upstream, &source, &bytes, &cuts), "cut at {cuts:?}");
    if let Err(fault) = order(&whole) {
        panic!(
            "{}: {fault}\n{}\n{whole:#?}",
            upstream.dialect().as_str(),
            String::from_utf8_lossy(&bytes)
        );
    }
    let said: usize = whole.iter().map(size).sum();
    assert!(said <= bytes.len() * 8 + 4096, "{said} bytes of {}", bytes.len());
    if whole.iter().all(is_named) && inputs_are_objects(&whole) {
        written(&whole);
    }
}

fn source(choices: &mut Choices<'_>) -> Source {
    let modes =
        [UsageMode::Native, UsageMode::Exclusive, UsageMode::Inclusive, UsageMode::LastEvent];
    wire::source(*choices.of(&modes))
}

/// Good frames in whatever order, some of them spoiled.
fn spoiled(good: &str, choices: &mut Choices<'_>) -> Vec<u8> {
    let lines: Vec<&str> = good.lines().collect();
    let mut bytes = Vec::new();
    let mut next = 0;
    for _ in 0..64 {
        let at = match choices.byte() {
            // As it should be.
            0..160 => next,
            160..255 => choices.below(lines.len()),
            255 => break,
        };
        let Some(line) = lines.get(at) else { break };
        next = at + 1;
        let text = match serde_json::from_str::<Value>(line) {
            Ok(mut value) if choices.byte() % 3 == 0 => {
                odd::spoil(&mut value, choices);
                value.to_string()
            }
            _ => (*line).to_owned(),
        };
        bytes.extend_from_slice(b"data: ");
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(b"\n\n");
        if choices.is_over() && choices.byte() == 0 && next >= lines.len() {
            break;
        }
    }
    bytes
}

fn events(
    upstream: &dyn Upstream,
    source: &Source,
    bytes: &[u8],
    cuts: &[usize],
) -> Vec<StreamEvent> {
    let mut decoder = upstream.stream_decoder(source);
    let mut events = Vec::new();
    for frame in cut::frames(bytes, cuts, LIMIT).0 {
        decoder.push(&frame, &mut events);
    }
    decoder.finish(&mut events);
    events
}

/// Whether events keep the order of the canonical form, to an end.
fn order(events: &[StreamEvent]) -> Result<(), String> {
    let mut order = EventOrder::default();
    for event in events {
        order.take(event).map_err(|fault| format!("{fault}: {event:?}"))?;
    }
    if order.is_over() { Ok(()) } else { Err("no end".to_owned()) }
}

fn size(event: &StreamEvent) -> usize {
    match event {
        StreamEvent::Delta { delta: Delta::Text(text) | Delta::Input(text), .. } => text.len(),
        StreamEvent::Delta { delta: Delta::State(state), .. } => state.data.len(),
        _ => 1,
    }
}

/// Whether a call has what every dialect wants of it; the names are the provider's own.
fn is_named(event: &StreamEvent) -> bool {
    match event {
        StreamEvent::BlockStart { block: BlockStart::ToolUse { id, name, .. }, .. } => {
            !id.is_empty() && !name.is_empty()
        }
        // What only its dialect knows goes back as it came.
        StreamEvent::BlockStart { block: BlockStart::Unknown(_), .. } => false,
        _ => true,
    }
}

/// Whether the arguments of every call are what they should be; what the provider spoiled stays spoiled.
fn inputs_are_objects(events: &[StreamEvent]) -> bool {
    let mut open: Option<String> = None;
    for event in events {
        match event {
            StreamEvent::BlockStart { block: BlockStart::ToolUse { text: false, .. }, .. } => {
                open = Some(String::new());
            }
            StreamEvent::Delta { delta: Delta::Input(text), .. } => {
                open.iter_mut().for_each(|open| open.push_str(text));
            }
            StreamEvent::BlockStop { .. } => {
                let input = open.take().unwrap_or_default();
                let read = serde_json::from_str::<Value>(&input);
                if !input.is_empty() && !read.is_ok_and(|value| value.is_object()) {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

fn written(events: &[StreamEvent]) {
    let anthropic = encoded(&AnthropicFront, events);
    if let Err(violation) = anthropic::grammar::check(&anthropic) {
        panic!("{violation}\n{}\n{events:#?}", String::from_utf8_lossy(&anthropic));
    }
    let chat = encoded(&ChatFront, events);
    if let Err(violation) = ChatGrammar::check(&chat, true) {
        panic!("{violation}\n{}\n{events:#?}", String::from_utf8_lossy(&chat));
    }
    let responses = encoded(&ResponsesFront, events);
    if let Err(violation) = responses::grammar::check(&responses) {
        panic!("{violation}\n{}\n{events:#?}", String::from_utf8_lossy(&responses));
    }
}

fn encoded(front: &dyn Front, events: &[StreamEvent]) -> Vec<u8> {
    let reply = wire::reply(front);
    let mut encoder = front.stream_encoder(&reply);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    assert!(out.len() < (1 << 24), "{} bytes of {} events", out.len(), events.len());
    out
}
