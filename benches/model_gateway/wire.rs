//! Answers as providers write them.

use std::fmt::Write as _;

/// The text of one delta: a few tokens.
const PIECE: &str = " the quick brown";

/// A whole answer of Messages, about 1 KiB.
pub(crate) fn messages_answer() -> String {
    let text = PIECE.repeat(44);
    format!(
        r#"{{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"m","content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":243,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":187,"service_tier":"standard"}}}}"#
    )
}

/// A whole answer of Chat Completions, about 1 KiB.
pub(crate) fn chat_answer() -> String {
    let text = PIECE.repeat(38);
    format!(
        r#"{{"id":"chatcmpl-9Xb2","object":"chat.completion","created":1764200000,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":243,"completion_tokens":187,"total_tokens":430,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0}}}},"system_fingerprint":"fp_44709d6fcb"}}"#
    )
}

/// The frames of a stream with `deltas` pieces of text: before them, one of them, after them.
pub(crate) struct Stream {
    pub(crate) head: String,
    pub(crate) delta: String,
    pub(crate) tail: String,
}

impl Stream {
    /// All of it.
    pub(crate) fn with(&self, deltas: usize) -> String {
        let mut all = self.head.clone();
        for _ in 0..deltas {
            all.push_str(&self.delta);
        }
        all + &self.tail
    }
}

pub(crate) fn messages() -> Stream {
    let mut head = String::new();
    named(
        &mut head,
        "message_start",
        r#"{"type":"message_start","message":{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":243,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}"#,
    );
    named(
        &mut head,
        "content_block_start",
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    );
    let mut delta = String::new();
    let text = format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{PIECE}"}}}}"#
    );
    named(&mut delta, "content_block_delta", &text);
    let mut tail = String::new();
    named(&mut tail, "content_block_stop", r#"{"type":"content_block_stop","index":0}"#);
    named(
        &mut tail,
        "message_delta",
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":30000}}"#,
    );
    named(&mut tail, "message_stop", r#"{"type":"message_stop"}"#);
    Stream { head, delta, tail }
}

pub(crate) fn chat() -> Stream {
    let chunk = |choices: &str, usage: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-9Xb2\",\"object\":\"chat.completion.chunk\",\"created\":1764200000,\"model\":\"m\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{choices}],\"usage\":{usage}}}\n\n"
        )
    };
    let choice = |delta: &str, finish: &str| {
        format!(r#"{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}"#)
    };
    let usage = r#"{"prompt_tokens":243,"completion_tokens":30000,"total_tokens":30243,"prompt_tokens_details":{"cached_tokens":0}}"#;
    Stream {
        head: chunk(&choice(r#"{"role":"assistant","content":""}"#, "null"), "null"),
        delta: chunk(&choice(&format!(r#"{{"content":"{PIECE}"}}"#), "null"), "null"),
        tail: chunk(&choice("{}", "\"stop\""), "null") + &chunk("", usage) + "data: [DONE]\n\n",
    }
}

/// Deltas of Responses without the numbers that count them up, which nobody reads here.
pub(crate) fn responses() -> Stream {
    let response = |status: &str, output: &str, usage: &str| {
        format!(
            r#"{{"id":"resp_1","object":"response","created_at":1764200000,"status":"{status}","model":"m","output":[{output}],"usage":{usage}}}"#
        )
    };
    let mut head = String::new();
    let event = |out: &mut String, kind: &str, rest: &str| {
        named(out, kind, &format!(r#"{{"type":"{kind}","sequence_number":1,{rest}}}"#));
    };
    let begun = response("in_progress", "", "null");
    event(&mut head, "response.created", &format!(r#""response":{begun}"#));
    event(
        &mut head,
        "response.output_item.added",
        r#""output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}"#,
    );
    event(
        &mut head,
        "response.content_part.added",
        r#""item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}"#,
    );
    let mut delta = String::new();
    let place = r#""item_id":"msg_1","output_index":0,"content_index":0"#;
    event(
        &mut delta,
        "response.output_text.delta",
        &format!(r#"{place},"delta":"{PIECE}","logprobs":[],"obfuscation":"Xb2""#),
    );
    let mut tail = String::new();
    let part = r#"{"type":"output_text","text":"...","annotations":[]}"#;
    event(&mut tail, "response.output_text.done", &format!(r#"{place},"text":"...""#));
    event(&mut tail, "response.content_part.done", &format!(r#"{place},"part":{part}"#));
    let item = format!(
        r#"{{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{part}]}}"#
    );
    event(&mut tail, "response.output_item.done", &format!(r#""output_index":0,"item":{item}"#));
    let usage = r#"{"input_tokens":243,"input_tokens_details":{"cached_tokens":0},"output_tokens":30000,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":30243}"#;
    let ended = response("completed", &item, usage);
    event(&mut tail, "response.completed", &format!(r#""response":{ended}"#));
    Stream { head, delta, tail }
}

pub(crate) fn gemini() -> Stream {
    let piece = |finish: &str| {
        format!(
            "data: {{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \"{PIECE}\"}}],\"role\": \"model\"}}{finish},\"index\": 0}}],\"usageMetadata\": {{\"promptTokenCount\": 243,\"candidatesTokenCount\": 4,\"totalTokenCount\": 247}},\"modelVersion\": \"m\",\"responseId\": \"Xb2\"}}\r\n\r\n"
        )
    };
    Stream { head: String::new(), delta: piece(""), tail: piece(",\"finishReason\": \"STOP\"") }
}

fn named(out: &mut String, event: &str, data: &str) {
    let _ = write!(out, "event: {event}\ndata: {data}\n\n");
}
