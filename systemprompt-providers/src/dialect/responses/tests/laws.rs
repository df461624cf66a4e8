//! What holds for every request, answer and stream.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use systemprompt_core::llm::{
    Block, BlockKind, BlockStart, CacheMark, CacheTtl, Delta, Effort, ErrorKind, Media,
    MediaSource, Message, OpaqueState, Origin, OutputFormat, Reasoning, ReasoningMode, Role,
    Sampling, StopReason, Tool, ToolChoice, ToolInput, ToolKind, Usage,
};

use super::*;

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Zé\"\\\\\n ]{1,8}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_-]{1,8}"
}

fn own(kind: BlockKind) -> Block {
    let origin = Origin { dialect: Dialect::Responses, provider: None };
    Block { origin: Some(origin), ..Block::new(kind) }
}

fn media(detail: Option<String>) -> impl Strategy<Value = Media> {
    let source = prop_oneof![
        ("image/(png|webp)", "[A-Za-z0-9+/=]{0,8}")
            .prop_map(|(media_type, data)| MediaSource::Base64 { media_type, data }),
        "https://[a-z]{1,8}/".prop_map(|url| MediaSource::Url { url, media_type: None }),
        "file_[a-z]{1,4}".prop_map(|id| MediaSource::File { id }),
    ];
    source.prop_map(move |source| Media { source, title: None, detail: detail.clone() })
}

fn said() -> impl Strategy<Value = Block> {
    let kind = prop_oneof![
        word().prop_map(|text| BlockKind::Text { text }),
        media(Some("low".to_owned())).prop_map(BlockKind::Image),
        media(None).prop_map(|media| {
            // Bytes have a name.
            let named = matches!(media.source, MediaSource::Base64 { .. });
            BlockKind::Document(Media { title: named.then(|| "a.txt".to_owned()), ..media })
        }),
    ];
    let mark = option::of(prop_oneof![Just(None), Just(Some(CacheTtl::OneHour))]);
    (kind, mark).prop_map(|(kind, ttl)| Block {
        cache: ttl.map(|ttl| CacheMark { ttl }),
        ..Block::new(kind)
    })
}

/// A turn of the model that OpenAI takes: reasoning before what it led to, results after calls.
fn turn(number: usize) -> impl Strategy<Value = Vec<Message>> {
    let thought =
        (word(), "[A-Za-z0-9+/=]{1,12}", option::of("rs_[a-f]{3}")).prop_map(|(text, data, id)| {
            let origin = Origin { dialect: Dialect::Responses, provider: None };
            own(BlockKind::Thinking { text, state: Some(OpaqueState { origin, id, data }) })
        });
    let text = prop_oneof![
        word().prop_map(|text| own(BlockKind::Text { text })),
        word().prop_map(|text| own(BlockKind::Refusal { text })),
    ];
    let input = prop_oneof![
        Just(ToolInput::Json("{ \"a\" : [1, null] }".to_owned())),
        Just(ToolInput::Broken("{\"a".to_owned())),
        word().prop_map(ToolInput::Text),
    ];
    let call = (name(), input, vec(said(), 1..3));
    (vec(said(), 1..3), option::of(thought), vec(text, 1..3), option::of(call)).prop_map(
        move |(asked, thought, texts, call)| {
            let made = |content| Message { role: Role::Assistant, content };
            let user = |content| Message { role: Role::User, content };
            let mut messages = vec![user(asked)];
            messages.extend(thought.map(|block| made(vec![block])));
            messages.push(made(texts));
            if let Some((name, input, content)) = call {
                let id = format!("call_{number}");
                let tool_use_id = id.clone();
                messages.push(made(vec![own(BlockKind::ToolUse { id, name, input, state: None })]));
                let kind = BlockKind::ToolResult { tool_use_id, content, is_error: false };
                messages.push(user(vec![Block::new(kind)]));
            }
            messages
        },
    )
}

fn tool() -> impl Strategy<Value = Tool> {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let kind = prop_oneof![
        option::of(any::<bool>())
            .prop_map(move |strict| ToolKind::Function { schema: schema.clone(), strict }),
        Just(ToolKind::Text { format: Some(json!({"type": "text"})) }),
    ];
    (kind, name(), option::of(word())).prop_map(|(kind, name, description)| Tool {
        kind,
        name,
        description,
        cache: None,
    })
}

