use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn version(answer: &Value) -> String {
    answer["evaluation"]["policy_version"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_change_of_the_file_is_taken_over_whole_or_not_at_all() {
    let installation = Installation::new();
    installation.edit(|text| text.replace("300", "1000000"));
    let served = Arc::new(installation.serve().await);
    let first = version(&served.govern("frobnicate_it").await);

    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (served, stop) = (served.clone(), stop.clone());
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let answer = served.govern("frobnicate_it").await;
                    seen.push((version(&answer), verdict(&answer).to_owned()));
                }
                seen
            })
        })
        .collect();

    let good = fs::read_to_string(installation.profile()).unwrap();
    installation.edit(|text| text.replacen("rules:", "rulez:", 1));
    until("the broken policy is refused", async || {
        events(&served.app, "policy_rejected").await == 1
    })
    .await;
    assert_eq!(version(&served.govern("Read").await), first);
    let metrics = served.get("/metrics").await.body;
    assert!(metrics.contains("systemprompt_policy_reloads_total{result=\"rejected\"} 1\n"));
    assert!(metrics.contains("systemprompt_policy_stale 1\n"));
    let ready = served.get("/health/ready").await;
    assert_eq!(ready.status, 200, "the last good policy is in force");
    assert_ne!(ready.json()["checks"]["policy"], "ok");

    let word_more = good.replace("patterns: [", "patterns: [frobnicate, ");
    fs::write(installation.profile(), word_more).unwrap();
    until("the new policy is in force", async || version(&served.govern("Read").await) != first)
        .await;
    assert_eq!(verdict(&served.govern("frobnicate_it").await), "blocked");
    stop.store(true, Ordering::Relaxed);
    for task in load {
        for (seen, verdict) in task.await.unwrap() {
            let expected = if seen == first { "allow" } else { "blocked" };
            assert_eq!(verdict, expected, "under {seen}");
        }
    }
    until("the load is recorded", async || events(&served.app, "policy_loaded").await == 2).await;
    let metrics = served.get("/metrics").await.body;
    assert!(metrics.contains("systemprompt_policy_stale 0\n"));
    assert_eq!(events(&served.app, "policy_rejected").await, 1);
    Arc::into_inner(served).unwrap().stop().await;
}

#[tokio::test]
async fn a_file_that_is_gone_leaves_the_policy_and_is_recorded() {
    let installation = Installation::new();
    let served = installation.serve().await;
    let first = served.app.governor().policy_version();
    let profile = installation.profile();
    let text = fs::read_to_string(&profile).unwrap();
    fs::remove_file(&profile).unwrap();
    until("the loss is recorded", async || events(&served.app, "policy_rejected").await == 1).await;
    assert_eq!(served.app.governor().policy_version(), first);
    assert_eq!(verdict(&served.govern("delete_records").await), "blocked");
    fs::write(&profile, text).unwrap();
    until("it is back", async || events(&served.app, "policy_loaded").await == 2).await;
    served.stop().await;
}

#[tokio::test]
async fn a_reload_can_be_asked_for() {
    let installation = Installation::new();
    let app = installation.start().await.unwrap();
    let first = app.governor().policy_version();
    assert_eq!(app.reload().await.unwrap(), first, "equal content, equal version");
    installation.edit(|text| text.replacen("scopes: [admin]", "scopes: [adminn]", 1));
    let error = app.reload().await.unwrap_err().to_string();
    assert!(error.contains("profile.yaml:") && error.contains("admin"), "{error}");
    assert_eq!(app.governor().policy_version(), first);
    app.shutdown().await;
}

#[tokio::test]
async fn governance_is_not_turned_off_while_that_cannot_be_recorded() {
    let installation = Installation::new();
    let app = installation.start().await.unwrap();
    let first = app.governor().policy_version();
    let other = app.database().begin_write().await.unwrap();
    installation.edit(|text| text.replacen("governance:\n", "governance:\n  enabled: false\n", 1));
    let error = app.reload().await.unwrap_err().to_string();
    assert!(error.contains("governance.enabled"), "{error}");
    assert_eq!(app.governor().policy_version(), first);
    assert_eq!(events(&app, "governance_disabled").await, 0);
    other.rollback().await.unwrap();
    until("the refusal is recorded", async || events(&app, "policy_rejected").await > 0).await;

    app.reload().await.unwrap();
    assert!(!app.governor().policy().enabled());
    assert!(events(&app, "governance_disabled").await > 0);
    app.shutdown().await;
}

#[tokio::test]
async fn a_reload_that_cannot_be_recorded_yet_is_recorded_once_later() {
    let installation = Installation::new();
    let app = installation.start().await.unwrap();
    let other = app.database().begin_write().await.unwrap();
    app.reload().await.unwrap();
    app.reload().await.unwrap();
    assert_eq!(events(&app, "policy_loaded").await, 1, "that of the start");
    other.rollback().await.unwrap();
    until("both are recorded", async || events(&app, "policy_loaded").await == 3).await;
    app.shutdown().await;
}

#[tokio::test]
async fn an_edit_between_reading_the_profile_and_the_start_is_taken_over() {
    let installation = Installation::new();
    let config = installation.config().unwrap();
    first_start(&config, &no_extensions(), SystemClock::shared()).await.unwrap();
    installation.edit(|text| text.replacen("patterns: [", "patterns: [frobnicate, ", 1));
    let app = App::builder().config(config).start().await.unwrap();
    let first = app.governor().policy_version();
    until("the edit is in force", async || app.governor().policy_version() != first).await;
    app.shutdown().await;
}
