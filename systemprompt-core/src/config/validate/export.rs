use super::{Problems, duplicates, is_safe_to_fetch, secret_ref};
use crate::config::{ExportFormat, HttpTarget, SinkConfig, SinkTarget, SyslogTarget};

/// What is wrong with the sinks of the audit log.
pub(super) fn sinks(sinks: &[SinkConfig], problems: &mut Problems) {
    for (index, each) in sinks.iter().enumerate() {
        sink(each, &format!("export.sinks[{index}]"), problems);
    }
    let ids = sinks.iter().map(|sink| sink.id.as_str());
    duplicates(ids, |index| format!("export.sinks[{index}].id"), problems);
}

fn sink(sink: &SinkConfig, path: &str, problems: &mut Problems) {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    if !(1..=64).contains(&sink.id.len()) || !sink.id.bytes().all(plain) {
        problems.add(format!("{path}.id"), "must be 1 to 64 of `a-z 0-9 - _`");
    }
    let ack_timeout = format!("{path}.splunk_ack_timeout_s");
    problems.range(&ack_timeout, sink.splunk_ack_timeout_s, 1..=3600);
    let splunk = sink.format == ExportFormat::SplunkHec && matches!(sink.to, SinkTarget::Http(_));
    if sink.splunk_ack && !splunk {
        let path = format!("{path}.splunk_ack");
        problems.add(path, "needs the format `splunk_hec` and a receiver over `http`");
    }
    if sink.splunk_ack
        && let SinkTarget::Http(HttpTarget { url: Some(url), .. }) = &sink.to
        && !is_collector(url.as_str())
    {
        let path = format!("{path}.to.http.url");
        problems
            .add(path, "must have no path, or one with `/services/collector`, for `splunk_ack`");
    }
    problems.range(&format!("{path}.batch_events"), sink.batch_events, 1..=1000);
    problems.range(&format!("{path}.timeout_ms"), sink.timeout_ms, 100..=600_000);
    problems.range(&format!("{path}.backoff_max_ms"), sink.backoff_max_ms, 100..=3_600_000);
    problems.range(&format!("{path}.spool_max_bytes"), sink.spool_max_bytes, 1 << 20..=1 << 40);
    match &sink.to {
        SinkTarget::File(file) => {
            let path = format!("{path}.to.file");
            problems.filled(&format!("{path}.path"), &file.path.to_string_lossy());
            problems.range(&format!("{path}.rotate_bytes"), file.rotate_bytes, 4096..=1 << 40);
            problems.range(&format!("{path}.keep"), file.keep, 0..=10_000);
        }
        SinkTarget::Stdout(_) => {}
        SinkTarget::Http(target) => http(target, &format!("{path}.to.http"), problems),
        SinkTarget::Syslog(target) => syslog(target, &format!("{path}.to.syslog"), problems),
    }
}

/// Whether a URL is that of Splunk's collector, whose path may be left out.
fn is_collector(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().and_then(|rest| rest.split_once('/'));
    path.is_none_or(|(_, path)| {
        path.is_empty() || format!("/{path}").contains("/services/collector")
    })
}

fn http(http: &HttpTarget, path: &str, problems: &mut Problems) {
    for (key, secret) in [("secret_url", &http.secret_url), ("token", &http.token)] {
        if let Some(secret) = secret {
            secret_ref(secret, &format!("{path}.{key}"), problems);
        }
    }
    match (&http.url, &http.secret_url) {
        (Some(url), None) if http.token.is_some() && !is_safe_to_fetch(url.as_str()) => {
            problems.add(format!("{path}.url"), "must be an `https` URL when there is a token");
        }
        (Some(_), None) | (None, Some(_)) => {}
        _ => problems.add(path, "must have either `url` or `secret_url`"),
    }
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    for (name, value) in &http.headers {
        let proper = !name.is_empty() && name.bytes().all(token);
        if !proper || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            problems.add(format!("{path}.headers"), format!("`{name}` is no proper header"));
        }
    }
}

