use crate::config::{CacheShare, Environment, LoadedProfile, ModelCache, ModelsSection, parse};

fn parsed(models: &str) -> Result<LoadedProfile, crate::config::ConfigError> {
    let indented: String = models.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("profile: p\nmodels:\n{indented}");
    parse(&text, "p.yaml", &Environment::empty())
}

fn section(models: &str) -> ModelsSection {
    parsed(models).unwrap_or_else(|error| panic!("{error}")).profile.models
}

/// The faults of a profile with this section, one per line.
fn wrong(models: &str) -> String {
    parsed(models).expect_err(models).to_string()
}

/// The faults of a provider.
fn wrong_provider(provider: &str) -> String {
    wrong(&format!("providers: {{p: {provider}}}"))
}

/// The faults of routes between the providers `anthropic` and `local`.
fn wrong_routes(rest: &str) -> String {
    wrong(&format!("{PROVIDERS}{rest}"))
}

const PROVIDERS: &str = "providers:
  anthropic: {kind: anthropic, key: {env: K}}
  local: {kind: openai_chat, base_url: 'http://127.0.0.1:8000', private_addresses: true}
";

#[test]
fn a_section_of_every_kind_is_read() {
    let models = section(&format!(
        "{PROVIDERS}  azure: {{kind: openai, base_url: 'https://x.openai.azure.com/openai', key: {{env: K}}, \
         key_header: api-key}}
  echo: {{kind: echo}}
  own: {{kind: extension, key: {{env: K}}}}
aliases: {{quick: fast, fast: claude-haiku-5-5}}
routes:
  - {{match: {{pattern: 'claude-*', when: {{min_tokens: 1000}}}}, provider: anthropic}}
  - {{match: 'claude-*', split: [{{provider: anthropic, weight: 9}}, {{provider: local, model: m}}]}}
  - {{match: echo, provider: echo}}
budgets: [{{key: [], limit_tokens: 1, window_s: 60}}]"
    ));
    assert_eq!(models.faults(), []);
    assert_eq!(models.resolve_alias("quick"), ["fast", "claude-haiku-5-5"]);
    assert_eq!(models.routes[1].split[1].weight, 1, "a weight is 1 when absent");
    assert_eq!(models.providers["azure"].wires().len(), 2);
}