fn request() -> impl Strategy<Value = ModelRequest> {
    let effort = prop_oneof![Just(None), Just(Some(Effort::None)), Just(Some(Effort::Max))];
    let reasoning =
        (effort, option::of(Just("concise".to_owned()))).prop_map(|(effort, summary)| {
            let mode = (effort == Some(Effort::None)).then_some(ReasoningMode::Disabled);
            let said = effort.is_some() || summary.is_some();
            said.then_some(Reasoning { mode, effort, budget_tokens: None, summary })
        });
    let output = prop_oneof![
        Just(OutputFormat::Text),
        Just(OutputFormat::JsonObject),
        option::of(any::<bool>()).prop_map(|strict| OutputFormat::JsonSchema {
            name: Some("x".to_owned()),
            description: None,
            schema: json!({"type": "object"}),
            strict,
        }),
    ];
    let choice = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::Required),
        name().prop_map(ToolChoice::Named),
        (vec(name(), 1..3), any::<bool>())
            .prop_map(|(names, required)| ToolChoice::Among { names, required }),
    ];
    let turns = (turn(0), turn(1)).prop_map(|(first, second)| [first, second].concat());
    let asked = (
        option::of(16..9_000_u64),
        option::of((0..16_u8).prop_map(|eighths| f64::from(eighths) / 8.0)),
        any::<bool>(),
        any::<bool>(),
    );
    (option::of(word()), turns, vec(tool(), 1..3), option::of(choice), reasoning, output, asked)
        .prop_map(|(system, messages, tools, tool_choice, reasoning, output, asked)| {
            let (max_output_tokens, temperature, stream, parallel) = asked;
            ModelRequest {
                system: system.map(Block::text).into_iter().collect(),
                messages,
                tools,
                tool_choice,
                parallel_tool_calls: Some(parallel),
                max_output_tokens,
                sampling: Sampling { temperature, ..Sampling::default() },
                reasoning,
                output,
                stream,
                ..ModelRequest::new(Dialect::Responses, "gpt-6")
            }
        })
}

fn state(dialect: Dialect) -> impl Strategy<Value = OpaqueState> {
    ".{0,12}".prop_map(move |data| {
        let origin = Origin { dialect, provider: Some("openai".into()) };
        OpaqueState { origin, id: Some("rs_x".to_owned()), data: format!("g{data}") }
    })
}

fn answer_of(dialect: Dialect) -> impl Strategy<Value = Answer> {
    let input = prop_oneof![
        Just(ToolInput::Json("{\"a\": 1}".to_owned())),
        Just(ToolInput::Broken("{\"a".to_owned())),
        word().prop_map(ToolInput::Text),
    ];
    let kind = prop_oneof![
        word().prop_map(|text| BlockKind::Text { text }),
        word().prop_map(|text| BlockKind::Refusal { text }),
        (word(), option::of(state(dialect)))
            .prop_map(|(text, state)| BlockKind::Thinking { text, state }),
        ("call_[a-z]{1,4}", name(), input).prop_map(|(id, name, input)| BlockKind::ToolUse {
            id,
            name,
            input,
            state: None
        }),
    ];
    let counts = (0..1_000_u64, 0..1_000_u64, 0..1_000_u64, 0..1_000_u64);
    (vec(kind, 0..6), counts, any::<bool>()).prop_map(|(kinds, counts, cut)| {
        let tools = kinds.iter().any(|kind| matches!(kind, BlockKind::ToolUse { .. }));
        let refused = kinds.iter().any(|kind| matches!(kind, BlockKind::Refusal { .. }));
        let (input, cache_read, cache_write_5m, output) = counts;
        Answer {
            id: "resp_1".to_owned(),
            model: "gpt-6".to_owned(),
            content: kinds.into_iter().map(Block::new).collect(),
            stop_reason: match (cut, tools, refused) {
                (true, _, _) => StopReason::MaxTokens,
                (_, true, _) => StopReason::ToolUse,
                (_, _, true) => StopReason::Refusal,
                _ => StopReason::EndTurn,
            },
            stop_sequence: None,
            usage: Usage {
                input,
                cache_read,
                cache_write_5m,
                output,
                reasoning: Some(output / 2),
                ..Usage::default()
            },
        }
    })
}

/// An answer without what only its provider's own ids tell.
fn plain(mut answer: Answer) -> Answer {
    answer.model = String::new();
    for block in &mut answer.content {
        block.origin = None;
        if let BlockKind::Thinking { state: Some(state), .. } = &mut block.kind {
            state.id = None;
        }
    }
    answer
}

/// Any event, in any order.
fn any_event() -> impl Strategy<Value = StreamEvent> {
    let block = prop_oneof![
        Just(BlockStart::Text),
        Just(BlockStart::Refusal),
        Just(BlockStart::Thinking),
        state(Dialect::Anthropic).prop_map(BlockStart::RedactedThinking),
        (name(), any::<bool>(), option::of(state(Dialect::Gemini))).prop_map(
            |(id, text, state)| { BlockStart::ToolUse { id, name: "f".to_owned(), text, state } }
        ),
        Just(BlockStart::Unknown(json!({"type": "web_search_call", "id": "ws_1"}))),
    ];
    let delta = prop_oneof![
        "[a-z]{0,3}".prop_map(Delta::Text),
        "[a-z]{0,3}".prop_map(Delta::Input),
        state(Dialect::Responses).prop_map(Delta::State),
    ];
    let error = ModelError::new(ErrorKind::Api, "broken");
    prop_oneof![
        1 => Just(StreamEvent::Start { id: "x y".to_owned(), model: String::new() }),
        8 => block.prop_map(|block| StreamEvent::BlockStart { index: 0, block }),
        12 => delta.prop_map(|delta| StreamEvent::Delta { index: 0, delta }),
        8 => Just(StreamEvent::BlockStop { index: 0 }),
        1 => Just(StreamEvent::Ping),
        1 => Just(StreamEvent::Stop { reason: StopReason::MaxTokens, stop_sequence: None }),
        1 => Just(StreamEvent::Error(error)),
    ]
}

