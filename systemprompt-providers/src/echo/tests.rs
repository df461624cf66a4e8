use proptest::prelude::*;
use serde_json::json;
use systemprompt_core::llm::{
    AnswerCollector, Dialect, Media, MediaSource, Message, Role, Tool, ToolChoice, ToolKind,
};

use super::*;

fn asked(text: &str) -> ModelRequest {
    let mut request = ModelRequest::new(Dialect::Anthropic, "echo");
    request.messages.push(Message { role: Role::User, content: vec![Block::text(text)] });
    request
}

fn offering(mut request: ModelRequest, name: &str) -> ModelRequest {
    let kind = ToolKind::Function { schema: json!({"type": "object"}), strict: None };
    request.tools.push(Tool { kind, name: name.into(), description: None, cache: None });
    request
}

fn text(answer: &Answer) -> &str {
    match answer.content.as_slice() {
        [Block { kind: BlockKind::Text { text }, .. }] => text,
        other => panic!("no text: {other:?}"),
    }
}

fn call(answer: &Answer) -> (&str, &ToolInput) {
    match answer.content.as_slice() {
        [Block { kind: BlockKind::ToolUse { name, input, .. }, .. }] => (name, input),
        other => panic!("no call: {other:?}"),
    }
}

#[test]
fn it_says_the_last_text_of_the_user() {
    let mut request = asked("first");
    request.messages.push(Message { role: Role::Assistant, content: vec![Block::text("first")] });
    request.messages.push(Message { role: Role::User, content: vec![Block::text("and then?")] });
    let answer = answer(&request);
    assert_eq!(text(&answer), "and then?");
    assert_eq!(answer.stop_reason, StopReason::EndTurn);
    assert_eq!(answer.usage.output, 3);
}

#[test]
fn it_says_nothing_when_it_is_told_nothing() {
    let answer = answer(&ModelRequest::new(Dialect::Chat, "echo"));
    assert!(answer.content.is_empty());
    assert_eq!((answer.stop_reason, answer.usage.output), (StopReason::EndTurn, 0));
}

