//! The two tool providers, behind a permit.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use systemprompt_core::contract::{ToolDefinition, ToolError, ToolProvider};
use systemprompt_core::decision::{OutcomeStatus, RunError};
use systemprompt_custody::inject::{
    HttpSettings, HttpTool, HttpToolSpec, InjectingClient, Injector, ToolMethod,
};

use crate::house::{
    MemoryLedger, MemoryStore, TOKEN, assert_clean, call, injector, permit, server,
};
use crate::upstream::Upstream;

fn definition(name: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.parse().unwrap(),
        description: "does something".to_owned(),
        input_schema: json!({ "type": "object" }),
    }
}

/// Runs a tool as its host would.
async fn run(
    tool: &dyn ToolProvider,
    qualified: &str,
    arguments: &str,
    ledger: &Arc<MemoryLedger>,
) -> Result<Bytes, RunError<ToolError>> {
    permit(&call(qualified, arguments), ledger).run_bytes(|injected| tool.call(injected)).await
}

fn text<E>(result: Result<Bytes, RunError<ToolError>>, other: E) -> Result<String, String>
where
    E: FnOnce(RunError<ToolError>) -> String,
{
    match result {
        Ok(bytes) => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
        Err(RunError::Tool(error)) => Err(error.to_string()),
        Err(error) => Err(other(error)),
    }
}

fn http_tool(upstream: &Upstream, path: &str, method: ToolMethod) -> HttpTool {
    let host = upstream.host();
    let header = format!("api: key in header `authorization` of host `{host}`");
    let argument = "api: key in argument `/key` of tool `do`";
    let store = MemoryStore::with(&[("key", TOKEN)], &[&header, argument]);
    let injector: Injector = injector(
        &store,
        json!({ "bindings": [
            { "server": "api", "secret": "key", "sink": { "header": { "host": host, "name": "authorization", "template": "Bearer {}" } } },
            { "server": "api", "secret": "key", "sink": { "argument": { "tool": "do", "argument": "key" } } },
        ] }),
    );
    let private_hosts = ["127.0.0.1".to_owned()].into();
    let settings = HttpSettings { private_hosts, ..HttpSettings::default() };
    let client = InjectingClient::new(&settings).unwrap();
    let spec =
        HttpToolSpec { server: server("api"), url: upstream.url(path).parse().unwrap(), method };
    HttpTool::new(injector, client, spec, definition("do"))
}

