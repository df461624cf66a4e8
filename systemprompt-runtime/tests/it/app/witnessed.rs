//! The witnesses of the profile.

use std::fs;

use systemprompt_runtime::StartError;

use super::{Installation, until, verdict};

/// A witness that is never there.
const WITNESS: &str = "
audit:
  checkpoint_events: 1
  checkpoints:
    - file: checkpoints.log
    - witness:
        url: http://127.0.0.1:9/witness
        key: witness.example.com+ea0565fa+BNMWbORdBJkXd9RjqYXA9gH/+3qhW9aL5YbO8ceDdKk5
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_that_is_not_there_holds_nothing_up() {
    let installation = Installation::new();
    installation.edit(|profile| profile + WITNESS);
    let served = installation.serve().await;
    assert_eq!(verdict(&served.govern("Read").await), "allow");
    until("a failure is counted", async || {
        let page = served.get("/metrics").await.body;
        let failures = page
            .lines()
            .find_map(|line| line.strip_prefix("systemprompt_audit_checkpoint_failures_total "));
        let cosigned = "systemprompt_audit_checkpoints_cosigned_total 0";
        failures.is_some_and(|count| count != "0") && page.contains(cosigned)
    })
    .await;
    assert_eq!(verdict(&served.govern("Read").await), "allow");
    served.stop().await;
    let kept = fs::read_to_string(installation.data().join("checkpoints.log")).unwrap();
    assert!(kept.lines().count() > 2, "{kept}");
}

#[tokio::test]
async fn a_key_that_is_not_what_its_id_says_stops_the_start_and_is_named() {
    let installation = Installation::new();
    installation.edit(|profile| profile + &WITNESS.replace("ea0565fa", "ea0565fb"));
    let Err(StartError::Config(error)) = installation.start().await else { panic!("it is wrong") };
    let text = error.to_string();
    assert!(text.contains("audit.checkpoints[1].witness.key") && text.contains("the id"), "{text}");
}
