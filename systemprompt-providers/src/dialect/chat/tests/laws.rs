//! Laws that hold for any input.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn word() -> impl Strategy<Value = String> {
    "[a-z é\"\\\\<{}\n]{1,12}"
}

fn arguments() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{}".to_owned()),
        "[a-z \"\\\\]{0,8}".prop_map(|text| json!({"a": text, "b": {"c": [1, "}"]}}).to_string()),
    ]
}

/// An answer as its blocks come.
fn deltas_of_a_stream() -> impl Strategy<Value = Vec<Value>> {
    let call = (0..3_u64, "[a-z]{1,3}", arguments()).prop_map(|(index, id, arguments)| {
        json!({"tool_calls": [{"index": index, "id": id, "function": {"name": "f", "arguments": arguments}}]})
    });
    let piece = (0..4_u64, "[{}\"a:1,]{0,4}").prop_map(|(index, piece)| {
        json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    });
    let delta = prop_oneof![
        word().prop_map(|text| json!({"content": text})),
        word().prop_map(|text| json!({"reasoning_content": text})),
        word().prop_map(|text| json!({"refusal": text})),
        Just(json!({"role": "assistant", "content": "<think>"})),
        Just(json!({"content": "</think>"})),
        Just(json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]})),
        Just(json!({})),
        call,
        piece,
    ];
    proptest::collection::vec(delta, 0..10)
}

fn reason() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("stop"), Just("tool_calls"), Just("length"), Just("content_filter")]
}

fn decoded(pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let mut splitter = FrameSplitter::new(1 << 20);
    let mut decoder = ChatUpstream.stream_decoder(&source());
    let mut events = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame().unwrap() {
            decoder.push(&frame, &mut events);
        }
    }
    if let Some(frame) = splitter.finish() {
        decoder.push(&frame, &mut events);
    }
    decoder.finish(&mut events);
    events
}

fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// A request as this wire's decoder makes it, with blocks in the order that the wire has them.
fn request() -> impl Strategy<Value = ModelRequest> {
    let user = word().prop_map(|text| vec![message(Role::User, vec![Block::text(text)])]);
    let two = (word(), "[a-zA-Z0-9+/]{4}")
        .prop_map(|(text, data)| vec![message(Role::User, vec![Block::text(text), image(&data)])]);
    let assistant =
        (proptest::option::of(word()), word(), proptest::collection::vec(arguments(), 0..3));
    let turn = assistant.prop_map(|(thought, text, calls)| {
        let mut content = Vec::new();
        if let Some(thought) = thought {
            let origin = Some(Origin { dialect: Dialect::Chat, provider: None });
            content.push(Block { origin, ..thinking(&thought, None) });
        }
        content.push(Block::text(text));
        let mut turn = Vec::new();
        for (at, arguments) in calls.iter().enumerate() {
            let id = format!("call_{at}");
            content.push(tool_use(&id, "f", arguments));
            turn.push(message(Role::User, vec![result(&id, vec![Block::text("ok")], false)]));
        }
        turn.insert(0, message(Role::Assistant, content));
        turn
    });
    let system = word().prop_map(|text| vec![message(Role::System, vec![Block::text(text)])]);
    let turns = proptest::collection::vec(prop_oneof![user, two, turn, system], 0..5);
    let options = (
        proptest::option::of(1..9_u64),
        proptest::option::of(0..20_u32),
        any::<bool>(),
        proptest::option::of(prop_oneof![Just(Effort::Low), Just(Effort::None), Just(Effort::Max)]),
    );
    (word(), turns, options, any::<bool>()).prop_map(|(system, turns, options, tools)| {
        let (limit, temperature, stream, effort) = options;
        let mut request = ModelRequest::new(Dialect::Chat, "up");
        request.system = vec![Block::text(system)];
        request.messages = vec![message(Role::User, vec![Block::text("go")])];
        request.messages.extend(turns.into_iter().flatten());
        request.max_output_tokens = limit;
        request.sampling.temperature = temperature.map(|tenths| f64::from(tenths) / 10.0);
        request.stream = stream;
        // It is asked for whether the caller did or not.
        request.stream_usage = stream;
        request.reasoning =
            effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() });
        if tools {
            request.tools = vec![function("f")];
            request.tool_choice = Some(ToolChoice::Auto);
            request.parallel_tool_calls = Some(true);
        }
        request.rest.insert("logit_bias".into(), json!({"1": 2}));
        request
    })
}

