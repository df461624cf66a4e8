use std::sync::Mutex;

use bytes::Bytes;
use systemprompt_core::contract::{ToolDefinition, ToolError, ToolProvider};
use systemprompt_core::decision::Injected;
use systemprompt_governance::ToolFailure;

use super::github;
use crate::house::{House, call, house, starter, user};

/// Answers with what it is told.
struct Says {
    answer: Result<Vec<u8>, String>,
    given: Mutex<Vec<u8>>,
}

#[async_trait::async_trait]
impl ToolProvider for Says {
    fn tools(&self) -> Vec<ToolDefinition> {
        Vec::new()
    }

    async fn call(&self, injected: Injected) -> Result<Bytes, ToolError> {
        *self.given.lock().unwrap() = injected.arguments().raw().to_vec();
        self.answer.clone().map(Into::into).map_err(ToolError)
    }
}

async fn run(house: &House, answer: Result<Vec<u8>, String>) -> Result<Vec<u8>, ToolFailure> {
    let tool = Says { answer, given: Mutex::default() };
    let call = call(&user(), "mcp__db__query").build();
    let permit = house.governor.evaluate(call).await.permit().expect("allowed");
    let result = house.governor.run_tool(permit, &tool).await;
    assert_eq!(*tool.given.lock().unwrap(), br#"{"path":"src/main.rs"}"#);
    result.map(|result| result.body.to_vec())
}

#[tokio::test]
async fn results_and_failures_come_back_without_secrets() {
    let house = house(starter());
    let clean = br#"{"rows": [1, 2]}"#.to_vec();
    assert_eq!(run(&house, Ok(clean.clone())).await.unwrap(), clean);
    let rows = format!(r#"{{"rows":["{}"]}}"#, github()).into_bytes();
    let seen = run(&house, Ok(rows)).await.unwrap();
    assert_eq!(seen, br#"{"rows":["[redacted:github-token]"]}"#);
    let text = format!("token {}", github()).into_bytes();
    assert_eq!(run(&house, Ok(text)).await.unwrap(), b"token [redacted:github-token]");
    let failed = run(&house, Err(format!("cannot use {}", github()))).await.unwrap_err();
    assert_eq!(failed.to_string(), "cannot use [redacted:github-token]");
    assert!(!house.log.text().contains(&github()));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_unless_there_is_a_secret_among_them() {
    let house = house(starter());
    let picture = vec![0xff, 0xd8, 0xff, 0x00, 0x80];
    assert_eq!(run(&house, Ok(picture.clone())).await.unwrap(), picture);
    let mut mixed = picture;
    mixed.extend_from_slice(format!(" {} ", github()).as_bytes());
    let seen = run(&house, Ok(mixed)).await.unwrap();
    assert!(String::from_utf8(seen).unwrap().contains(" [redacted:github-token] "));
}
