use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::prelude::*;
use super::{Capability, ContextError, ExtensionSettings, SchemaConflict};
use crate::call::ToolCall;

/// An extension that says what a test wants.
#[derive(Clone)]
struct Plain {
    metadata: ExtensionMetadata,
    tables: &'static [&'static str],
}

impl Plain {
    fn new(id: &'static str) -> Self {
        Self::with(ExtensionMetadata::new(id, "1.2.3"))
    }

    fn with(metadata: ExtensionMetadata) -> Self {
        Self { metadata, tables: &[] }
    }
}

impl Extension for Plain {
    fn metadata(&self) -> ExtensionMetadata {
        self.metadata.clone()
    }

    fn schemas(&self) -> Vec<SchemaDefinition> {
        self.tables.iter().map(|table| SchemaDefinition::new(*table, "SELECT 1")).collect()
    }
}

fn build(
    extensions: impl IntoIterator<Item = Plain>,
) -> Result<TypedExtensionRegistry, ExtensionError> {
    builder(extensions).build()
}

fn builder(extensions: impl IntoIterator<Item = Plain>) -> ExtensionBuilder {
    extensions
        .into_iter()
        .fold(ExtensionBuilder::new(), |builder, one| builder.add(ExtensionEntry::of(one)))
}

fn ids(registry: &TypedExtensionRegistry) -> Vec<&str> {
    registry.iter().map(super::RegisteredExtension::id).collect()
}

