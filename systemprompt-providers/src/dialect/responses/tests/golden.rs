//! A stream in the words of OpenAI: reasoning in two parts, a message, and two calls.

use systemprompt_core::llm::{BlockKind, StopReason, ToolInput, Usage};

use super::*;

const STREAM: &[u8] = include_bytes!("openai.sse");

#[test]
fn the_grammar_is_that_of_openai() {
    assert_eq!(grammar::check(STREAM), Ok(Ending::Completed));
}

#[test]
fn the_stream_is_the_answer_that_it_ends_with() {
    let streamed = collect(read_pieces(&[STREAM])).unwrap();
    let end = &events_of(STREAM).pop().unwrap()["response"];
    let whole = ResponsesUpstream.decode_answer(end.to_string().as_bytes(), &source()).unwrap();
    let kinds =
        |answer: &Answer| answer.content.iter().map(|block| block.kind.clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&streamed), kinds(&whole));
    assert_eq!(streamed.usage, whole.usage);
    assert_eq!(streamed.stop_reason, StopReason::ToolUse);
    assert_eq!(
        (streamed.id.as_str(), streamed.model.as_str()),
        ("resp_0a1b2c3d", "gpt-6-2026-09-30")
    );
    let usage = Usage {
        input: 76,
        cache_read: 1024,
        cache_write_5m: 100,
        output: 96,
        reasoning: Some(40),
        ..Usage::default()
    };
    assert_eq!(streamed.usage, usage);
    let BlockKind::Thinking { text, state: Some(state) } = &streamed.content[0].kind else {
        panic!("{streamed:?}");
    };
    assert!(text.ends_with("asked for.\n\n**Calling** both"), "{text}");
    assert_eq!(state.data, "gAAAAABpSecond_-==");
    let BlockKind::ToolUse { id, input, .. } = &streamed.content[3].kind else { panic!() };
    assert_eq!(id, "call_Qx1");
    assert_eq!(*input, ToolInput::Json("{\"city\":\"東京\"}".to_owned()));
}

/// Wherever it is cut, what came is given, and then that it was cut.
#[test]
fn no_piece_of_the_stream_is_the_whole() {
    let whole = read_pieces(&[STREAM]);
    for size in [1, 37] {
        let pieces: Vec<&[u8]> = STREAM.chunks(size).collect();
        assert_eq!(read_pieces(&pieces), whole);
    }
    for end in (0..STREAM.len() - 2).step_by(97) {
        let cut = read_pieces(&[&STREAM[..end]]);
        let Some((StreamEvent::Error(_), before)) = cut.split_last() else { panic!("{cut:?}") };
        assert!(whole.starts_with(before), "{end}");
        let (_, ending, _) = stream_of(&reply(), &cut);
        assert_eq!(ending, Ending::Failed);
    }
}
