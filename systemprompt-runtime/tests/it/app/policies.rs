use super::*;

#[tokio::test]
async fn two_applications_with_different_policies_run_in_one_process() {
    let (strict, lax) = (Installation::new(), Installation::new());
    lax.edit(|text| text.replace("patterns: [delete, ", "patterns: ["));
    let (strict, lax) = (strict.serve().await, lax.serve().await);
    assert_eq!(verdict(&strict.govern("delete_records").await), "blocked");
    assert_eq!(verdict(&lax.govern("delete_records").await), "allow");
    assert_ne!(strict.app.governor().policy_version(), lax.app.governor().policy_version());
    // A key of one is nothing to the other.
    let foreign = govern(lax.addr, &strict.user_key, "Read").await;
    assert_eq!(foreign["code"], "unauthenticated");
    strict.stop().await;
    lax.stop().await;
}

#[tokio::test]
async fn a_broken_policy_is_refused_with_file_line_and_column() {
    for (from, to, line_of) in [
        ("blocklists:", "blocklist:", "blocklist:"),
        ("tools: [\"*\"]", "tools: [\"\"]", "tools: [\"\"]"),
        ("scopes: [\"tools:use\"]", "scopes: [\"tools:usee\"]", "tools:usee"),
        ("limit: 300", "limit: 0", "limit: 0"),
    ] {
        let installation = Installation::new();
        installation.edit(|text| text.replacen(from, to, 1));
        let error = installation.start().await.expect_err(to).to_string();
        let text = fs::read_to_string(installation.profile()).unwrap();
        let line = text.lines().position(|line| line.contains(line_of)).unwrap() + 1;
        let place = format!("profile.yaml:{line}:");
        assert!(error.contains(&place), "{place} in {error}");
    }
}

#[tokio::test]
async fn governance_that_is_turned_off_is_recorded() {
    let installation = Installation::new();
    installation.edit(|text| text.replace("governance:\n", "governance:\n  enabled: false\n"));
    let served = installation.serve().await;
    assert_eq!(events(&served.app, "governance_disabled").await, 1);
    assert_eq!(verdict(&served.govern("delete_records").await), "allow");
    served.stop().await;
}

#[tokio::test]
async fn a_log_has_one_writer_and_is_free_after_a_shutdown() {
    let installation = Installation::new();
    let first = installation.start().await.unwrap();
    assert!(matches!(installation.start().await, Err(StartError::AuditLog(_))));
    first.shutdown().await;
    installation.start().await.unwrap().shutdown().await;
}
