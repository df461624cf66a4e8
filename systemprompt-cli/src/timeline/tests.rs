use serde_json::json;
use systemprompt_audit::{Point, TracePoints};

use super::*;

const NOW: &str = "2026-11-22T20:16:00Z";

fn paper(width: usize) -> Paper {
    Paper { width, colour: false }
}

fn permissions(decision: &str) -> Value {
    json!({
        "decision": decision, "server": "files", "tool": "Read",
        "policy_version": "p-3f9a2b7c", "duration_us": 31,
        "expires_at": "2026-11-22T20:30:00.000000Z",
        "evaluation": {
            "checks": [
                { "check": "scope", "outcome": "passed", "duration_ns": 412 },
                { "check": "secret", "outcome": "passed", "duration_ns": 3_100 },
            ],
            "limits": [{ "name": "per-session", "remaining": 299, "reset_ms": 200 }],
        },
    })
}

fn call(permissions: Value, outcome: Option<(Value, Value)>) -> TracedCall {
    let (tool_execution, result) = outcome.unzip();
    let points = TracePoints {
        identity: Some(json!({
            "tenant_id": "acme", "user_id": "ada", "department": "research",
            "credential_id": "key-ada", "actor_chain": ["assistant", "planner"],
        })),
        agent_context: Some(json!({
            "agent_id": "developer_agent", "session_id": "s-1", "call_id": "call-1",
            "door": "api", "client_addr": "127.0.0.1", "user_agent": "curl/8.9.1",
        })),
        permissions: Some(permissions),
        tool_execution,
        result,
    };
    TracedCall {
        call_id: Some("call-1".to_owned()),
        trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
        decided_at: "2026-11-22T20:15:00.123456Z".parse().unwrap(),
        missing: points.missing(),
        points,
    }
}

fn drawn(calls: &[TracedCall], width: usize) -> String {
    draw("trace 0af7", calls, NOW.parse().unwrap(), paper(width))
}

#[test]
fn a_whole_call_reads_from_identity_to_result() {
    let execution = json!({
        "status": "success", "duration_ms": 1_240, "reported_at": "2026-11-22T20:15:01.400000Z",
        "arguments_digest": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    });
    let result = json!({
        "result_bytes": 4_200,
        "result_digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
    let text = drawn(&[call(permissions("allow"), Some((execution, result)))], 100);
    let expected = "\
trace 0af7   1 call

2026-11-22 20:15:00.123Z   ALLOWED   mcp__files__Read
├─ Identity         ada   tenant acme   department research   credential key-ada
│                   acting: assistant > planner
├─ Agent context    developer_agent   door api   127.0.0.1   curl/8.9.1
│                   session s-1   call call-1
├─ Permissions      allowed in 31 µs   policy p-3f9a2b7c
│                   ✓ scope passed 412 ns   ✓ secret passed 3 µs
│                   limit per-session: 299 left
├─ Tool execution   success after 1.2 s   reported 20:15:01.400Z   arguments sha256 44136fa355b3…
└─ Result           4.1 KiB   result sha256 e3b0c44298fc…
";
    assert_eq!(text, expected);
}

#[test]
fn what_is_missing_is_said_and_several_calls_follow_each_other() {
    let mut denied = permissions("deny");
    denied["reason_code"] = "blocked".into();
    denied["reason"] = "The tool is blocked.\x1b[2J".into();
    denied["evaluation"]["checks"][1]["outcome"] = "denied".into();
    denied["evaluation"]["checks"][1]["detail"] = "pattern 3".into();
    let mut late = permissions("allow");
    late["expires_at"] = "2026-11-22T20:15:30Z".into();
    let abandoned = (json!({ "status": "abandoned", "duration_ms": 0 }), json!({}));
    let calls = [
        call(denied, None),
        call(permissions("allow"), None),
        call(late, None),
        call(permissions("allow"), Some(abandoned)),
    ];
    let text = drawn(&calls, 100);
    assert!(text.starts_with("trace 0af7   4 calls\n"));
    let blocks: Vec<_> = text.split("\n\n").skip(1).collect();
    assert_eq!(blocks.len(), 4);
    assert!(blocks[0].contains("DENIED"));
    assert!(blocks[0].contains("blocked: The tool is blocked.\u{fffd}[2J\n"), "{text}");
    assert!(blocks[0].contains("✗ secret denied 3 µs (pattern 3)"));
    assert!(blocks[0].contains("├─ Tool execution   none: the call was denied\n"));
    assert!(blocks[0].contains("└─ Result           none: the call was denied"));
    assert!(
        blocks[1].contains("missing: nobody has reported yet; the permit runs out at 20:30:00Z")
    );
    assert!(blocks[2].contains("missing: nobody reported, and the permit has run out"));
    assert!(blocks[3].contains("abandoned: the permit ran out"));
    assert_eq!(calls[1].missing, [Point::ToolExecution, Point::Result]);
}

#[test]
fn a_call_without_a_caller_says_so() {
    let mut call = call(permissions("deny"), None);
    call.points.identity = None;
    let text = drawn(&[call], 100);
    assert!(text.contains("├─ Identity         no event says who\n"), "{text}");
}

#[test]
fn lines_fit_the_width() {
    for width in [40, 60, 80] {
        let text = drawn(&[call(permissions("allow"), None)], width);
        let wide = text.lines().skip(3).find(|line| line.chars().count() > width);
        assert_eq!(wide, None, "{width}");
    }
}

#[test]
fn colours_change_nothing_else() {
    let calls = [call(permissions("allow"), None)];
    let now = NOW.parse().unwrap();
    let coloured = draw("trace 0af7", &calls, now, Paper { width: 100, colour: true });
    assert!(coloured.contains("\x1b[32mALLOWED\x1b[0m"));
    let mut plain = coloured;
    for code in [0, 1, 31, 32, 33] {
        plain = plain.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(plain, drawn(&calls, 100));
}

#[test]
fn a_shadow_that_differs_is_shown() {
    let mut permissions = permissions("allow");
    permissions["shadow"] = json!([
        { "id": "strict", "policy_version": "p", "decision": "deny", "by": "blocklist:\u{1b}words" },
        { "id": "open", "policy_version": "p", "decision": "allow" },
    ]);
    let text = drawn(&[call(permissions, None)], 100);
    assert!(text.contains("shadow strict would say deny (blocklist:\u{fffd}words)"), "{text}");
    assert!(text.contains("shadow open would say allow\n"), "{text}");
}