fn syslog(syslog: &SyslogTarget, path: &str, problems: &mut Problems) {
    let (key, address) = match syslog {
        SyslogTarget::Udp(address) => ("udp", address),
        SyslogTarget::Tcp(address) => ("tcp", address),
        SyslogTarget::Tls(tls) => ("tls.address", &tls.address),
        SyslogTarget::Unix(file) => {
            return problems.filled(&format!("{path}.unix"), &file.to_string_lossy());
        }
    };
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if !port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0)) {
        problems.add(format!("{path}.{key}"), "must be `host:port`");
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Environment, parse};

    /// The faults of a profile with this sink, one per line.
    fn wrong(sink: &str) -> String {
        let text = format!("profile: p\nexport: {{sinks: [{sink}]}}");
        parse(&text, "p.yaml", &Environment::empty()).expect_err(sink).to_string()
    }

    #[test]
    fn sinks_that_cannot_work_are_refused() {
        for (sink, expected) in [
            ("{id: A, format: ecs, to: {stdout: {}}}", "`export.sinks[0].id`: must be 1 to 64"),
            ("{id: a, format: ecs, to: {http: {}}}", "either `url` or `secret_url`"),
            (
                "{id: a, format: ecs, to: {http: {url: 'https://a', secret_url: {env: U}}}}",
                "either `url` or `secret_url`",
            ),
            (
                "{id: a, format: ecs, to: {http: {url: 'http://a.example', token: {env: T}}}}",
                "must be an `https` URL",
            ),
            (
                "{id: a, format: ecs, to: {http: {url: 'https://a', headers: {'a b': c}}}}",
                "`a b` is no proper header",
            ),
            (
                "{id: a, format: ecs, to: {http: {url: 'https://a', headers: {a: \"b\\nc\"}}}}",
                "`a` is no proper header",
            ),
            (
                "{id: a, format: ecs, to: {http: {url: 'https://a'}}, splunk_ack: true}",
                "`export.sinks[0].splunk_ack`: needs the format `splunk_hec`",
            ),
            (
                "{id: a, format: splunk_hec, to: {http: {url: 'https://a/in'}}, splunk_ack: true}",
                "`export.sinks[0].to.http.url`: must have no path",
            ),
            (
                "{id: a, format: splunk_hec, to: {stdout: {}}, splunk_ack: true}",
                "a receiver over `http`",
            ),
            ("{id: a, format: cef, to: {syslog: {tcp: example.com}}}", "must be `host:port`"),
            ("{id: a, format: cef, to: {syslog: {udp: ':514'}}}", "must be `host:port`"),
            (
                "{id: a, format: cef, to: {syslog: {tls: {address: ':6514'}}}}",
                "`export.sinks[0].to.syslog.tls.address`: must be `host:port`",
            ),
            ("{id: a, format: cef, to: {file: {path: ''}}}", "`export.sinks[0].to.file.path`"),
            ("{id: a, format: xml, to: {stdout: {}}}", "xml"),
            ("{id: a, format: cef, to: {file: {path: a}, stdout: {}}}", "exactly one of"),
            (
                "{id: a, format: cef, to: {stdout: {}}}, {id: a, format: ecs, to: {stdout: {}}}",
                "is the same as `export.sinks[0].id`",
            ),
        ] {
            let faults = wrong(sink);
            assert!(faults.contains(expected), "{sink}: {faults}");
        }
    }

    #[test]
    fn a_plain_url_will_do_without_a_token_or_on_this_machine() {
        for http in ["{url: 'http://a.example'}", "{url: 'http://127.0.0.1:1', token: {env: T}}"] {
            let text = format!(
                "profile: p\nexport: {{sinks: [{{id: a, format: ecs, to: {{http: {http}}}}}]}}"
            );
            parse(&text, "p.yaml", &Environment::empty()).unwrap();
        }
    }
}
