use std::process::Command;

use super::*;

fn signal(name: &str) {
    let kill = Command::new("kill").args([name, &std::process::id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// One test for all signals: they reach every application of the process that listens to them.
#[tokio::test]
async fn a_hangup_reloads_and_a_termination_ends_in_an_orderly_way() {
    let installation = Installation::new();
    let app = installation.start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = app.clone();
    let served = tokio::spawn(async move { serving.serve(listener).await });
    // An answer means that the signals are listened to; without that they would end this process.
    let health = ask(addr, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(health.status, 200);

    signal("-HUP");
    until("the policy is loaded again", async || events(&app, "policy_loaded").await == 2).await;
    signal("-TERM");
    served.await.unwrap().unwrap();
    assert_eq!(events(&app, "server_stopped").await, 1);
    installation.start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_start_that_fails_leaves_the_log_free() {
    let installation = Installation::new();
    installation.start().await.unwrap().shutdown().await;
    let good = fs::read_to_string(installation.profile()).unwrap();
    installation.edit(|text| text.replacen("limit: 300", "limit: 0", 1));
    assert!(matches!(installation.start().await, Err(StartError::Config(_))));
    fs::write(installation.profile(), good).unwrap();
    installation.start().await.unwrap().shutdown().await;
}