#[test]
fn providers_that_cannot_work_are_refused() {
    for (provider, expected) in [
        (
            "{kind: openai_chat}",
            "p.yaml:3:15: `models.providers.p.base_url`: must be given for the kind",
        ),
        ("{kind: custom, base_url: 'https://a'}", "`models.providers.p.wire`: must be given"),
        (
            "{kind: anthropic}",
            "`models.providers.p.key`: must be given: `anthropic` answers nobody",
        ),
        ("{kind: antropic}", "did you mean `anthropic`?"),
        ("{kind: echo, base_ulr: x}", "did you mean `base_url`?"),
        ("{kind: echo, key: sk-ant-1234567890}", "a key is never written into the profile"),
        ("{kind: echo, key: 'secret://a b'}", "`models.providers.p.key`"),
        ("{kind: echo, key: {env: A, file: b}}", "a secret has one source"),
        ("{kind: echo, key: {env: A}}", "`models.providers.p.key`: must be left out"),
        ("{kind: extension, base_url: 'https://a'}", "`extension` connects to nothing"),
        ("{kind: extension, key: 'secret://a'}", "must be in a variable or a file"),
        ("{kind: anthropic, wire: chat, key: {env: K}}", "must be one that `anthropic` speaks"),
        (
            "{kind: openai, stream_usage: false, wire: responses, key: {env: K}}",
            "`models.providers.p.stream_usage`: is for the wire `chat`",
        ),
        ("{kind: openai, cache_ttl: true, key: {env: K}}", "is for the wire `anthropic`"),
        ("{kind: anthropic, version: '2023', key: {env: K}}", "must be a date such as"),
        ("{kind: anthropic, betas: ['a,b'], key: {env: K}}", "`models.providers.p.betas[0]`"),
        ("{kind: openai_chat, base_url: ftp://a}", "`models.providers.p.base_url`"),
        ("{kind: openai_chat, base_url: 'https://u:p@a'}", "`models.providers.p.base_url`"),
        ("{kind: openai_chat, base_url: 'http://a'}", "takes `private_addresses: true`"),
        ("{kind: openai_chat, base_url: 'https://a/v1/'}", "must end before `/v1`"),
        ("{kind: gemini, base_url: 'https://a/v1beta'}", "must end before `/v1beta`"),
        ("{kind: moonshot, base_url: 'https://a/anthropic'}", "must end before `/anthropic`"),
        ("{kind: openai_chat, base_url: 'https://a?x=1'}", "must have no query"),
        ("{kind: openai_chat, base_url: 'https://a', key_header: k}", "needs a `key`"),
        (
            "{kind: openai_chat, base_url: 'https://a', key: {env: K}, key_header: Host}",
            "no header that can carry a key",
        ),
        (
            "{kind: openai_chat, base_url: 'https://a', headers: {Authorization: x}}",
            "`models.providers.p.headers.Authorization`: a credential belongs into `key`",
        ),
        (
            "{kind: openai_chat, base_url: 'https://a', headers: {content-length: '1'}}",
            "the connection's own",
        ),
        ("{kind: openai_chat, base_url: 'https://a', headers: {a: \"b\\n\"}}", "no proper header"),
        ("{kind: echo, retries: {attempts: 0}}", "must be 1 to 20, not 0"),
        ("{kind: echo, retries: {base_ms: 500, max_ms: 100}}", "must be `base_ms` to 600000"),
        ("{kind: echo, timeouts: {idle_ms: 0}}", "`models.providers.p.timeouts.idle_ms`"),
        (
            "{kind: openai_chat, base_url: 'https://a', health: {interval_s: 0}}",
            "`models.providers.p.health.interval_s`: must be 1 to 3600, not 0",
        ),
        (
            "{kind: openai_chat, base_url: 'https://a', breaker: {failures: 0}, health: {}}",
            "`models.providers.p.health`: asks nothing",
        ),
        ("{kind: echo, health: {idle: true}}", "`models.providers.p.health`: must be left out"),
        ("{kind: echo, max_concurrent: 0}", "`models.providers.p.max_concurrent`"),
        ("{kind: echo, tls: {client_cert: a.pem}}", "belong together"),
        (
            "{kind: openai_chat, base_url: 'https://a', proxy: 'http://b', secret_proxy: {env: X}}",
            "there is a `proxy` already",
        ),
        ("{kind: echo, loss: lose}", "lose"),
    ] {
        let faults = wrong_provider(provider);
        assert!(faults.contains(expected), "{provider}: {faults}");
    }
    assert!(wrong("providers: {Big: {kind: echo}}").contains("1 to 64 of `a-z 0-9 - _`"));
}

#[test]
fn a_key_that_was_written_out_is_not_repeated() {
    let faults = wrong_provider("{kind: anthropic, key: sk-ant-api03-hunter2}");
    assert!(!faults.contains("hunter2"), "{faults}");
}

