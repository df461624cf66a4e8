//! What the dialects look like: requests, answers and streams of providers, and how a client reads what it gets.

use serde_json::{Value, json};
use systemprompt_providers::dialect::anthropic::grammar as anthropic;
use systemprompt_providers::dialect::chat::grammar::ChatGrammar;
use systemprompt_providers::dialect::responses::grammar as responses;

/// The dialects, by their letters in the names of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    A,
    C,
    R,
    G,
}

/// What callers speak.
pub(super) const FRONTS: [Wire; 3] = [Wire::A, Wire::C, Wire::R];

/// What providers speak.
pub(super) const UPSTREAMS: [Wire; 4] = [Wire::A, Wire::C, Wire::R, Wire::G];

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(&'static str),
    Thought(&'static str),
    Refusal(&'static str),
    /// Its id, name and arguments.
    Call(&'static str, &'static str, &'static str),
}

pub(super) use Part::{Call, Refusal, Text, Thought};

impl Wire {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::A => "/v1/messages",
            Self::C => "/v1/chat/completions",
            Self::R => "/v1/responses",
            Self::G => "/v1beta/models/",
        }
    }

    /// A request with one tool of each kind.
    pub(super) fn request(self, model: &str, stream: bool) -> Value {
        let tools = ["allowed", "danger_delete", "rewritten_path"];
        let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
        let tools: Vec<Value> = tools
            .iter()
            .map(|name| match self {
                Self::A => json!({"name": name, "input_schema": schema}),
                Self::C => {
                    json!({"type": "function", "function": {"name": name, "parameters": schema}})
                }
                _ => json!({"type": "function", "name": name, "parameters": schema}),
            })
            .collect();
        let turn = json!([{"role": "user", "content": "hello there"}]);
        match self {
            Self::A => {
                json!({"model": model, "max_tokens": 100, "messages": turn, "tools": tools, "stream": stream})
            }
            Self::C => json!({"model": model, "messages": turn, "tools": tools, "stream": stream}),
            _ => json!({"model": model, "input": turn, "tools": tools, "stream": stream}),
        }
    }

    /// A whole answer of a provider.
    pub(super) fn whole(self, parts: &[Part]) -> String {
        let calls = parts.iter().any(|part| matches!(part, Call(..)));
        match self {
            Self::A => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "up",
                "content": parts.iter().map(anthropic_block).collect::<Vec<_>>(),
                "stop_reason": if calls { "tool_use" } else { "end_turn" }, "stop_sequence": null,
                "usage": {"input_tokens": 11, "output_tokens": 7},
            }),
            Self::C => {
                let joined = |pick: fn(&Part) -> Option<&'static str>| {
                    let all: String = parts.iter().filter_map(pick).collect();
                    if all.is_empty() { Value::Null } else { json!(all) }
                };
                let mut message = json!({
                    "role": "assistant",
                    "content": joined(|part| if let Text(text) = part { Some(*text) } else { None }),
                    "refusal": joined(|part| if let Refusal(text) = part { Some(*text) } else { None }),
                });
                let thoughts = joined(|part| if let Thought(text) = part { Some(*text) } else { None });
                if !thoughts.is_null() {
                    message["reasoning_content"] = thoughts;
                }
                if calls {
                    let calls: Vec<Value> = parts
                        .iter()
                        .filter_map(|part| match part {
                            Call(id, name, arguments) => Some(json!({
                                "id": id, "type": "function",
                                "function": {"name": name, "arguments": arguments},
                            })),
                            _ => None,
                        })
                        .collect();
                    message["tool_calls"] = json!(calls);
                }
                json!({
                    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "up",
                    "choices": [{"index": 0, "message": message, "logprobs": null,
                        "finish_reason": if calls { "tool_calls" } else { "stop" }}],
                    "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
                })
            }
            Self::R => response(parts, "completed", true),
            Self::G => {
                let parts: Vec<Value> = parts.iter().map(gemini_part).collect();
                json!({
                    "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
                    "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
                    "responseId": "r1", "modelVersion": "up",
                })
            }
        }
        .to_string()
    }

    /// The frames of a streamed answer. Texts and arguments come in pieces of three characters.
    pub(super) fn stream(self, parts: &[Part]) -> Vec<String> {
        match self {
            Self::A => anthropic_stream(parts),
            Self::C => chat_stream(parts),
            Self::R => responses_stream(parts),
            Self::G => gemini_stream(parts),
        }
    }

    /// Fails when a stream is not as its clients rely on it.
    #[track_caller]
    pub(super) fn check(self, stream: &[u8], usage_asked: bool) {
        let shown = String::from_utf8_lossy(stream);
        match self {
            Self::A => {
                anthropic::check(stream).unwrap_or_else(|wrong| panic!("{wrong}\n{shown}"));
            }
            Self::C => {
                ChatGrammar::check(stream, usage_asked)
                    .unwrap_or_else(|wrong| panic!("{wrong}\n{shown}"));
            }
            _ => drop(responses::check(stream).unwrap_or_else(|wrong| panic!("{wrong}\n{shown}"))),
        }
    }

    /// What a client makes of a stream.
    pub(super) fn read_stream(self, stream: &[u8]) -> Got {
        let text = String::from_utf8(stream.to_vec()).unwrap();
        let mut got = Got::default();
        for frame in text.split("\n\n") {
            let data: String = frame
                .lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .map(str::trim_start)
                .collect();
            if data.is_empty() || data == "[DONE]" {
                continue;
            }
            let event: Value = serde_json::from_str(&data).unwrap_or_else(|_| panic!("{data}"));
            got.take(self, &event);
        }
        got
    }

    /// What a client makes of a whole answer.
    pub(super) fn read_whole(self, body: &[u8]) -> Got {
        let answer: Value = serde_json::from_slice(body).unwrap();
        let mut got = Got::default();
        match self {
            Self::A => {
                for block in answer["content"].as_array().unwrap() {
                    match block["type"].as_str().unwrap() {
                        "text" => got.text += block["text"].as_str().unwrap(),
                        "thinking" => got.thought += block["thinking"].as_str().unwrap(),
                        "tool_use" => got.call(&block["name"], &block["input"].to_string()),
                        _ => {}
                    }
                }
                got.stop = word(&answer["stop_reason"]);
            }
            Self::C => {
                let choice = &answer["choices"][0];
                let message = &choice["message"];
                got.text = word(&message["content"]) + &word(&message["refusal"]);
                got.thought = word(&message["reasoning_content"]);
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    got.call(
                        &call["function"]["name"],
                        call["function"]["arguments"].as_str().unwrap(),
                    );
                }
                got.stop = word(&choice["finish_reason"]);
            }
            _ => got.response(&answer),
        }
        got
    }
}

