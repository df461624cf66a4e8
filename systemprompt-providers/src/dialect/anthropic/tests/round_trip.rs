use proptest::prelude::*;
use serde_json::json;
use systemprompt_core::llm::Role;

use super::golden::as_sent;
use super::*;

/// Choices that proptest makes smaller where a law fails.
pub(super) struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
    calls: usize,
    marks: usize,
}

impl<'a> Choices<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter(), calls: 0, marks: 0 }
    }

    fn pick(&mut self, of: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or_default()) % of
    }

    fn maybe(&mut self) -> bool {
        self.pick(2) == 1
    }

    fn text(&mut self) -> Value {
        let texts = ["a", "Wie geht's?", "\u{1f600} \"quoted\"\n", "b b", "{\"json\": true}"];
        let mut block = json!({"type": "text", "text": texts[self.pick(texts.len())]});
        self.mark(&mut block);
        block
    }

    fn mark(&mut self, block: &mut Value) {
        if self.marks < 4 && self.pick(5) == 4 {
            self.marks += 1;
            let marks = [
                json!({"type": "ephemeral"}),
                json!({"type": "ephemeral", "ttl": "5m"}),
                json!({"type": "ephemeral", "ttl": "1h"}),
                json!({"type": "ephemeral", "scope": "global"}),
            ];
            block["cache_control"] = marks[self.pick(4)].clone();
        }
    }

    fn media(&mut self) -> Value {
        let mut block = [
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}),
            json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}),
            json!({"type": "image", "source": {"type": "file", "file_id": "file_1"}, "transformations": {"resize": "none"}}),
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, "title": "T"}),
            json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "citations": {"enabled": true}}),
            json!({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "c"}]}}),
            json!({"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "r"}]}),
        ][self.pick(7)]
        .clone();
        self.mark(&mut block);
        block
    }

    /// A turn of the model, and the ids of its calls.
    fn assistant(&mut self, tools: usize) -> (Value, Vec<String>) {
        let mut content = vec![json!({"type": "thinking", "thinking": "hm", "signature": "EqQB"})];
        if self.maybe() {
            content.push(json!({"type": "redacted_thinking", "data": "EmwK"}));
        }
        content.push(self.text());
        if self.pick(4) == 3 {
            content.push(json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}));
            content.push(json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}));
        }
        let mut ids = Vec::new();
        for _ in 0..self.pick(3).min(tools) {
            self.calls += 1;
            let id = format!("toolu_{}", self.calls);
            let inputs = [json!({}), json!({"z": 1, "a": [null, {"b": 2.5}]})];
            let mut call = json!({"type": "tool_use", "id": id, "name": format!("tool_{}", self.pick(tools)),
                "input": inputs[self.pick(2)]});
            if self.maybe() {
                call["caller"] = json!({"type": "direct"});
            }
            content.push(call);
            ids.push(id);
        }
        (json!({"role": "assistant", "content": content}), ids)
    }

    fn user(&mut self, ids: &[String]) -> Value {
        let mut content = Vec::new();
        for id in ids {
            let mut result = json!({"type": "tool_result", "tool_use_id": id});
            match self.pick(4) {
                0 => {}
                1 => result["content"] = json!([self.text()]),
                2 => result["content"] = json!([self.text(), self.media()]),
                _ => result["is_error"] = json!(true),
            }
            self.mark(&mut result);
            content.push(result);
        }
        if self.maybe() {
            content.push(self.media());
        }
        content.push(self.text());
        json!({"role": "user", "content": content})
    }

    fn tools(&mut self) -> Vec<Value> {
        (0..self.pick(4))
            .map(|at| {
                let mut tool = match self.pick(4) {
                    0 => json!({"type": "web_search_20260318", "name": format!("tool_{at}"), "max_uses": 2}),
                    1 => json!({"name": format!("tool_{at}"), "input_schema": {"type": "object", "properties": {"a": {"type": "string", "minLength": 1}}}, "strict": true}),
                    2 => json!({"name": format!("tool_{at}"), "description": "d", "input_schema": {"type": "object"}, "defer_loading": true, "input_examples": [{}]}),
                    _ => json!({"name": format!("tool_{at}"), "input_schema": {"type": "object", "anyOf": [{"required": ["b"]}]}}),
                };
                self.mark(&mut tool);
                tool
            })
            .collect()
    }

    /// A request that the API takes.
    pub(super) fn request(&mut self) -> Value {
        let tools = self.tools();
        let mut body = json!({"model": "claude-opus-5-5", "max_tokens": 2000 + self.pick(3)});
        if self.maybe() {
            body["system"] = json!([self.text(), self.text()]);
        }
        let mut ids = Vec::new();
        let mut messages = Vec::new();
        for _ in 0..self.pick(4) {
            messages.push(self.user(&ids));
            if self.pick(4) == 3 {
                messages.push(json!({"role": "system", "content": [self.text()]}));
            }
            let (turn, calls) = self.assistant(tools.len());
            messages.push(turn);
            ids = calls;
        }
        messages.push(self.user(&ids));
        body["messages"] = messages.into();
        if !tools.is_empty() && self.maybe() {
            body["tool_choice"] = [
                json!({"type": "auto"}),
                json!({"type": "auto", "disable_parallel_tool_use": true}),
                json!({"type": "any", "disable_parallel_tool_use": false}),
                json!({"type": "tool", "name": "tool_0"}),
                json!({"type": "none"}),
            ][self.pick(5)]
            .clone();
        }
        if !tools.is_empty() {
            body["tools"] = tools.into();
        }
        let settings = [
            (
                "thinking",
                vec![
                    json!({"type": "adaptive"}),
                    json!({"type": "adaptive", "display": "omitted"}),
                    json!({"type": "enabled", "budget_tokens": 1024}),
                    json!({"type": "disabled"}),
                    json!({"type": "between_tools"}),
                ],
            ),
            (
                "output_config",
                vec![
                    json!({"effort": "max"}),
                    json!({"effort": "low", "task_budget": {"total": 5}}),
                    json!({"format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": false}}}),
                ],
            ),
            ("stop_sequences", vec![json!(["END", "\n\nHuman:"])]),
            ("temperature", vec![json!(0.0), json!(0.7), json!(1.0)]),
            ("top_p", vec![json!(0.9)]),
            ("top_k", vec![json!(40)]),
            ("stream", vec![json!(true)]),
            ("service_tier", vec![json!("auto"), json!("standard_only")]),
            ("metadata", vec![json!({"user_id": "u"}), json!({"user_id": "u", "team": "t"})]),
            ("container", vec![json!("c1"), json!({"id": "c1", "skills": []})]),
            ("speed", vec![json!("fast")]),
            ("diagnostics", vec![json!({"previous_message_id": "msg_1"})]),
        ];
        for (name, values) in settings {
            if self.pick(3) == 2 {
                body[name] = values[self.pick(values.len())].clone();
            }
        }
        body
    }
}