fn refusal(result: Result<TypedExtensionRegistry, ExtensionError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn the_order_goes_by_number_then_id_then_need() {
    let metadata = |id| ExtensionMetadata::new(id, "1.0.0");
    let registry = build([
        Plain::with(metadata("late").order(10)),
        Plain::with(metadata("needy").requires("zeta", "^1").order(-5)),
        Plain::with(metadata("zeta")),
        Plain::with(metadata("beta")),
        Plain::with(metadata("early").order(-1)),
    ])
    .unwrap();
    assert_eq!(ids(&registry), ["early", "beta", "zeta", "needy", "late"]);
}

proptest! {
    #[test]
    fn the_order_does_not_depend_on_how_extensions_were_found(
        shuffled in Just((0..8_u8).collect::<Vec<_>>()).prop_shuffle(),
        orders in proptest::collection::vec(-1..2_i32, 8),
        needs in proptest::collection::vec((0..8_u8, 0..8_u8), 0..8),
    ) {
        let make = |number: u8| {
            let metadata = ExtensionMetadata::new(format!("e{number}"), "1.0.0")
                .order(orders[usize::from(number)]);
            // Only what has a lower number is needed, so that there is no cycle.
            Plain::with(needs.iter().filter(|(who, what)| *who == number && what < who).fold(
                metadata,
                |metadata, (_, what)| metadata.requires(format!("e{what}"), "*"),
            ))
        };
        let sorted = build((0..8).map(make)).unwrap();
        let registry = build(shuffled.into_iter().map(make)).unwrap();
        prop_assert_eq!(ids(&sorted), ids(&registry));
        for (who, what) in needs.iter().filter(|(who, what)| what < who) {
            let place = |number: &u8| ids(&registry).iter().position(|id| *id == format!("e{number}"));
            prop_assert!(place(what) < place(who));
        }
    }
}

#[test]
fn a_duplicate_id_names_both_places() {
    let first = ExtensionEntry::of(Plain::new("crm"));
    let second = ExtensionEntry::of(Plain::new("crm"));
    let error = ExtensionBuilder::new().add(second).add(first).build().unwrap_err();
    let ExtensionError::DuplicateId { id, first, second } = &error else { panic!("{error}") };
    assert_eq!((id.as_str(), first.line() + 1), ("crm", second.line()));
    let text = error.to_string();
    for place in [first, second] {
        assert!(
            text.contains(&format!("systemprompt_core ({}:{})", file!(), place.line())),
            "{text}"
        );
    }
}

#[test]
fn ids_versions_and_requirements_are_checked() {
    for id in ["", "Crm", "1crm", "crm_x", "crm-", "a b", &"a".repeat(65)] {
        let metadata = ExtensionMetadata::new(id.to_owned(), "1.0.0");
        let error = build([Plain::with(metadata)]).unwrap_err();
        assert!(matches!(error, ExtensionError::InvalidId { .. }), "{id}");
    }
    let error = build([Plain::new("systemprompt-audit")]).unwrap_err();
    assert!(matches!(error, ExtensionError::ReservedId { .. }), "{error}");
    let error = build([Plain::with(ExtensionMetadata::new("crm", "one"))]).unwrap_err();
    assert!(matches!(error, ExtensionError::InvalidVersion { .. }), "{error}");
    let metadata = ExtensionMetadata::new("crm", "1.0.0").requires("other", "newest");
    let error = build([Plain::with(metadata)]).unwrap_err();
    assert!(matches!(error, ExtensionError::InvalidRequirement { .. }), "{error}");
}

#[test]
fn dependencies_are_checked() {
    let needs =
        |id, version| Plain::with(ExtensionMetadata::new("needy", "1.0.0").requires(id, version));
    build([needs("base", ">=1.2, <2"), Plain::new("base")]).unwrap();
    build([needs("systemprompt", env!("CARGO_PKG_VERSION"))]).unwrap();
    assert_eq!(
        refusal(build([needs("base", "^2"), Plain::new("base")])),
        "the extension `needy` requires `base` ^2, but it is 1.2.3"
    );
    assert_eq!(
        refusal(build([needs("bsae", "^1"), Plain::new("base")])),
        "the extension `needy` requires `bsae` ^1, which is not in this binary; did you mean `base`?"
    );
    assert_eq!(
        refusal(builder([needs("base", "^1"), Plain::new("base")]).disable(["base"]).build()),
        "the extension `needy` requires `base` ^1, which is disabled"
    );
    assert!(refusal(build([needs("systemprompt", "^99")])).contains("`systemprompt` ^99"));
}

#[test]
fn a_cycle_is_named() {
    let needs = |id, what| Plain::with(ExtensionMetadata::new(id, "1.0.0").requires(what, "*"));
    let cycle = [needs("a", "b"), needs("b", "c"), needs("c", "b"), Plain::new("d")];
    assert_eq!(refusal(build(cycle)), "extensions require each other: b -> c -> b");
    assert_eq!(refusal(build([needs("a", "a")])), "extensions require each other: a -> a");
}

#[test]
fn disabling_leaves_out_and_knows_what_there_is() {
    let registry = build([Plain::new("crm"), Plain::new("notes")]).unwrap();
    let registry = registry.disable(["crm"]).unwrap();
    assert_eq!(ids(&registry), ["notes"]);
    assert_eq!(registry.disabled()[0].id(), "crm");
    let again = registry.clone().disable(["notes"]).unwrap();
    assert_eq!((ids(&again).len(), again.disabled().len()), (0, 2));
    assert_eq!(
        refusal(registry.clone().disable(["note"])),
        "`note` is to be disabled, but there is no such extension; did you mean `notes`?"
    );
    let error = registry.require(["crm"]).unwrap_err();
    assert!(matches!(error, ExtensionError::RequiredButDisabled { .. }), "{error}");
}

#[test]
fn require_names_everything_that_is_missing() {
    let registry = build([Plain::new("crm")]).unwrap();
    registry.require(["crm"]).unwrap();
    let text = registry.require(["my-ext", "crm", "other"]).unwrap_err().to_string();
    assert!(text.starts_with("not in this binary: `my-ext`, `other`;"), "{text}");
    assert!(text.contains("use my_ext as _;"), "{text}");
}

#[test]
fn tables_have_one_owner() {
    let with = |id, tables| Plain { tables, ..Plain::new(id) };
    let error = build([with("a", &["notes"]), with("b", &["Notes"])]).unwrap_err();
    assert!(
        matches!(&error, ExtensionError::Schema(SchemaConflict::TableOwnedTwice { .. })),
        "{error}"
    );
    let error = build([with("a", &["notes", "notes"])]).unwrap_err();
    assert!(matches!(error, ExtensionError::Schema(_)), "{error}");
    let registry = build([with("a", &["notes"]), with("b", &["tags"]), with("c", &[])]).unwrap();
    let owners = registry.schema_owners();
    assert_eq!(owners.iter().map(super::SchemaOwner::name).collect::<Vec<_>>(), ["a", "b"]);
    // What is disabled claims nothing.
    let one = builder([with("a", &["notes"]), with("b", &["notes"])]).disable(["a"]).build();
    assert_eq!(ids(&one.unwrap()), ["b"]);
}

#[test]
fn prefixes_have_one_owner_and_leave_the_family_alone() {
    let at = |id, path: &'static str| {
        Plain::with(ExtensionMetadata::new(id, "1.0.0").route_prefix(path))
    };
    build([at("a", "/a"), at("b", "/b")]).unwrap();
    let error = build([at("a", "/crm"), at("b", "/CRM/x")]).unwrap_err();
    assert!(matches!(error, ExtensionError::OverlappingPaths { .. }), "{error}");
    for path in ["/api/public", "/api/v1/crm", "/health", "/metrics", "/.well-known/x", "/v1"] {
        let error = build([at("a", path)]).unwrap_err();
        assert!(matches!(error, ExtensionError::ReservedPath { .. }), "{path}");
    }
    let error = build([at("a", "crm")]).unwrap_err();
    assert!(matches!(error, ExtensionError::InvalidPath { .. }), "{error}");
}

/// An extension with every capability.
struct Everything;