/// What a client got.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Got {
    pub(super) text: String,
    pub(super) thought: String,
    /// Names and arguments.
    pub(super) calls: Vec<(String, String)>,
    pub(super) stop: String,
    pub(super) error: Option<String>,
}

impl Got {
    fn call(&mut self, name: &Value, arguments: &str) {
        self.calls.push((word(name), arguments.to_owned()));
    }

    fn add(&mut self, piece: &Value) {
        if let Some(piece) = piece.as_str() {
            self.calls.last_mut().expect("an open call").1 += piece;
        }
    }

    fn take(&mut self, wire: Wire, event: &Value) {
        match wire {
            Wire::A => match event["type"].as_str().unwrap_or_default() {
                "content_block_start" if event["content_block"]["type"] == "tool_use" => {
                    self.call(&event["content_block"]["name"], "");
                }
                "content_block_delta" => {
                    let delta = &event["delta"];
                    self.text += &word(&delta["text"]);
                    self.thought += &word(&delta["thinking"]);
                    self.add(&delta["partial_json"]);
                }
                "message_delta" => self.stop = word(&event["delta"]["stop_reason"]),
                "error" => self.error = Some(word(&event["error"]["message"])),
                _ => {}
            },
            Wire::C => {
                if event.get("error").is_some() {
                    self.error = Some(word(&event["error"]["message"]));
                }
                for choice in event["choices"].as_array().into_iter().flatten() {
                    let delta = &choice["delta"];
                    self.text += &(word(&delta["content"]) + &word(&delta["refusal"]));
                    self.thought += &word(&delta["reasoning_content"]);
                    for call in delta["tool_calls"].as_array().into_iter().flatten() {
                        if call["function"]["name"].is_string() {
                            self.call(&call["function"]["name"], "");
                        }
                        self.add(&call["function"]["arguments"]);
                    }
                    self.stop += &word(&choice["finish_reason"]);
                }
            }
            _ => match event["type"].as_str().unwrap_or_default() {
                "response.completed" | "response.incomplete" => self.response(&event["response"]),
                "response.failed" => {
                    self.error = Some(word(&event["response"]["error"]["message"]))
                }
                _ => {}
            },
        }
    }