/// What the API answers with a 400.
pub(super) fn check_sent(body: &Value) -> Result<(), String> {
    let allowed = |id: &str| {
        !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let mut open: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut before = "";
    let messages = body["messages"].as_array().ok_or("no messages")?;
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().ok_or("no role")?;
        if role == before || (at == 0 && role != "user") || (role == "system" && before != "user") {
            return Err(format!("message {at} is of {role} after {before}"));
        }
        before = role;
        let content = message["content"].as_array().ok_or("no content")?;
        if content.is_empty() {
            return Err(format!("message {at} is empty"));
        }
        for (place, block) in content.iter().enumerate() {
            match block["type"].as_str().ok_or("no type")? {
                "text" if block["text"].as_str().is_none_or(|text| text.trim().is_empty()) => {
                    return Err(format!("an empty text in message {at}"));
                }
                "tool_use" => {
                    let id = block["id"].as_str().unwrap_or_default();
                    if !allowed(id) || !seen.insert(id.to_owned()) || !block["input"].is_object() {
                        return Err(format!("the call `{id}`"));
                    }
                    if !allowed(block["name"].as_str().unwrap_or_default()) {
                        return Err(format!("the name {}", block["name"]));
                    }
                }
                "tool_result" => {
                    let id = block["tool_use_id"].as_str().unwrap_or_default();
                    if open.get(place).map(String::as_str) != Some(id) {
                        return Err(format!(
                            "the result of `{id}` is out of place in message {at}"
                        ));
                    }
                }
                _ => {}
            }
        }
        let results = content.iter().filter(|block| block["type"] == "tool_result").count();
        if results != open.len() {
            return Err(format!("message {at} has {results} results for {} calls", open.len()));
        }
        let calls = content.iter().filter(|block| block["type"] == "tool_use");
        open = calls.map(|block| block["id"].as_str().unwrap().to_owned()).collect();
    }
    if !open.is_empty() {
        return Err("the last calls have no results".to_owned());
    }
    if body.to_string().matches("\"type\":\"ephemeral\"").count() > 4 {
        return Err("there are more than four cache marks".to_owned());
    }
    let budget = body["thinking"]["budget_tokens"].as_u64();
    if budget.is_some_and(|budget| budget < 1024 || budget >= body["max_tokens"].as_u64().unwrap())
    {
        return Err("the budget of thinking".to_owned());
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_request_of_this_wire_is_sent_as_it_came(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
        let mut body = Choices::new(&bytes).request();
        let request = decode(&body).unwrap();
        let sent = Given::model("claude-opus-5-5").send(&request);
        prop_assert!(sent.request.losses.is_empty(), "{}", sent.losses());
        let sampled = ["temperature", "top_p", "top_k"].iter().any(|name| body.get(name).is_some());
        prop_assert_eq!(sent.version(), if sampled { "2023-06-01" } else { "2026-10-21" });
        as_sent(&mut body);
        prop_assert_eq!(&sent.body, &body);
        // And what is sent reads as what was read, but for the user, who is not sent on.
        let again = decode(&sent.body).unwrap();
        prop_assert_eq!(again, ModelRequest { user: None, ..request });
    }

    #[test]
    fn what_is_sent_is_never_refused_for_its_form(
        bytes in proptest::collection::vec(any::<u8>(), 0..160),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 0..6),
        chat in any::<bool>(),
        newer in any::<bool>(),
    ) {
        let mut request = decode(&Choices::new(&bytes).request()).unwrap();
        if chat {
            request.dialect = Dialect::Chat;
            request.rest.clear();
            request.tools.retain(|tool| matches!(tool.kind, systemprompt_core::llm::ToolKind::Function { .. }));
            request.tool_choice = None;
        }
        for (at, change) in order {
            let at = at.index(request.messages.len());
            match change {
                0 => { request.messages.swap(0, at); }
                1 => { let twin = request.messages[at].clone(); request.messages.push(twin); }
                2 if request.messages.len() > 1 => { request.messages.remove(at); }
                3 => request.messages[at].content.reverse(),
                4 => request.messages[at].content.clear(),
                5 => request.messages[at].content.insert(0, systemprompt_core::llm::Block::text("")),
                6 => request.messages[at].role = Role::Assistant,
                _ => request.messages.rotate_left(at),
            }
        }
        let given = if newer { Given::opus_5_5() } else { Given::model("claude-sonnet-4-5") };
        match given.try_send(&request) {
            Ok(sent) => {
                // Who begins is the business of callers that speak this wire.
                let begins = sent.body["messages"][0]["role"] == "user";
                if chat || begins {
                    let checked = check_sent(&sent.body);
                    prop_assert!(checked.is_ok(), "{:?}\n{}", checked, sent.body);
                }
            }
            Err(error) => prop_assert_eq!(error.field.as_deref(), Some("messages")),
        }
    }
}