proptest! {
    #[test]
    fn any_split_of_a_stream_gives_the_same_events(
        deltas in deltas_of_a_stream(),
        reason in reason(),
        cuts in proptest::collection::vec(any::<Index>(), 0..8),
    ) {
        let text = stream(&deltas, reason);
        let whole = decoded(&[text.as_bytes()]);
        check(&whole);
        prop_assert_eq!(decoded(&cut(text.as_bytes(), &cuts)), whole);
    }

    #[test]
    fn no_stream_that_is_written_breaks_the_grammar(
        deltas in deltas_of_a_stream(),
        reason in reason(),
        end in any::<Index>(),
        asked in any::<bool>(),
    ) {
        let text = stream(&deltas, reason);
        let mut events = decoded(&[text.as_bytes()]);
        // Arguments that were never JSON are the upstream's, and passed on as they are.
        let mut collector = AnswerCollector::default();
        events.iter().cloned().for_each(|event| collector.push(event));
        let broken = collector.finish().is_ok_and(|answer| {
            answer.content.iter().any(|block| {
                matches!(&block.kind, BlockKind::ToolUse { input: ToolInput::Broken(_), .. })
            })
        });
        if !broken {
            written(&events, asked);
        }
        // Cut anywhere, it ends as a failure does.
        events.truncate(end.index(events.len()));
        let (chunks, _) = written(&events, asked);
        prop_assert_eq!(chunks.last(), Some(&json!("[DONE]")));
    }

    #[test]
    fn a_request_of_this_wire_comes_through_unchanged(request in request()) {
        let provider = Arc::from("kimi");
        let sent = ChatUpstream.encode_request(&request, &target(&provider)).unwrap();
        prop_assert!(sent.losses.is_empty(), "{}", sent.losses);
        let read = ChatFront.decode_request(&sent.body).unwrap();
        prop_assert_eq!(read, request);
    }

    #[test]
    fn an_answer_of_this_wire_comes_through_unchanged(
        deltas in deltas_of_a_stream(),
        reason in prop_oneof![Just("stop"), Just("length")],
    ) {
        let Ok(answer) = collect(&stream(&deltas, reason)) else { return Ok(()) };
        let body = ChatFront.encode_answer(&answer, &reply(false), &mut LossReport::default());
        let again = ChatUpstream.decode_answer(&body, &source()).unwrap();
        let said = |answer: &Answer| {
            let mut calls = Vec::new();
            let (mut text, mut refusal) = (String::new(), String::new());
            for block in &answer.content {
                match &block.kind {
                    BlockKind::Text { text: more } => text.push_str(more),
                    BlockKind::Refusal { text: more } => refusal.push_str(more),
                    BlockKind::ToolUse { .. } => calls.push(block.kind.clone()),
                    _ => {}
                }
            }
            (text, refusal, calls, answer.stop_reason.clone())
        };
        // A text that begins with a tag, after a thought that came another way, is told apart by that.
        prop_assume!(!said(&answer).0.trim_start().starts_with("<think>"));
        prop_assert_eq!(said(&again), said(&answer));
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ChatFront.decode_request(&bytes);
        let _ = ChatUpstream.decode_answer(&bytes, &source());
        let _ = ChatUpstream.decode_error(500, &bytes);
        let _ = crate::dialect::chat::splice::ask_for_stream_usage(&Bytes::from(bytes.clone()));
        let _ = ChatGrammar::check(&bytes, true);
        check(&decoded(&[&bytes]));
    }

    #[test]
    fn hostile_json_never_panics(
        text in "(\\{|\\}|\\[|\\]|\"(model|messages|role|user|assistant|content|type|text|tool_calls|id|function|name|arguments|choices|delta|message|index|usage|error|finish_reason)\"|:|,|1|null|\"\\{\\}\"){0,40}",
    ) {
        let _ = ChatFront.decode_request(text.as_bytes());
        let _ = ChatUpstream.decode_answer(text.as_bytes(), &source());
        let frame = format!("data: {text}\n\n");
        check(&decoded(&[frame.as_bytes()]));
        let _ = ChatGrammar::check(frame.as_bytes(), true);
    }

    #[test]
    fn any_request_that_is_read_can_be_written_or_is_refused(
        roles in proptest::collection::vec(prop_oneof![
            Just(json!({"role": "user", "content": "a"})),
            Just(json!({"role": "user", "content": []})),
            Just(json!({"role": "system", "content": "s"})),
            Just(json!({"role": "tool", "tool_call_id": "c1", "content": "r"})),
            Just(json!({"role": "tool", "tool_call_id": "c2", "content": ""})),
            Just(json!({"role": "assistant", "content": ""})),
            Just(json!({"role": "assistant", "tool_calls": [
                {"id": "c1", "function": {"name": "f", "arguments": ""}}]})),
            Just(json!({"role": "assistant", "content": "b", "tool_calls": [
                {"id": "c1", "function": {"name": "f", "arguments": ""}},
                {"id": "c2", "function": {"name": "g", "arguments": ""}}]})),
        ], 1..8),
        dialect in prop_oneof![Just(Dialect::Anthropic), Just(Dialect::Chat), Just(Dialect::Responses)],
    ) {
        let mut request = decode(json!({"model": "m", "messages": roles}));
        request.dialect = dialect;
        let provider = Arc::from("kimi");
        let Ok(sent) = ChatUpstream.encode_request(&request, &target(&provider)) else { return Ok(()) };
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        answered(body["messages"].as_array().unwrap());
    }
}

