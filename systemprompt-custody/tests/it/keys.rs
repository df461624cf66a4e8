//! Changing the key encryption key.

use std::sync::atomic::Ordering::SeqCst;

use systemprompt_core::event::EventKind;
use systemprompt_custody::{CustodyError, Rewrapped};

use crate::support::{ENV, Home, OPS, name, on_both, secret, tenant};

on_both! {
    a_new_key_takes_over_and_the_old_one_is_needed_no_more;
    rewrapping_goes_on_where_it_stopped;
    the_key_is_checked_against_the_newest_secret;
}

async fn a_new_key_takes_over_and_the_old_one_is_needed_no_more(home: Home) {
    for number in 0..3 {
        home.granted(&format!("token-{number}"), &format!("value {number}")).await;
    }
    home.custody.rotate(&tenant("acme"), &name("token-0"), &secret("new"), OPS).await.unwrap();
    home.custody.retire(&tenant("acme"), &name("token-0"), 1, OPS).await.unwrap();
    home.key.use_keys(&[2, 1]);
    let done = home.custody.rewrap(OPS).await.unwrap();
    assert_eq!(done, Rewrapped { keys: 3, current: 0, left: 0 });
    home.key.use_keys(&[2]);
    assert_eq!(home.value("token-0").await, "new");
    assert_eq!(home.value("token-2").await, "value 2");
    home.key.use_keys(&[1]);
    home.open("token-2", None, ENV).await.unwrap_err();
    let expected = serde_json::json!({ "keys": 3, "left": 0, "by": "ops" });
    assert_eq!(home.log.details(EventKind::SecretRewrapped), [expected]);
}

async fn rewrapping_goes_on_where_it_stopped(home: Home) {
    for number in 0..5 {
        home.granted(&format!("token-{number}"), "value").await;
    }
    home.key.use_keys(&[2, 1]);
    home.granted("newer", "value").await;
    // One that cannot be decrypted stops it; what was done in earlier batches stays, here none.
    assert_eq!(
        home.run("UPDATE secret_versions SET wrapped_dek = 'x' WHERE name = 'token-3'").await,
        1
    );
    let refused = home.custody.rewrap(OPS).await;
    assert!(matches!(refused, Err(CustodyError::Key(_))), "{refused:?}");
    assert!(home.log.details(EventKind::SecretRewrapped).is_empty());
    home.custody.revoke(&tenant("acme"), &name("token-3"), OPS).await.unwrap();
    let done = home.custody.rewrap(OPS).await.unwrap();
    assert_eq!(done, Rewrapped { keys: 4, current: 1, left: 0 });
    let done = home.custody.rewrap(OPS).await.unwrap();
    assert_eq!(done, Rewrapped { keys: 0, current: 5, left: 0 });
    assert_eq!(home.log.details(EventKind::SecretRewrapped).len(), 1, "nothing done, nothing said");
}

async fn the_key_is_checked_against_the_newest_secret(home: Home) {
    home.key.use_keys(&[7]);
    home.custody.check_key().await.unwrap();
    home.create("token", "value").await;
    home.custody.check_key().await.unwrap();
    home.key.use_keys(&[8]);
    let refused = home.custody.check_key().await.unwrap_err();
    assert!(refused.to_string().contains("another key"), "{refused}");
    home.key.use_keys(&[8, 7]);
    home.custody.check_key().await.unwrap();
    home.key.down.store(true, SeqCst);
    home.custody.check_key().await.unwrap_err();
}