#[test]
fn it_calls_the_tool_it_is_told_to_call() {
    let request = offering(asked(r#" call add  {"a": 1, "b": 2} "#), "add");
    let answer = answer(&request);
    assert_eq!(call(&answer), ("add", &ToolInput::Json(r#"{"a": 1, "b": 2}"#.into())));
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    let bare = super::answer(&offering(asked("call add"), "add"));
    assert_eq!(call(&bare), ("add", &ToolInput::Json("{}".into())));
}

#[test]
fn it_calls_no_tool_that_is_not_on_offer_or_has_no_object() {
    for said in ["call sub {}", "call add [1]", "call add {", "recall add {}", "calladd {}"] {
        let answer = answer(&offering(asked(said), "add"));
        assert_eq!(text(&answer), said);
    }
    let mut none = offering(asked("call add {}"), "add");
    none.tool_choice = Some(ToolChoice::None);
    assert_eq!(text(&answer(&none)), "call add {}");
}

#[test]
fn a_forced_tool_is_called() {
    let mut request = offering(offering(asked("hello"), "a"), "b");
    request.tool_choice = Some(ToolChoice::Required);
    assert_eq!(call(&answer(&request)).0, "a");
    request.tool_choice = Some(ToolChoice::Named("b".into()));
    assert_eq!(call(&answer(&request)).0, "b");
    request.tool_choice = Some(ToolChoice::Among { names: vec!["b".into()], required: true });
    assert_eq!(call(&answer(&request)).0, "b");
    request.tool_choice = Some(ToolChoice::Among { names: vec!["b".into()], required: false });
    assert_eq!(text(&answer(&request)), "hello");
}

#[test]
fn a_text_tool_gets_text_and_a_server_tool_is_never_called() {
    let mut request = asked("call patch *** Begin\nline");
    request.tools.push(Tool {
        kind: ToolKind::Text { format: None },
        name: "patch".into(),
        description: None,
        cache: None,
    });
    assert_eq!(call(&answer(&request)), ("patch", &ToolInput::Text("*** Begin\nline".into())));
    request.tools[0].kind = ToolKind::Server { value: json!({}) };
    assert_eq!(answer(&request).stop_reason, StopReason::EndTurn);
}

#[test]
fn it_says_the_result_of_a_tool_even_when_one_is_forced() {
    let mut request = offering(asked("call add {}"), "add");
    request.tool_choice = Some(ToolChoice::Required);
    let result = BlockKind::ToolResult {
        tool_use_id: "call_1".into(),
        content: vec![Block::text("3"), Block::text("4")],
        is_error: false,
    };
    request.messages.push(Message { role: Role::User, content: vec![Block::new(result)] });
    assert_eq!(text(&answer(&request)), "3\n4");
}

#[test]
fn the_first_stop_sequence_ends_it() {
    let mut request = asked("one, two; three");
    request.stop_sequences = vec![String::new(), ";".into(), ", ".into()];
    let answer = answer(&request);
    assert_eq!(text(&answer), "one");
    assert_eq!(answer.stop_reason, StopReason::StopSequence);
    assert_eq!(answer.stop_sequence.as_deref(), Some(", "));
}

#[test]
fn it_says_no_more_than_it_may() {
    let mut request = asked("ααααα");
    request.max_output_tokens = Some(1);
    let answer = answer(&request);
    assert_eq!((text(&answer), answer.usage.output), ("αα", 1));
    assert_eq!(answer.stop_reason, StopReason::MaxTokens);
    request.max_output_tokens = Some(0);
    assert!(super::answer(&request).content.is_empty());
    let mut request = offering(asked(r#"call add {"a": 123456}"#), "add");
    request.max_output_tokens = Some(2);
    let cut = super::answer(&request);
    assert_eq!(call(&cut), ("add", &ToolInput::Broken(r#"{"a": 12"#.into())));
    assert_eq!(cut.stop_reason, StopReason::MaxTokens);
}

#[test]
fn the_same_request_has_the_same_answer_and_another_one_other_ids() {
    let request = asked("hello");
    assert_eq!(answer(&request), answer(&request));
    assert_ne!(answer(&request).id, answer(&asked("hello!")).id);
}

#[test]
fn words_come_one_by_one() {
    let pieces: Vec<String> = events(&asked("to be  or not"))
        .filter_map(|event| match event {
            StreamEvent::Delta { delta: Delta::Text(text), .. } => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(pieces, ["to ", "be ", " ", "or ", "not"]);
}

#[test]
fn tokens_are_estimated_by_the_rule() {
    let mut request = asked("12345");
    assert_eq!(estimate_tokens(&request), 2 + MESSAGE_TOKENS);
    request.system = vec![Block::text("123")];
    assert_eq!(estimate_tokens(&request), 2 + MESSAGE_TOKENS);
    let media = |source| Media { source, title: None, detail: None };
    let base64 = |length: usize| MediaSource::Base64 {
        media_type: "application/pdf".into(),
        data: "A".repeat(length),
    };
    let url = MediaSource::Url { url: "https://a.example/x".into(), media_type: None };
    request.messages[0].content = vec![
        Block::new(BlockKind::Image(media(url.clone()))),
        Block::new(BlockKind::Document(media(base64(80_000)))),
        Block::new(BlockKind::Document(media(url))),
        Block::new(BlockKind::Audio(media(base64(4_000)))),
    ];
    let expected = 1 + MESSAGE_TOKENS + IMAGE_TOKENS + 3 * DOCUMENT_PAGE_TOKENS + 6;
    assert_eq!(estimate_tokens(&request), expected);
    let before = estimate_tokens(&asked("x"));
    assert!(estimate_tokens(&offering(asked("x"), "tool")) > before, "tools count");
}

proptest! {
    #[test]
    fn the_stream_is_the_answer(
        said in "(call add )?[{}a-z:\" ;é\n]{0,40}",
        limit in proptest::option::of(0_u64..12),
        stop in "[;a ]?",
        force in any::<bool>(),
    ) {
        let mut request = offering(asked(&said), "add");
        request.max_output_tokens = limit;
        request.stop_sequences = vec![stop];
        request.tool_choice = force.then_some(ToolChoice::Required);
        let whole = answer(&request);
        let mut collector = AnswerCollector::default();
        events(&request).for_each(|event| collector.push(event));
        prop_assert_eq!(collector.finish().unwrap(), whole.clone());
        prop_assert!(limit.is_none_or(|limit| whole.usage.output <= limit));
    }
}