#[test]
fn routes_that_cannot_work_are_refused() {
    for (routes, expected) in [
        (
            "routes: [{match: 'a*', provider: antropic}]",
            "`models.routes[0].provider`: there is no provider `antropic`; did you mean `anthropic`?",
        ),
        (
            "routes: [{match: a, provider: local, fallback: [{provider: locla}]}]",
            "`models.routes[0].fallback[0].provider`: there is no provider `locla`; did you mean `local`?",
        ),
        ("routes: [{match: a}]", "must have a `provider` or a `split`"),
        ("routes: [{match: '', provider: local}]", "the pattern is empty"),
        ("routes: [{match: 'a b', provider: local}]", "the pattern holds ` `"),
        ("routes: [{match: [a], provider: local}]", "a model, a pattern such as `claude-*`"),
        (
            "routes: [{match: {pattern: a, wehn: {}}, provider: local}]",
            "unknown key `wehn` in `models.routes[0].match`; did you mean `when`?",
        ),
        (
            "routes: [{match: {pattern: a, when: {tool: true}}, provider: local}]",
            "did you mean `tools`?",
        ),
        (
            "routes: [{match: {pattern: a, when: {min_tokens: 0}}, provider: local}]",
            "`models.routes[0].match.when.min_tokens`: must be 1 to",
        ),
        (
            "routes: [{match: a, provider: local, split: [{provider: anthropic}]}]",
            "either `provider` or `split`",
        ),
        (
            "routes: [{match: a, split: [{provider: local, weight: 0}, {provider: anthropic, weight: 0}]}]",
            "`models.routes[0].split`: must have a weight above 0",
        ),
        (
            "routes: [{match: a, model: b, split: [{provider: local}]}]",
            "each entry of a `split` has a `model` of its own",
        ),
        (
            "routes: [{match: a, split: [{provider: local}, {provider: local}]}]",
            "`models.routes[0].split[1]`: is the same as `models.routes[0].split[0]`",
        ),
        (
            "routes: [{match: a, provider: local, fallback: [{provider: local}]}]",
            "`models.routes[0].fallback[0]`: is the same as `models.routes[0]`",
        ),
        (
            "routes: [{match: 'a*', provider: local}, {match: ab, provider: anthropic}]",
            "`models.routes[1].match`: can never fit: `models.routes[0]` takes every request",
        ),
        (
            "routes: [{match: a, provider: local}, {match: a, provider: anthropic}]",
            "`models.routes[1].match`: can never fit",
        ),
        (
            "routes:\n  - {match: {pattern: '*', when: {tools: true}}, provider: local}\n  \
             - {match: {pattern: a, when: {tools: true, min_tokens: 9}}, provider: anthropic}",
            "`models.routes[1].match`: can never fit",
        ),
        ("routes: [{match: a, provider: local, unpriced: perhaps}]", "perhaps"),
        (
            "aliases: {a: b}\nroutes: [{match: a, provider: local}, {match: b, provider: local}]",
            "`a` is an alias of `b`, and routes see what it stands for",
        ),
    ] {
        let faults = wrong_routes(routes);
        assert!(faults.contains(expected), "{routes}: {faults}");
    }
}

#[test]
fn a_narrow_route_may_stand_before_a_wide_one() {
    section(&format!(
        "{PROVIDERS}routes:
  - {{match: ab, provider: local}}
  - {{match: {{pattern: 'a*', when: {{tools: true}}}}, provider: local}}
  - {{match: {{pattern: 'a*', when: {{tools: false}}}}, provider: anthropic}}
  - {{match: 'a*', split: [{{provider: local}}, {{provider: anthropic}}], fallback: [{{provider: local}}]}}"
    ));
}

#[test]
fn aliases_that_lead_nowhere_are_refused() {
    for (aliases, expected) in [
        ("aliases: {a: b, b: a}", "`models.aliases.a`: stands for itself in the end"),
        ("aliases: {a: a}", "`models.aliases.a`: stands for itself in the end"),
        ("aliases: {a: 'b*'}", "must be that of one model"),
        ("aliases: {'a*': b}", "the name must be that of one model"),
        ("aliases: {a: ''}", "must be 1 to 256 of visible ASCII"),
        (
            "aliases: {fast: gtp-5}\nroutes: [{match: gpt-5, provider: local}]",
            "`models.aliases.fast`: no route takes `gtp-5`; did you mean `gpt-5`?",
        ),
    ] {
        let faults = wrong_routes(aliases);
        assert!(faults.contains(expected), "{aliases}: {faults}");
    }
    let circle =
        wrong_routes("aliases: {x: a, a: b, b: a}\nroutes: [{match: '*', provider: local}]");
    assert!(!circle.contains("aliases.x"), "only the circle itself is wrong: {circle}");
}