/// Any event of the wire, with members that fit or do not.
fn any_wire() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.done",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.done",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "error",
        "",
    ]);
    let item_kind = prop::sample::select(vec![
        "message",
        "reasoning",
        "function_call",
        "custom_tool_call",
        "web_search_call",
        "",
    ]);
    let part_kind = prop::sample::select(vec!["output_text", "refusal", "reasoning_text", "x"]);
    (kind, item_kind, part_kind, 0..3_u64, 0..3_u64, "[a-z]{0,3}", any::<bool>()).prop_map(
        |(kind, item_kind, part_kind, output, content, text, placed)| {
            let part = json!({"type": part_kind, "text": text, "refusal": text});
            let item = json!({
                "type": item_kind, "id": format!("i{output}"), "call_id": text, "name": text,
                "arguments": text, "input": text, "content": [part], "summary": [part],
                "encrypted_content": text
            });
            let mut event = json!({
                "type": kind, "item_id": format!("i{output}"), "content_index": content,
                "summary_index": content, "delta": text, "text": text, "arguments": text,
                "input": text, "refusal": text, "part": part, "item": item,
                "response": {"id": "resp_1", "output": [item], "status": "completed", "usage": {}}
            });
            if placed {
                event["output_index"] = json!(output);
            }
            event
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_request_comes_back_from_its_own_wire(request in request()) {
        let takes = Capabilities { cache_breakpoints: true, ..Capabilities::default() };
        let sent = encode_for(&request, &takes);
        prop_assert!(sent.losses.is_empty(), "{}", sent.losses);
        let again = ResponsesFront.decode_request(&sent.body).unwrap();
        prop_assert_eq!(again, request);
    }

    #[test]
    fn an_answer_comes_back_from_its_own_stream(answer in answer_of(Dialect::Responses)) {
        let mut expected = plain(answer.clone());
        // A stream of pieces repeats no id.
        let (stream, _, _) = stream_of(&reply(), &answer.clone().into_events());
        let streamed = collect(read_pieces(&[&stream])).unwrap();
        prop_assert_eq!(plain(streamed), expected.clone());
        let body = ResponsesFront.encode_answer(&answer, &reply(), &mut LossReport::default());
        let whole = ResponsesUpstream.decode_answer(&body, &source()).unwrap();
        expected.usage.cache_write_1h = 0;
        prop_assert_eq!(plain(whole), expected);
    }

    #[test]
    fn any_cut_of_a_stream_gives_the_same_events(
        answer in answer_of(Dialect::Responses),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (stream, _, _) = stream_of(&reply(), &answer.into_events());
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        at.extend([0, stream.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read_pieces(&pieces), read_pieces(&[&stream]));
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(read_pieces(&bytes), read_pieces(&[&stream]));
    }

    #[test]
    fn no_events_break_the_grammar(events in vec(any_event(), 0..24)) {
        stream_of(&reply(), &events);
    }

    #[test]
    fn no_stream_of_a_provider_breaks_the_order(events in vec(any_wire(), 0..16)) {
        let answer = read(&events);
        stream_of(&reply(), &answer);
    }

    #[test]
    fn no_bytes_are_too_much(bytes in vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z0-9 \n]{0,80}") {
        for body in [&bytes[..], text.as_bytes()] {
            let _ = ResponsesFront.decode_request(body);
            let _ = ResponsesUpstream.decode_answer(body, &source());
            let _ = ResponsesUpstream.decode_error(500, body);
            let _ = grammar::check(body);
            read_pieces(&[b"data: ", body, b"\n\n"]);
        }
    }

    /// A good request with something else in one place is read or refused.
    #[test]
    fn no_request_is_too_odd(
        request in request(),
        at in any::<prop::sample::Index>(),
        odd in prop::sample::select(vec![json!(null), json!(-1), json!("x"), json!([]), json!({}), json!([{}])]),
    ) {
        let body: Value = serde_json::from_slice(&encode_for(&request, &Capabilities::default()).body).unwrap();
        let mut paths = Vec::new();
        paths_of(&body, String::new(), &mut paths);
        let mut changed = body.clone();
        *changed.pointer_mut(&paths[at.index(paths.len())]).unwrap() = odd;
        if let Ok(request) = ResponsesFront.decode_request(changed.to_string().as_bytes()) {
            let _ = try_encode(&request, &Capabilities::default());
        }
    }
}

fn paths_of(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                paths_of(value, format!("{path}/{name}"), paths);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                paths_of(value, format!("{path}/{at}"), paths);
            }
        }
        _ => {}
    }
    paths.push(path);
}
