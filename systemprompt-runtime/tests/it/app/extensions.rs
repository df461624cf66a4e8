use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use systemprompt_core::call::ToolCall;
use systemprompt_core::database::DbPool;
use systemprompt_core::extension::prelude::*;
use systemprompt_governance::Governor;

use super::*;

/// Brings everything an application has to mount.
struct Shop {
    runs: Arc<AtomicUsize>,
}

impl Extension for Shop {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("shop", "1.0.0")
    }

    fn schemas(&self) -> Vec<SchemaDefinition> {
        vec![SchemaDefinition::new("shop_items", "CREATE TABLE shop_items (name TEXT NOT NULL)")]
    }
}

impl ApiExtensionTyped for Shop {
    const BASE_PATH: &'static str = "/shop";

    fn build_router(
        &self,
        context: &ExtensionContext,
    ) -> Result<ExtensionRouter, ExtensionFailure> {
        let database = context.get::<DbPool>()?.clone();
        let governor = context.get::<Governor>()?.clone();
        let count = move || async move {
            let count: i64 = sqlx::query_scalar("SELECT count(*) FROM shop_items")
                .fetch_one(database.sqlite().unwrap())
                .await
                .unwrap();
            format!("{count} items under {}", governor.policy_version())
        };
        Ok(Router::new().route("/items", get(count)).into())
    }
}

impl JobExtensionTyped for Shop {
    fn jobs(&self, _: &ExtensionContext) -> Result<Vec<Arc<dyn Job>>, ExtensionFailure> {
        Ok(vec![Arc::new(Restock { runs: self.runs.clone() })])
    }
}

impl CheckExtensionTyped for Shop {
    fn checks(&self, _: &ExtensionContext) -> Result<Vec<Arc<dyn Check>>, ExtensionFailure> {
        Ok(vec![Arc::new(Closed)])
    }
}

impl SecretRuleExtensionTyped for Shop {
    fn secret_rules(&self) -> Vec<SecretRuleFile> {
        let text = r#"
            [[rule]]
            id = "shop-voucher"
            name = "voucher"
            vendor = "Shop"
            keywords = ["voucher-"]
            pattern = "voucher-[0-9a-f]{16}"
        "#;
        vec![SecretRuleFile { name: "vouchers.toml".into(), text: text.into() }]
    }
}

struct Restock {
    runs: Arc<AtomicUsize>,
}

#[async_trait]
impl Job for Restock {
    fn name(&self) -> &str {
        "restock"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Every(Duration::from_millis(5))
    }

    async fn run(&self) -> Result<(), JobError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

struct Closed;

#[async_trait]
impl Check for Closed {
    fn id(&self) -> &str {
        "shop-hours"
    }

    async fn check(&self, call: &ToolCall) -> Result<CheckVerdict, CheckFailure> {
        match call.tool().name().as_str() {
            "sell" => Ok(CheckVerdict::Deny { detail: "the shop is closed".to_owned() }),
            "panic" => panic!("on purpose"),
            _ => Ok(CheckVerdict::Pass),
        }
    }
}

#[tokio::test]
async fn routes_tables_jobs_and_checks_of_an_extension_are_mounted() {
    let runs = Arc::new(AtomicUsize::new(0));
    let entry = ExtensionEntry::of(Shop { runs: runs.clone() })
        .with_api()
        .with_jobs()
        .with_checks()
        .with_secret_rules();
    let extensions = ExtensionBuilder::new().add(entry).build().unwrap();
    let installation = Installation::new();
    let served = installation.serve_app(installation.start_with(extensions).await.unwrap()).await;

    let reply = served.get("/shop/items").await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.starts_with("0 items under sha256:"), "{}", reply.body);
    let denied = served.govern("sell").await;
    assert_eq!(verdict(&denied), "policy");
    assert_eq!(denied["evaluation"]["checks"][4]["check"], "shop-hours");
    assert_eq!(verdict(&served.govern("panic").await), "check_failed");
    assert_eq!(verdict(&served.govern("look").await), "allow");
    let voucher = format!("voucher-{}", "0123456789abcdef");
    let content = serde_json::json!({ "direction": "answer", "content": voucher });
    let inspected = post(served.addr, &served.user_key, "/api/v1/inspect", content).await;
    assert_eq!(inspected["content"], "[redacted:shop-voucher]");
    until("the job runs", async || runs.load(Ordering::SeqCst) > 2).await;
    let metrics = served.get("/metrics").await.body;
    assert!(metrics.contains("{route=\"/shop/*\",status=\"200\"} 1\n"), "{metrics}");
    served.stop().await;
    let after = runs.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(runs.load(Ordering::SeqCst), after, "no runs after the end");
}

#[tokio::test]
async fn a_crate_that_is_not_linked_is_named() {
    let installation = Installation::new();
    let config = installation.config().unwrap();
    let builder = App::builder().extensions(no_extensions()).require(["crm", "shop"]);
    let error = builder.config(config).start().await.unwrap_err().to_string();
    assert!(error.contains("crm") && error.contains("shop"), "{error}");
}
