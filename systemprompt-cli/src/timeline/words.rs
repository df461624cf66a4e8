//! What is said of each point: lines of words. Every text of a caller is made harmless here.

use serde_json::Value;
use systemprompt_core::clock::Timestamp;

use super::items;
use crate::output::plain;

/// Lines of words; a line may be wrapped.
type Lines = Vec<Vec<String>>;

/// Digits of a digest that tell it from others well enough.
const DIGITS: usize = 12;

pub(super) fn identity(point: &Value) -> Lines {
    let actors: Vec<_> = items(point, "actor_chain").iter().filter_map(Value::as_str).collect();
    vec![present([
        text(point, "user_id"),
        labelled(point, "tenant", "tenant_id"),
        labelled(point, "department", "department"),
        labelled(point, "credential", "credential_id"),
        (!actors.is_empty()).then(|| format!("acting: {}", plain(&actors.join(" > ")))),
    ])]
}

pub(super) fn agent(point: &Value) -> Lines {
    let agent = text(point, "agent_id").unwrap_or_else(|| "no agent named".to_owned());
    vec![
        present([
            Some(agent),
            labelled(point, "plugin", "plugin_id"),
            labelled(point, "door", "door"),
            text(point, "client_addr"),
            text(point, "user_agent"),
        ]),
        present([
            labelled(point, "session", "session_id"),
            labelled(point, "call", "call_id"),
            labelled(point, "context", "context_id"),
            labelled(point, "task", "task_id"),
        ]),
    ]
}

pub(super) fn permissions(point: &Value) -> Lines {
    let duration = point.get("duration_us").and_then(Value::as_u64);
    let verdict = match field(Some(point), "decision").as_deref() {
        Some("allow") => "allowed",
        Some("deny") => "denied",
        _ => "waits for approval",
    };
    let verdict = match duration {
        Some(duration) => format!("{verdict} in {}", micros(duration)),
        None => verdict.to_owned(),
    };
    let mut lines = vec![present([Some(verdict), labelled(point, "policy", "policy_version")])];
    if let Some(code) = text(point, "reason_code") {
        let reason = text(point, "reason").unwrap_or_default();
        lines.push(vec![format!("{code}: {reason}")]);
    }
    let evaluation = point.get("evaluation").unwrap_or(&Value::Null);
    lines.push(items(evaluation, "checks").iter().map(check).collect());
    lines.push(items(evaluation, "limits").iter().map(limit).collect());
    lines.extend(items(point, "shadow").iter().map(|verdict| vec![shadow(verdict)]));
    lines
}

pub(super) fn execution(point: &Value) -> Lines {
    let status = field(Some(point), "status").unwrap_or_default();
    if status == "abandoned" {
        let never = "abandoned: the permit ran out, and nobody said what became of the call";
        return vec![vec![never.to_owned()]];
    }
    let duration = point.get("duration_ms").and_then(Value::as_u64);
    let status = match duration {
        Some(duration) => format!("{status} after {}", millis(duration)),
        None => status,
    };
    let reported = text(point, "reported_at");
    let reported = reported.and_then(|at| Some(format!("reported {}Z", at.get(11..23)?)));
    vec![present([Some(status), reported, digest(point, "arguments_digest", "arguments")])]
}

pub(super) fn result(point: &Value) -> Lines {
    let size = point.get("result_bytes").and_then(Value::as_u64).map(bytes);
    let mut words = present([size, digest(point, "result_digest", "result")]);
    if words.is_empty() {
        words.push("nothing was kept of it".to_owned());
    }
    let error = text(point, "error").map(|error| vec![format!("error: {error}")]);
    std::iter::once(words).chain(error).collect()
}

/// Why there is neither a tool execution nor a result.
pub(super) fn missing(permissions: Option<&Value>, now: Timestamp) -> String {
    match field(permissions, "decision").as_deref() {
        Some("deny") => return "none: the call was denied".to_owned(),
        Some("pending") => return "none yet: the call waits for approval".to_owned(),
        _ => {}
    }
    let expires: Option<Timestamp> =
        field(permissions, "expires_at").and_then(|at| at.parse().ok());
    match expires {
        Some(at) if at > now => {
            let clock = at.to_string();
            let clock = clock.get(11..19).unwrap_or_default();
            format!("missing: nobody has reported yet; the permit runs out at {clock}Z")
        }
        _ => "missing: nobody reported, and the permit has run out".to_owned(),
    }
}

/// The text of a member, harmless.
pub(super) fn field(point: Option<&Value>, name: &str) -> Option<String> {
    point.and_then(|point| text(point, name))
}

fn text(point: &Value, name: &str) -> Option<String> {
    point.get(name).and_then(Value::as_str).map(plain)
}

fn labelled(point: &Value, label: &str, name: &str) -> Option<String> {
    text(point, name).map(|text| format!("{label} {text}"))
}

fn digest(point: &Value, name: &str, label: &str) -> Option<String> {
    let digest = text(point, name)?;
    Some(format!("{label} sha256 {}\u{2026}", digest.get(..DIGITS)?))
}

fn present<const N: usize>(words: [Option<String>; N]) -> Vec<String> {
    words.into_iter().flatten().collect()
}

fn shadow(verdict: &Value) -> String {
    let word = |name| field(Some(verdict), name).unwrap_or_default();
    let by = field(Some(verdict), "by").map(|by| format!(" ({by})")).unwrap_or_default();
    format!("shadow {} would say {}{by}", word("id"), word("decision"))
}

fn check(check: &Value) -> String {
    let outcome = field(Some(check), "outcome").unwrap_or_default();
    let mark = match outcome.as_str() {
        "passed" => '\u{2713}',
        "denied" | "errored" => '\u{2717}',
        _ => '\u{b7}',
    };
    let name = field(Some(check), "check").unwrap_or_default();
    let took = check.get("duration_ns").and_then(Value::as_u64).filter(|took| *took > 0);
    let mut word = format!("{mark} {name} {outcome}");
    if let Some(took) = took {
        word.push(' ');
        word.push_str(&nanos(took));
    }
    if let Some(detail) = field(Some(check), "detail") {
        word.push_str(&format!(" ({detail})"));
    }
    word
}

fn limit(limit: &Value) -> String {
    let name = field(Some(limit), "name").unwrap_or_default();
    let left = limit.get("remaining").and_then(Value::as_u64).unwrap_or_default();
    format!("limit {name}: {left} left")
}

fn nanos(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        _ => micros(nanos / 1_000),
    }
}

fn micros(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} \u{b5}s"),
        _ => millis(micros / 1_000),
    }
}

fn millis(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

fn bytes(bytes: u64) -> String {
    const KIB: u64 = 1_024;
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..KIB => format!("{bytes} bytes"),
        KIB..1_048_576 => format!("{} KiB", tenths(KIB)),
        _ => format!("{} MiB", tenths(KIB * KIB)),
    }
}
