//! Identifiers round-trip, and nothing else gets in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use systemprompt::identifiers::{SessionId, TraceId};
use systemprompt::models::ToolRef;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(session) = SessionId::parse(text) {
        assert!(session.as_str() == text && text.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if let Ok(trace) = TraceId::from_traceparent(text) {
        assert_eq!(trace.to_string().parse(), Ok(trace));
    }
    if let Ok(tool) = ToolRef::parse(None, text) {
        let server = tool.server().map(|server| server.as_str());
        assert_eq!(ToolRef::parse(server, tool.name().as_str()).as_ref(), Ok(&tool));
    }
});