    fn response(&mut self, answer: &Value) {
        for item in answer["output"].as_array().unwrap() {
            match item["type"].as_str().unwrap() {
                "message" => {
                    for part in item["content"].as_array().unwrap() {
                        self.text += &(word(&part["text"]) + &word(&part["refusal"]));
                    }
                }
                "reasoning" => {
                    for part in item["summary"].as_array().unwrap() {
                        self.thought += &word(&part["text"]);
                    }
                }
                "function_call" => {
                    self.call(&item["name"], item["arguments"].as_str().unwrap());
                }
                _ => {}
            }
        }
        self.stop = word(&answer["status"]);
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Pieces of three characters.
fn pieces(text: &str) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    all.chunks(3).map(|piece| piece.iter().collect()).collect()
}

fn anthropic_block(part: &Part) -> Value {
    match part {
        Text(text) | Refusal(text) => json!({"type": "text", "text": text}),
        Thought(text) => json!({"type": "thinking", "thinking": text, "signature": "c2ln"}),
        Call(id, name, arguments) => {
            let input: Value = serde_json::from_str(arguments).unwrap();
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
    }
}

/// An event under its name.
pub(super) fn named(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
}

fn anthropic_stream(parts: &[Part]) -> Vec<String> {
    let mut all = vec![named(&json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 11, "output_tokens": 1}}}))];
    all.push(named(&json!({"type": "ping"})));
    for (at, part) in parts.iter().enumerate() {
        let (start, kind, member, text) = match part {
            Text(text) | Refusal(text) => {
                (json!({"type": "text", "text": ""}), "text_delta", "text", text)
            }
            Thought(text) => (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                "thinking_delta",
                "thinking",
                text,
            ),
            Call(id, name, arguments) => (
                json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
                "input_json_delta",
                "partial_json",
                arguments,
            ),
        };
        all.push(named(
            &json!({"type": "content_block_start", "index": at, "content_block": start}),
        ));
        for piece in pieces(text) {
            all.push(named(&json!({"type": "content_block_delta", "index": at,
                "delta": {"type": kind, member: piece}})));
        }
        if matches!(part, Thought(_)) {
            all.push(named(&json!({"type": "content_block_delta", "index": at,
                "delta": {"type": "signature_delta", "signature": "c2ln"}})));
        }
        all.push(named(&json!({"type": "content_block_stop", "index": at})));
    }
    let calls = parts.iter().any(|part| matches!(part, Call(..)));
    all.push(named(&json!({"type": "message_delta",
        "delta": {"stop_reason": if calls { "tool_use" } else { "end_turn" }, "stop_sequence": null},
        "usage": {"output_tokens": 7}})));
    all.push(named(&json!({"type": "message_stop"})));
    all
}

/// An event of Chat.
pub(super) fn chat_chunk(choices: &Value, usage: &Value) -> String {
    let mut chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
        "model": "up", "choices": choices});
    if !usage.is_null() {
        chunk["usage"] = usage.clone();
    }
    format!("data: {chunk}\n\n")
}