/// Every call is answered right after it, and nothing else is.
fn answered(messages: &[Value]) {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap();
            let at = open.iter().position(|open| *open == id);
            open.remove(at.unwrap_or_else(|| panic!("no call {id}: {messages:?}")));
            continue;
        }
        assert!(open.is_empty(), "{open:?} not answered: {messages:?}");
        let calls = message["tool_calls"].as_array().into_iter().flatten();
        open.extend(calls.map(|call| call["id"].as_str().unwrap()));
    }
    assert!(open.is_empty(), "{open:?} not answered: {messages:?}");
}

/// Members of chunks and what servers put there, the odd ones too.
fn chunk_of_text() -> impl Strategy<Value = Value> {
    let odd =
        || prop_oneof![Just(json!(null)), Just(json!("error")), Just(json!(1)), Just(json!({}))];
    let choice = (
        prop_oneof![word().prop_map(Value::from), odd()],
        prop_oneof![4 => Just(json!(0)), 1 => Just(json!(1)), 1 => odd()],
        prop_oneof![4 => Just(json!(null)), 1 => Just(json!("stop"))],
        proptest::option::of(odd()),
    );
    let choice = choice.prop_map(|(content, index, reason, role)| {
        let mut delta = json!({"content": content});
        if let Some(role) = role {
            delta["role"] = role;
        }
        json!({"index": index, "delta": delta, "finish_reason": reason, "logprobs": null})
    });
    let member = prop_oneof![
        Just("id"),
        Just("model"),
        Just("object"),
        Just("usage"),
        Just("service_tier"),
        Just("x")
    ];
    let members = proptest::collection::vec((member, odd()), 0..3);
    (proptest::collection::vec(choice, 1..3), members).prop_map(|(choices, members)| {
        let mut chunk = json!({"id": "c1", "object": "chat.completion.chunk", "model": "m"});
        chunk["choices"] = choices.into();
        for (name, value) in members {
            chunk[name] = value;
        }
        chunk
    })
}

proptest! {
    #[test]
    fn chunks_of_text_are_read_as_all_others_are(
        chunks in proptest::collection::vec(chunk_of_text(), 1..6),
    ) {
        // With a member that nobody knows, no chunk is one of text alone.
        let other = |chunk: &Value| {
            let mut chunk = chunk.clone();
            chunk["what nobody knows"] = json!(1);
            data(&chunk)
        };
        let plain: String = chunks.iter().map(data).collect();
        let others: String = chunks.iter().map(other).collect();
        prop_assert_eq!(decoded(&[plain.as_bytes()]), decoded(&[others.as_bytes()]));
    }
}