impl Extension for Everything {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("everything", "1.0.0")
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(default)]
struct Settings {
    retries: u8,
    server: Server,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Server {
    port: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { retries: 3, server: Server::default() }
    }
}

impl ConfigExtensionTyped for Everything {
    type Config = Settings;
    fn validate(&self, config: &Settings) -> Result<(), String> {
        if config.retries > 9 { Err("at most 9 retries".to_owned()) } else { Ok(()) }
    }
}

struct Named(&'static str);

#[async_trait]
impl Job for Named {
    fn name(&self) -> &str {
        self.0
    }
    fn schedule(&self) -> Schedule {
        Schedule::Every(Duration::from_secs(1))
    }
    async fn run(&self) -> Result<(), JobError> {
        Ok(())
    }
}

#[async_trait]
impl Check for Named {
    fn id(&self) -> &str {
        self.0
    }
    async fn check(&self, _: &ToolCall) -> Result<CheckVerdict, CheckFailure> {
        Ok(CheckVerdict::Pass)
    }
}

/// What the host of these tests shares.
struct JobName(&'static str);

impl JobExtensionTyped for Everything {
    fn jobs(&self, context: &ExtensionContext) -> Result<Vec<Arc<dyn Job>>, ExtensionFailure> {
        Ok(vec![Arc::new(Named(context.get::<JobName>()?.0))])
    }
}

impl CheckExtensionTyped for Everything {
    fn checks(&self, context: &ExtensionContext) -> Result<Vec<Arc<dyn Check>>, ExtensionFailure> {
        let retries = context.config::<Self>()?.retries;
        Ok((0..retries).map(|_| Arc::new(Named("again")) as Arc<dyn Check>).collect())
    }
}

impl SchemaExtensionTyped for Everything {
    fn migrations(&self) -> Vec<Migration> {
        vec![Migration::new("0001", "SELECT 1")]
    }
}

impl ProviderExtensionTyped for Everything {
    fn providers(
        &self,
        _: &ExtensionContext,
    ) -> Result<Vec<Arc<dyn LlmProvider>>, ExtensionFailure> {
        Ok(Vec::new())
    }
}

impl SecretRuleExtensionTyped for Everything {
    fn secret_rules(&self) -> Vec<SecretRuleFile> {
        vec![SecretRuleFile { name: "own.toml".into(), text: "[[rule]]".into() }]
    }
}

#[test]
fn the_macro_finds_what_a_type_can_do() {
    use Capability::{Checks, Config, Jobs, Providers, Schema, SecretRules};
    let registry = ExtensionBuilder::new()
        .add(extension_entry!(Everything))
        .add(extension_entry!(Plain, Plain::new("plain")))
        .build()
        .unwrap();
    let of = |id: &str| registry.get(id).unwrap().capabilities();
    assert_eq!(of("everything"), [Schema, Jobs, Providers, Config, Checks, SecretRules]);
    assert_eq!(registry.secret_rules()[0].name, "everything/own.toml");
    assert!(of("plain").is_empty());
    assert_eq!(registry.schema_owners()[0].migrations().len(), 1);
}

#[test]
fn named_capabilities_are_exactly_those() {
    let entry = ExtensionEntry::of(Everything).with_jobs().with_config();
    let registry = ExtensionBuilder::new().add(entry).build().unwrap();
    let capabilities = registry.extensions()[0].capabilities();
    assert_eq!(capabilities, [Capability::Jobs, Capability::Config]);
}

fn everything() -> TypedExtensionRegistry {
    let builder = ExtensionBuilder::new().add(extension_entry!(Everything));
    builder.add(ExtensionEntry::of(Plain::new("plain"))).build().unwrap()
}

fn settings(value: serde_json::Value) -> Result<ExtensionSettings, String> {
    let sections = BTreeMap::from([("everything".to_owned(), value)]);
    everything().configure(&sections).map_err(|error| error.to_string())
}

#[test]
fn settings_have_defaults_and_errors_name_their_path() {
    let defaults = everything().configure(&BTreeMap::new()).unwrap();
    assert_eq!(defaults.of::<Everything>(), Some(&Settings::default()));
    let given = settings(json!({ "server": { "port": 80 } })).unwrap();
    let expected = Settings { retries: 3, server: Server { port: 80 } };
    assert_eq!(given.of::<Everything>(), Some(&expected));
    for (value, error) in [
        (json!({ "retry": 1 }), "`extensions.config.everything.retry`: there is no such setting"),
        (
            json!({ "server": { "prot": 1 } }),
            "`extensions.config.everything.server.prot`: there is no such setting",
        ),
        (json!({ "retries": 10 }), "`extensions.config.everything`: at most 9 retries"),
    ] {
        assert_eq!(settings(value).unwrap_err(), error);
    }
    let error = settings(json!({ "server": { "port": "x" } })).unwrap_err();
    assert!(
        error.starts_with("`extensions.config.everything.server.port`: invalid type"),
        "{error}"
    );
}

#[test]
fn settings_go_to_those_who_have_some() {
    let configure = |id: &str| {
        let sections = BTreeMap::from([(id.to_owned(), json!({}))]);
        everything().configure(&sections).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(
        configure("everythin").unwrap_err(),
        "`extensions.config.everythin`: there is no such extension; did you mean `everything`?"
    );
    assert_eq!(
        configure("plain").unwrap_err(),
        "`extensions.config.plain`: this extension has no settings"
    );
    let disabled = everything().disable(["everything"]).unwrap();
    disabled.configure(&BTreeMap::from([("everything".to_owned(), json!({}))])).unwrap();
}

#[test]
fn parts_are_made_with_settings_and_what_the_host_shares() {
    let registry = everything();
    let settings = settings(json!({ "retries": 1 })).unwrap();
    let context = ExtensionContext::new(settings).with(JobName("nightly"));
    assert_eq!(registry.jobs(&context).unwrap()[0].name(), "nightly");
    assert_eq!(registry.checks(&context).unwrap().len(), 1);
    assert!(registry.providers(&context).unwrap().is_empty());

    let nothing = ExtensionContext::default();
    let error = registry.jobs(&nothing).map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("the extension `everything` cannot make its jobs: "));
    assert!(matches!(nothing.config::<Everything>(), Err(ContextError::NotConfigured { .. })));
}

#[test]
fn names_of_parts_are_unique_and_the_pipeline_keeps_its_own() {
    let context = ExtensionContext::new(settings(json!({ "retries": 2 })).unwrap());
    let error = everything().checks(&context).map(|_| ()).unwrap_err();
    assert!(matches!(&error, ExtensionError::NameTaken { name, .. } if name == "again"), "{error}");

    struct Shadow;
    impl Extension for Shadow {
        fn metadata(&self) -> ExtensionMetadata {
            ExtensionMetadata::new("shadow", "1.0.0")
        }
    }
    impl CheckExtensionTyped for Shadow {
        fn checks(&self, _: &ExtensionContext) -> Result<Vec<Arc<dyn Check>>, ExtensionFailure> {
            Ok(vec![Arc::new(Named("scope"))])
        }
    }
    let shadow = ExtensionBuilder::new().add(extension_entry!(Shadow)).build().unwrap();
    let error = shadow.checks(&context).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the check `scope` of the extension `shadow` is taken by the pipeline"
    );
}

#[cfg(feature = "api")]
mod routes {
    use axum::Router;
    use axum::routing::get;

    use super::*;

    struct Routed(Option<&'static str>);

    impl Extension for Routed {
        fn metadata(&self) -> ExtensionMetadata {
            ExtensionMetadata::new("routed", "1.0.0")
        }
        fn router(&self) -> Option<ExtensionRouter> {
            let router =
                ExtensionRouter::from(Router::new().route("/hello", get(|| async { "hi" })));
            Some(match self.0 {
                Some(path) => router.at(path),
                None => router,
            })
        }
    }

    impl ApiExtensionTyped for Routed {
        const BASE_PATH: &'static str = "/typed";
        fn build_router(&self, _: &ExtensionContext) -> Result<ExtensionRouter, ExtensionFailure> {
            Ok(Router::new().route("/hello", get(|| async { "typed" })).into())
        }
    }

    fn with(path: Option<&'static str>) -> Result<TypedExtensionRegistry, ExtensionError> {
        ExtensionBuilder::new().add(extension_entry!(Routed, Routed(path))).build()
    }

    #[test]
    fn routes_are_mounted_where_they_were_claimed() {
        let bases = |path| {
            let routers = with(path).unwrap().routers(&ExtensionContext::default()).unwrap();
            routers.iter().map(|mounted| mounted.base().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(bases(None), ["/ext/routed", "/typed"]);
        assert_eq!(bases(Some("/mine")), ["/mine", "/typed"]);
        let router = with(None).unwrap().routers(&ExtensionContext::default()).unwrap();
        let merged = router
            .into_iter()
            .fold(Router::<()>::new(), |all, mounted| all.merge(mounted.into_axum()));
        assert!(merged.has_routes());
    }

    #[test]
    fn the_two_routers_of_one_extension_do_not_overlap_either() {
        let error = with(Some("/typed/deeper")).unwrap_err();
        assert!(matches!(error, ExtensionError::OverlappingPaths { .. }), "{error}");
        let error = with(Some("/api/v1/x")).unwrap_err();
        assert!(matches!(error, ExtensionError::ReservedPath { .. }), "{error}");
        let error = with(Some("/a/{b}")).unwrap_err();
        assert!(matches!(error, ExtensionError::InvalidPath { .. }), "{error}");
    }
}
