//! A policy is whole or not there at all.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::Connection as _;

use crate::harness::{Gateway, eventually, verdict};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_policy_is_refused_at_start_with_file_and_line() {
    let mut gateway = Gateway::fresh();
    gateway.stop();
    let profile = gateway.data().join("profile.yaml");
    let good = fs::read_to_string(&profile).unwrap();
    for (broken, hint) in [
        (good.replacen("blocklists:", "blocklist:", 1), "blocklists"),
        (good.replacen("developer_agent", "developer agent", 1), "agents[0].id"),
        (format!("{good}\n  - : ]["), ""),
    ] {
        assert_ne!(broken, good);
        fs::write(&profile, &broken).unwrap();
        let Err(log) = Gateway::try_on(gateway.data()) else {
            panic!("started on a broken policy")
        };
        let line = log.lines().find(|line| line.contains("profile.yaml:")).unwrap_or_default();
        let at = line.split("profile.yaml:").nth(1).unwrap_or_default();
        assert!(at.starts_with(|c: char| c.is_ascii_digit()), "file:line in {log}");
        assert!(log.contains(hint), "{hint} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_under_load_is_all_or_nothing() {
    let gateway = Arc::new(Gateway::edited(|text| {
        text.replace("limit: 300", "limit: 1000000").replace("burst: 300", "burst: 1000000")
    }));
    let profile = gateway.data().join("profile.yaml");
    let good = fs::read_to_string(&profile).unwrap();
    let version = |answer: &serde_json::Value| {
        answer["evaluation"]["policy_version"].as_str().expect("policy version").to_owned()
    };
    let first = version(&gateway.ask("user", "Read", json!({})).await);

    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (gateway, stop) = (gateway.clone(), stop.clone());
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let answer = gateway.ask("user", "frobnicate_it", json!({})).await;
                    seen.push((
                        answer["evaluation"]["policy_version"].as_str().unwrap().to_owned(),
                        verdict(&answer).to_owned(),
                    ));
                }
                seen
            })
        })
        .collect();

    // Broken: nothing changes, and it is said once.
    fs::write(&profile, good.replacen("rules:", "rulez:", 1)).unwrap();
    let metric = |needle: &'static str| {
        let gateway = gateway.clone();
        move || {
            let gateway = gateway.clone();
            async move {
                let text =
                    gateway.get("/metrics", "user").send().await.unwrap().text().await.unwrap();
                text.lines().any(|line| {
                    line.starts_with("systemprompt_policy_reloads_total")
                        && line.contains(needle)
                        && !line.ends_with(" 0")
                })
            }
        }
    };
    eventually("the rejected reload is counted", metric("reject")).await;
    assert_eq!(version(&gateway.ask("user", "Read", json!({})).await), first);
    let mut database = gateway.database().await;
    let rejected: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE kind = 'policy_rejected'")
            .fetch_one(&mut database)
            .await
            .unwrap();
    assert_eq!(rejected, 1, "one event");

    // Good again, with one word more.
    fs::write(&profile, good.replacen("patterns: [", "patterns: [frobnicate, ", 1)).unwrap();
    let start = Instant::now();
    while version(&gateway.ask("user", "Read", json!({})).await) == first {
        assert!(start.elapsed() < Duration::from_secs(20), "the good policy was not loaded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::Relaxed);
    let mut total = 0;
    for task in load {
        for (version, verdict) in task.await.unwrap() {
            let expected = if version == first { "allow" } else { "blocked" };
            assert_eq!(verdict, expected, "under {version}");
            total += 1;
        }
    }
    assert!(total > 100, "only {total} calls under load");
    database.close().await.unwrap();

    // Deleted: the last good policy stays.
    let second = version(&gateway.ask("user", "Read", json!({})).await);
    fs::remove_file(&profile).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(version(&gateway.ask("user", "Read", json!({})).await), second);
}
