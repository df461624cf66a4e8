use systemprompt_core::bootstrap::ProfileBootstrap;
use systemprompt_core::config::Environment;
use systemprompt_runtime::check_profile;

use super::*;

/// A policy that lets through what the starter policy lets through, but for a few words.
fn policy(patterns: &str) -> String {
    format!(
        "rules:\n  - {{id: all, tools: ['*'], scopes: ['tools:use']}}\n\
         blocklists:\n  - {{id: words, patterns: [{patterns}]}}\n"
    )
}

impl Installation {
    fn with_shadow(text: &str) -> Self {
        let installation = Self::new();
        installation.edit(|profile| profile + "\nshadow:\n  - {id: strict, file: strict.yaml}\n");
        fs::write(installation.data().join("strict.yaml"), text).unwrap();
        installation
    }

    fn shadow(&self) -> PathBuf {
        self.data().join("strict.yaml")
    }
}

/// The details of the newest decision.
async fn newest_detail(app: &App) -> Value {
    let Driver::Sqlite(database) = app.database().driver() else { panic!("not a file") };
    let mut connection = database.connect().await.unwrap();
    let text: String = sqlx::query_scalar(
        "SELECT detail FROM audit_events WHERE kind = 'decision' ORDER BY seq DESC LIMIT 1",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_shadow_shows_in_records_and_metrics_and_nowhere_else() {
    let installation = Installation::with_shadow(&policy("read"));
    let served = installation.serve().await;
    let answer = served.govern("Read").await;
    assert_eq!(verdict(&answer), "allow");
    assert!(!answer.to_string().contains("strict"), "{answer}");
    let detail = newest_detail(&served.app).await;
    assert_eq!(detail["scopes"], "tools:use");
    let shadow = &detail["shadow"][0];
    assert_eq!((&shadow["id"], &shadow["decision"]), (&json!("strict"), &json!("deny")));
    assert_eq!(shadow["by"], "blocklist:words");
    served.govern("Grep").await;
    assert_eq!(newest_detail(&served.app).await["shadow"], Value::Null);
    assert_eq!(verdict(&served.govern("delete_all").await), "blocked");
    assert_eq!(newest_detail(&served.app).await["shadow"][0]["decision"], "allow");
    let metrics = served.get("/metrics").await.body;
    for (result, count) in
        [("same", 1), ("allow_to_deny", 1), ("deny_to_allow", 1), ("undecided", 0)]
    {
        let line = format!(
            "systemprompt_shadow_decisions_total{{shadow=\"strict\",result=\"{result}\"}} {count}\n"
        );
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    served.stop().await;
}

#[tokio::test]
async fn without_a_shadow_there_is_no_word_of_one() {
    let installation = Installation::new();
    let served = installation.serve().await;
    served.govern("Read").await;
    let detail = newest_detail(&served.app).await;
    assert_eq!(detail.as_object().unwrap().len(), 3, "{detail}");
    assert!(detail.to_string().len() < 80, "{detail}");
    assert!(!served.get("/metrics").await.body.contains("shadow"));
    served.stop().await;
}

#[tokio::test]
async fn a_broken_shadow_stops_the_start_and_the_check() {
    for (text, expected) in [
        ("rulez: []\n", "strict.yaml:1:1: unknown key `rulez`"),
        ("rules:\n  - {id: a, tools: ['*'], scopes: [adminn]}\n", "strict.yaml:2:"),
        ("", "strict.yaml: holds no policy"),
    ] {
        let installation = Installation::with_shadow(text);
        let error = installation.start().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
        let profile = ProfileBootstrap::load(installation.profile(), Environment::empty()).unwrap();
        let error = check_profile(&profile, no_extensions()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    let installation = Installation::with_shadow("");
    fs::remove_file(installation.shadow()).unwrap();
    let error = installation.start().await.unwrap_err().to_string();
    assert!(error.contains("strict.yaml: cannot be read"), "{error}");
}

#[tokio::test]
async fn a_change_of_a_shadow_is_taken_over_and_a_broken_one_is_not() {
    let installation = Installation::with_shadow(&policy("read"));
    let served = installation.serve().await;
    let shadows = || -> Vec<String> {
        let shadows = served.app.governor().shadows().into_iter();
        shadows.map(|shadow| shadow.policy_version.to_string()).collect()
    };
    let first = shadows();
    let in_force = served.app.governor().policy_version();
    fs::write(installation.shadow(), "rulez: []\n").unwrap();
    until("the broken one is refused", async || events(&served.app, "policy_rejected").await == 1)
        .await;
    assert_eq!(shadows(), first);
    assert!(served.get("/metrics").await.body.contains("systemprompt_policy_stale 1\n"));

    fs::write(installation.shadow(), policy("grep")).unwrap();
    until("the other one is asked", async || shadows() != first).await;
    served.govern("Read").await;
    assert_eq!(newest_detail(&served.app).await["shadow"], Value::Null);
    served.govern("Grep").await;
    assert_eq!(newest_detail(&served.app).await["shadow"][0]["by"], "blocklist:words");
    assert_eq!(served.app.governor().policy_version(), in_force);

    installation
        .edit(|profile| profile.replace("\nshadow:\n  - {id: strict, file: strict.yaml}", ""));
    until("it is not asked any more", async || shadows().is_empty()).await;
    until("that is recorded", async || events(&served.app, "policy_loaded").await == 3).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(events(&served.app, "policy_loaded").await, 3, "once each");
    served.stop().await;
}