#[test]
fn budgets_say_what_is_missing() {
    for (rest, expected) in [
        ("budgets: [{key: [user], window_s: 60}]", "`limit_microdollars`, `limit_tokens` or both"),
        (
            "budgets: [{key: [user, user], limit_tokens: 1, window_s: 60}]",
            "`models.budgets[0].key[1]`: is the same as `models.budgets[0].key[0]`",
        ),
        (
            "budgets: [{key: [user, key], limit_tokens: 1, window_s: 60}, \
             {key: [key, user], limit_tokens: 2, window_s: 60}]",
            "`models.budgets[1]`: has the key and the window of `models.budgets[0]`",
        ),
        ("budgets: [{key: [usr], limit_tokens: 1, window_s: 60}]", "did you mean `user`?"),
        ("budgets: [{key: [], limit_tokens: 0, window_s: 60}]", "must be 1 to"),
        ("budgets: [{key: [], limit_tokens: 1, window_s: 0}]", "must be 1 to 31622400"),
        ("body_limit_bytes: 5", "must be 1024 to"),
        ("record_bodies: both", "both"),
        ("record_body_bytes: 1023", "`models.record_body_bytes`: must be 1024 to 1048576"),
        ("prices: ''", "`models.prices`"),
    ] {
        let faults = wrong(rest);
        assert!(faults.contains(expected), "{rest}: {faults}");
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    let text = format!(
        "{PROVIDERS}  kimi: {{kind: moonshot, key: 'secret://kimi@3'}}
routes: [{{match: {{pattern: 'a*', when: {{role: operator}}}}, provider: kimi}}]"
    );
    let loaded = parsed(&text).unwrap();
    let shown = loaded.to_yaml().unwrap();
    assert!(shown.contains("key: secret://kimi@3"), "{shown}");
    let again = parse(&shown, "p.yaml", &Environment::empty()).unwrap();
    assert_eq!(again.profile, loaded.profile);
}

#[test]
fn secrets_and_paths_are_found() {
    let text = "providers:
  a: {kind: anthropic, key: {file: a.key}, tls: {client_cert: c.pem, client_key: {file: c.key}}}
  b: {kind: openai, key: 'secret://openai', secret_proxy: {env: PROXY}}
prices: prices.json";
    let mut profile = parsed(text).unwrap().profile;
    let found: Vec<_> = profile.models.secrets().map(|(path, _)| path).collect();
    assert_eq!(
        found,
        [
            "models.providers.a.key",
            "models.providers.a.tls.client_key",
            "models.providers.b.secret_proxy"
        ]
    );
    profile.resolve_paths("/etc/sp".as_ref());
    let shown = serde_json::to_string(&profile.models).unwrap();
    for path in ["/etc/sp/a.key", "/etc/sp/c.pem", "/etc/sp/c.key", "/etc/sp/prices.json"] {
        assert!(shown.contains(path), "{path}: {shown}");
    }
}

#[test]
fn a_cache_is_off_unless_it_is_there() {
    assert_eq!(section("routes: []").cache, None);
    let kept = section("cache: {}").cache.unwrap();
    assert_eq!(kept, ModelCache::default());
    assert_eq!(kept.share, CacheShare::Principal);
    assert!(kept.models[0].matches("anything"));
}

#[test]
fn a_cache_that_cannot_work_is_refused() {
    for (cache, expected) in [
        ("{ttl_s: 0}", "`models.cache.ttl_s`: must be 1 to 604800, not 0"),
        ("{ttls: 1}", "did you mean `ttl_s`?"),
        ("{max_bytes: 100}", "`models.cache.max_bytes`: must be 65536 to"),
        ("{max_answer_bytes: 1}", "`models.cache.max_answer_bytes`: must be 1024 to half"),
        ("{max_bytes: 65536}", "must be 1024 to half of `max_bytes`, not 1048576"),
        ("{share: everyone}", "everyone"),
        ("{models: []}", "`models.cache.models`: must name a model"),
        ("{models: ['a b']}", "the pattern holds ` `"),
        ("{models: ['gpt-*', 'gpt-5']}", "`models.cache.models[0]` has all of it"),
        ("{models: [gtp-5]}", "no route takes `gtp-5`; did you mean `gpt-5`?"),
        ("{models: [fast]}", "`fast` is an alias of `gpt-5`"),
    ] {
        let rest = format!(
            "aliases: {{fast: gpt-5}}\nroutes: [{{match: gpt-5, provider: local}}]\ncache: {cache}"
        );
        let faults = wrong_routes(&rest);
        assert!(faults.contains(expected), "{cache}: {faults}");
    }
}