#[tokio::test]
async fn an_http_tool_posts_its_arguments() {
    let upstream = Upstream::start().await;
    let tool = http_tool(&upstream, "/echo", ToolMethod::Post);
    assert_eq!(tool.tools(), [definition("do")]);
    let ledger = Arc::default();
    let result =
        run(&tool, "mcp__api__do", r#"{"key":"secret://key","n":1}"#, &ledger).await.unwrap();
    let received = upstream.log.all().remove(0);
    assert_eq!(received.method, "POST");
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert_eq!(received.body, format!(r#"{{"key":"{TOKEN}","n":1}}"#));
    assert_clean(&result, TOKEN);
    let result = String::from_utf8(result.to_vec()).unwrap();
    assert!(result.ends_with(r#"body={"key":"[redacted:secret://key]","n":1}"#), "{result}");
    assert_eq!(ledger.only_outcome().result_bytes, Some(result.len() as u64));
}

#[tokio::test]
async fn an_http_tool_gets_with_a_query() {
    let upstream = Upstream::start().await;
    let tool = http_tool(&upstream, "/echo?v=1", ToolMethod::Get);
    let shown = |error: RunError<ToolError>| error.to_string();
    run(&tool, "mcp__api__do", r#"{"q":"a b&c","n":1.5,"x":null,"t":true}"#, &Arc::default())
        .await
        .unwrap();
    assert_eq!(upstream.log.all()[0].path, "/echo?v=1&q=a+b%26c&n=1.5&t=true");
    let result = run(&tool, "mcp__api__do", r#"{"key":"secret://key"}"#, &Arc::default()).await;
    assert_eq!(text(result, shown), Err("a secret does not go into the query of a url".to_owned()));
    let result = run(&tool, "mcp__api__do", r#"{"q":[1]}"#, &Arc::default()).await;
    assert_eq!(
        text(result, shown),
        Err("argument `q` does not go into the query of a url".to_owned())
    );
    assert_eq!(upstream.log.all().len(), 1);
}

#[tokio::test]
async fn the_refusal_of_an_upstream_is_recorded_without_the_secret() {
    let upstream = Upstream::start().await;
    let tool = http_tool(&upstream, "/refuse", ToolMethod::Put);
    let ledger = Arc::default();
    let result = run(&tool, "mcp__api__do", "{}", &ledger).await;
    let expected = "the upstream answered 401: bad credential Bearer [redacted:secret://key]";
    assert_eq!(text(result, |error| error.to_string()), Err(expected.to_owned()));
    let outcome = ledger.only_outcome();
    assert_eq!((outcome.status, outcome.error.as_deref()), (OutcomeStatus::Failed, Some(expected)));
}

#[tokio::test]
async fn a_tool_runs_as_itself_only() {
    let upstream = Upstream::start().await;
    let tool = http_tool(&upstream, "/echo", ToolMethod::Post);
    for other in ["mcp__other__do", "mcp__api__other"] {
        assert!(run(&tool, other, "{}", &Arc::default()).await.is_err(), "{other}");
    }
    assert!(upstream.log.all().is_empty());
    // A tool that belongs to no server by its name belongs to the one it is configured for.
    assert!(run(&tool, "do", "{}", &Arc::default()).await.is_ok());
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod process {
    use std::time::Instant;

    use systemprompt_custody::inject::{ProcessLimits, ProcessTool};

    use super::*;
    use crate::process::{GRANT, declared, spec};

    fn tool(script: &str, limits: ProcessLimits) -> ProcessTool {
        let argument = "local: key in argument `/key` of tool `run`";
        let store = MemoryStore::with(&[("key", TOKEN)], &[GRANT, argument]);
        let mut settings = declared();
        settings["bindings"].as_array_mut().unwrap().push(json!({
            "server": "local", "secret": "key", "sink": { "argument": { "tool": "run", "argument": "key" } },
        }));
        let spec = spec("/bin/sh", &["-c", script]);
        ProcessTool::new(
            injector(&store, settings),
            server("local"),
            spec,
            limits,
            definition("run"),
        )
    }

    async fn run_script(
        script: &str,
        arguments: &str,
        limits: ProcessLimits,
    ) -> Result<String, String> {
        let ledger = Arc::default();
        let result = run(&tool(script, limits), "mcp__local__run", arguments, &ledger).await;
        let result = text(result, |error| error.to_string());
        let outcome = ledger.only_outcome();
        assert_eq!(outcome.error, result.as_ref().err().cloned());
        assert_clean(format!("{result:?}").as_bytes(), TOKEN);
        result
    }

    #[tokio::test]
    async fn the_arguments_are_what_the_program_reads() {
        let arguments = r#"{"key":"secret://key","x":"$(id) `id` ; id"}"#;
        let result =
            run_script("cat; echo; echo $SERVICE_TOKEN", arguments, ProcessLimits::default()).await;
        let expected = r#"{"key":"[redacted:secret://key]","x":"$(id) `id` ; id"}
[redacted:secret://key]
"#;
        assert_eq!(result, Ok(expected.to_owned()));
        let counted = run_script("tr -cd '\"' | wc -c", arguments, ProcessLimits::default()).await;
        assert_eq!(counted.unwrap().trim(), "8");
    }

    /// What runs, and how, is in the configuration; a call has no way to it.
    #[tokio::test]
    async fn t61_nothing_of_a_call_is_on_the_command_line_or_in_the_environment() {
        let look = "tr '\\0' '\\n' < /proc/$$/cmdline; tr '\\0' '\\n' < /proc/$$/environ";
        let plain = run_script(look, "{}", ProcessLimits::default()).await.unwrap();
        assert!(plain.contains(look) && plain.contains("SERVICE_TOKEN="), "{plain}");
        for arguments in [
            r#"{"command":"/bin/evil-program","args":["evil-word"],"cwd":"/evil-folder"}"#,
            r#"{"program":"evil-program","env":{"LD_PRELOAD":"evil.so"},"shell":true}"#,
            r#"{"x":"'; evil-program #","$(evil-program)":"`evil-program`\u0000\nevil"}"#,
            r#"["-c","evil-program"]"#,
        ] {
            let same = run_script(look, arguments, ProcessLimits::default()).await;
            assert_eq!(same.as_ref(), Ok(&plain), "{arguments}");
        }
    }

    #[tokio::test]
    async fn a_failure_is_what_the_program_says_without_the_secret() {
        let script = "echo out; echo \"cannot log in with $SERVICE_TOKEN\" >&2; exit 3";
        let error = run_script(script, "{}", ProcessLimits::default()).await.unwrap_err();
        assert_eq!(
            error,
            "the program ended with exit status: 3: cannot log in with [redacted:secret://key]"
        );
    }

    #[tokio::test]
    async fn runs_are_bounded_in_time_and_output() {
        let limits = ProcessLimits { time_ms: 200, output_bytes: 1000 };
        let start = Instant::now();
        let error = run_script("sleep 60 & sleep 60", "{}", limits).await.unwrap_err();
        assert_eq!(error, "the program did not end within 200 ms");
        assert!(start.elapsed().as_secs() < 10);
        let limits = ProcessLimits { time_ms: 10_000, output_bytes: 1000 };
        let error = run_script("head -c 100000 /dev/zero", "{}", limits).await.unwrap_err();
        assert_eq!(error, "the program wrote more than 1000 bytes");
    }

    #[tokio::test]
    async fn a_program_that_leaves_another_behind_has_ended() {
        let limits = ProcessLimits { time_ms: 20_000, output_bytes: 1000 };
        let start = Instant::now();
        assert_eq!(
            run_script("echo done; sleep 60 &", "{}", limits).await,
            Ok("done\n".to_owned())
        );
        assert!(start.elapsed().as_secs() < 10);
    }
}