fn chat_stream(parts: &[Part]) -> Vec<String> {
    let delta = |delta: Value| {
        chat_chunk(&json!([{"index": 0, "delta": delta, "finish_reason": null}]), &Value::Null)
    };
    let mut all = vec![delta(json!({"role": "assistant", "content": ""}))];
    let mut number = 0;
    for part in parts {
        match part {
            Text(text) => {
                all.extend(pieces(text).iter().map(|piece| delta(json!({"content": piece}))))
            }
            Refusal(text) => {
                all.extend(pieces(text).iter().map(|piece| delta(json!({"refusal": piece}))))
            }
            Thought(text) => {
                all.extend(
                    pieces(text).iter().map(|piece| delta(json!({"reasoning_content": piece}))),
                );
            }
            Call(id, name, arguments) => {
                all.push(delta(
                    json!({"tool_calls": [{"index": number, "id": id, "type": "function",
                    "function": {"name": name, "arguments": ""}}]}),
                ));
                all.extend(pieces(arguments).iter().map(|piece| {
                    delta(json!({"tool_calls": [{"index": number, "function": {"arguments": piece}}]}))
                }));
                number += 1;
            }
        }
    }
    let word = if number > 0 { "tool_calls" } else { "stop" };
    all.push(chat_chunk(&json!([{"index": 0, "delta": {}, "finish_reason": word}]), &Value::Null));
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18});
    all.push(chat_chunk(&json!([]), &usage));
    all.push("data: [DONE]\n\n".to_owned());
    all
}

fn item(at: usize, part: &Part, status: &str, whole: bool) -> Value {
    let said = |text: &'static str| if whole { text } else { "" };
    match part {
        Text(_) | Refusal(_) => {
            let content = if whole { json!([message_part(part, true)]) } else { json!([]) };
            json!({"id": format!("msg_up_{at}"), "type": "message", "role": "assistant", "status": status,
                "content": content})
        }
        Thought(text) => {
            let summary =
                if whole { json!([{"type": "summary_text", "text": text}]) } else { json!([]) };
            json!({"id": format!("rs_up_{at}"), "type": "reasoning", "summary": summary,
                "encrypted_content": if whole { json!("ZW5j") } else { Value::Null }})
        }
        Call(id, name, arguments) => json!({"id": format!("fc_up_{at}"), "type": "function_call",
            "status": status, "call_id": id, "name": name, "arguments": said(arguments)}),
    }
}

fn message_part(part: &Part, whole: bool) -> Value {
    match part {
        Refusal(text) => json!({"type": "refusal", "refusal": if whole { text } else { "" }}),
        Text(text) => json!({"type": "output_text", "text": if whole { text } else { "" },
            "annotations": [], "logprobs": []}),
        _ => Value::Null,
    }
}

fn response(parts: &[Part], status: &str, whole: bool) -> Value {
    let output: Vec<Value> = match whole {
        true => {
            parts.iter().enumerate().map(|(at, part)| item(at, part, "completed", true)).collect()
        }
        false => Vec::new(),
    };
    let usage = json!({"input_tokens": 11, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 18});
    json!({"id": "resp_up1", "object": "response", "created_at": 1, "status": status, "error": null,
        "incomplete_details": null, "instructions": null, "max_output_tokens": null, "model": "up",
        "output": output, "parallel_tool_calls": true, "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null}, "store": true, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "truncation": "disabled", "usage": if whole { usage } else { Value::Null }, "user": null,
        "metadata": {}})
}

