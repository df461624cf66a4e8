//! What a frame costs in the codecs alone: nanoseconds, of the fastest of many short rounds, so that
//! nothing else on the machine is in it.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use systemprompt::ai::dialect::GeminiUpstream;
use systemprompt::ai::dialect::{AnthropicFront, AnthropicUpstream};
use systemprompt::ai::dialect::{ChatFront, ChatUpstream};
use systemprompt::ai::dialect::{Front, Reply, Source, Upstream, UsageMode};
use systemprompt::ai::dialect::{ResponsesFront, ResponsesUpstream};
use systemprompt::ai::sse::{Frame, FrameSplitter};
use systemprompt::llm::{ModelRequest, StreamEvent};

use crate::wire;

const DELTAS: usize = 200;
const ROUNDS: usize = 501;

pub(crate) fn print() -> Result<(), Box<dyn Error>> {
    let wires: [(&dyn Upstream, Option<&dyn Front>, wire::Stream); 4] = [
        (&AnthropicUpstream, Some(&AnthropicFront), wire::messages()),
        (&ChatUpstream, Some(&ChatFront), wire::chat()),
        (&ResponsesUpstream, Some(&ResponsesFront), wire::responses()),
        (&GeminiUpstream, None, wire::gemini()),
    ];
    println!("{:>10} {:>9} {:>9} {:>9}   ns per frame", "wire", "split", "decode", "encode");
    for (upstream, front, stream) in wires {
        let bytes = stream.with(DELTAS);
        let frames = split(bytes.as_bytes());
        let events = decode(upstream, &frames);
        let stopped = events.iter().any(|event| matches!(event, StreamEvent::Stop { .. }));
        if !stopped || events.len() < DELTAS {
            return Err(format!(
                "{} is not read: {:?}",
                upstream.dialect().as_str(),
                events.last()
            )
            .into());
        }
        let per_frame = frames.len() as f64;
        let split = fastest(|| drop(black_box(split(black_box(bytes.as_bytes()))))) / per_frame;
        let decode = fastest(|| drop(black_box(decode(upstream, black_box(&frames))))) / per_frame;
        let encode = front.map_or_else(
            || "-".to_owned(),
            |front| {
                let reply = reply(front);
                let took = fastest(|| drop(black_box(encode(front, &reply, black_box(&events)))));
                format!("{:.0}", took / per_frame)
            },
        );
        let name = upstream.dialect().as_str();
        println!("{name:>10} {split:>9.0} {decode:>9.0} {encode:>9}");
    }
    Ok(())
}

fn split(bytes: &[u8]) -> Vec<Frame> {
    let mut splitter = FrameSplitter::new(1 << 20);
    let mut frames = Vec::new();
    // As they come from a connection.
    for piece in bytes.chunks(8 * 1024) {
        splitter.push(piece);
        while let Ok(Some(frame)) = splitter.next_frame() {
            frames.push(frame);
        }
    }
    frames
}

fn decode(upstream: &dyn Upstream, frames: &[Frame]) -> Vec<StreamEvent> {
    let source = Source {
        provider: "bench".into(),
        usage_mode: UsageMode::default(),
        tool_names: Arc::new(BTreeMap::new()),
    };
    let mut decoder = upstream.stream_decoder(&source);
    let mut events = Vec::with_capacity(frames.len() + 16);
    for frame in frames {
        decoder.push(frame, &mut events);
    }
    decoder.finish(&mut events);
    events
}

fn encode(front: &dyn Front, reply: &Reply, events: &[StreamEvent]) -> Vec<u8> {
    let mut encoder = front.stream_encoder(reply);
    let mut out = Vec::with_capacity(1 << 20);
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    out
}

fn reply(front: &dyn Front) -> Reply {
    Reply {
        id: "id_1".to_owned(),
        model: "m".to_owned(),
        created: 1_764_200_000,
        stream_usage: true,
        request: Arc::new(ModelRequest::new(front.dialect(), "m")),
    }
}

/// Nanoseconds.
fn fastest(mut round: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed().as_nanos()
    });
    times.min().unwrap_or_default() as f64
}