fn responses_stream(parts: &[Part]) -> Vec<String> {
    let mut all = Vec::new();
    let mut number = 0;
    let mut say = |mut event: Value| {
        event["sequence_number"] = json!(number);
        number += 1;
        all.push(named(&event));
    };
    let begun = response(parts, "in_progress", false);
    say(json!({"type": "response.created", "response": begun}));
    say(json!({"type": "response.in_progress", "response": begun}));
    for (at, part) in parts.iter().enumerate() {
        let id = item(at, part, "", false)["id"].clone();
        say(json!({"type": "response.output_item.added", "output_index": at,
            "item": item(at, part, "in_progress", false)}));
        let about = |kind: &str, more: Value| {
            let mut event = json!({"type": kind, "item_id": id, "output_index": at});
            for (name, value) in more.as_object().unwrap() {
                event[name] = value.clone();
            }
            event
        };
        match part {
            Text(text) | Refusal(text) => {
                let (word, member) = if matches!(part, Text(_)) {
                    ("output_text", "text")
                } else {
                    ("refusal", "refusal")
                };
                say(about(
                    "response.content_part.added",
                    json!({"content_index": 0, "part": message_part(part, false)}),
                ));
                for piece in pieces(text) {
                    let mut more = json!({"content_index": 0, "delta": piece});
                    if word == "output_text" {
                        more["logprobs"] = json!([]);
                    }
                    say(about(&format!("response.{word}.delta"), more));
                }
                let mut more = json!({"content_index": 0, member: text});
                if word == "output_text" {
                    more["logprobs"] = json!([]);
                }
                say(about(&format!("response.{word}.done"), more));
                say(about(
                    "response.content_part.done",
                    json!({"content_index": 0, "part": message_part(part, true)}),
                ));
            }
            Thought(text) => {
                say(about(
                    "response.reasoning_summary_part.added",
                    json!({"summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
                ));
                for piece in pieces(text) {
                    say(about(
                        "response.reasoning_summary_text.delta",
                        json!({"summary_index": 0, "delta": piece}),
                    ));
                }
                say(about(
                    "response.reasoning_summary_text.done",
                    json!({"summary_index": 0, "text": text}),
                ));
                say(about(
                    "response.reasoning_summary_part.done",
                    json!({"summary_index": 0, "part": {"type": "summary_text", "text": text}}),
                ));
            }
            Call(_, name, arguments) => {
                for piece in pieces(arguments) {
                    say(about("response.function_call_arguments.delta", json!({"delta": piece})));
                }
                say(about(
                    "response.function_call_arguments.done",
                    json!({"name": name, "arguments": arguments}),
                ));
            }
        }
        say(json!({"type": "response.output_item.done", "output_index": at,
            "item": item(at, part, "completed", true)}));
    }
    say(json!({"type": "response.completed", "response": response(parts, "completed", true)}));
    all
}

fn gemini_part(part: &Part) -> Value {
    match part {
        Text(text) | Refusal(text) => json!({"text": text}),
        Thought(text) => json!({"text": text, "thought": true}),
        Call(id, name, arguments) => {
            let args: Value = serde_json::from_str(arguments).unwrap();
            json!({"functionCall": {"id": id, "name": name, "args": args}})
        }
    }
}

fn gemini_stream(parts: &[Part]) -> Vec<String> {
    let usage = json!({"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18});
    let chunk = |part: Value, finish: Option<&str>| {
        let mut candidate = json!({"content": {"role": "model", "parts": [part]}, "index": 0});
        if let Some(word) = finish {
            candidate["finishReason"] = json!(word);
        }
        let chunk = json!({"candidates": [candidate], "usageMetadata": usage, "responseId": "r1",
            "modelVersion": "up"});
        format!("data: {chunk}\r\n\r\n")
    };
    let mut all = Vec::new();
    for part in parts {
        match part {
            Text(text) | Refusal(text) => {
                all.extend(pieces(text).iter().map(|piece| chunk(json!({"text": piece}), None)));
            }
            Thought(text) => all.extend(
                pieces(text)
                    .iter()
                    .map(|piece| chunk(json!({"text": piece, "thought": true}), None)),
            ),
            Call(..) => all.push(chunk(gemini_part(part), None)),
        }
    }
    all.push(chunk(json!({"text": ""}), Some("STOP")));
    all
}
