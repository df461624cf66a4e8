//! Nothing happens that could not be recorded, and nothing without the key.

use std::sync::atomic::Ordering::SeqCst;

use systemprompt_core::contract::SecretStoreError;
use systemprompt_core::event::EventKind;
use systemprompt_custody::{CustodyError, Place};

use crate::support::{ENV, Home, OPS, grant, name, on_both, secret, tenant};

on_both! {
    nothing_is_handed_out_that_cannot_be_recorded;
    no_change_is_made_that_cannot_be_recorded;
    without_the_key_nothing_is_handed_out_or_kept;
    without_a_database_nothing_is_handed_out;
}

async fn nothing_is_handed_out_that_cannot_be_recorded(home: Home) {
    home.granted("token", "value").await;
    home.log.broken.store(true, SeqCst);
    let refused = home.open("token", None, ENV).await.unwrap_err();
    assert!(matches!(&refused, SecretStoreError::Unavailable(why) if why.contains("recorded")));
    // A refusal that cannot be recorded says no more than that.
    let refused = home.open("unknown", None, ENV).await.unwrap_err();
    assert!(matches!(refused, SecretStoreError::Unavailable(_)));
    home.log.broken.store(false, SeqCst);
    assert_eq!(home.value("token").await, "value");
}

async fn no_change_is_made_that_cannot_be_recorded(home: Home) {
    home.granted("token", "value").await;
    let before = home.custody.secrets(None).await.unwrap();
    home.log.broken.store(true, SeqCst);
    let (acme, token) = (tenant("acme"), name("token"));
    let variable = |variable| grant("token", Place::env(variable).unwrap());
    let refused = [
        home.create_for("acme", "new", "value").await.map(|_| ()),
        home.custody.rotate(&acme, &token, &secret("x"), OPS).await.map(|_| ()),
        home.custody.grant(&variable("OTHER"), OPS).await,
        home.custody.revoke_grant(&variable("GITHUB_TOKEN"), OPS).await,
        home.custody.revoke(&acme, &token, OPS).await.map(|_| ()),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(CustodyError::Audit(_))), "{refused:?}");
    }
    home.key.use_keys(&[2, 1]);
    let refused = home.custody.rewrap(OPS).await;
    assert!(matches!(refused, Err(CustodyError::Audit(_))), "{refused:?}");
    home.log.broken.store(false, SeqCst);
    home.key.use_keys(&[1]);
    assert_eq!(home.custody.secrets(None).await.unwrap(), before);
    assert_eq!(home.value("token").await, "value");
    assert_eq!(home.custody.rotate(&acme, &token, &secret("x"), OPS).await.unwrap(), 2);
}

async fn without_the_key_nothing_is_handed_out_or_kept(home: Home) {
    home.granted("token", "value").await;
    home.grant("token", Place::env("OTHER").unwrap()).await.unwrap();
    home.key.down.store(true, SeqCst);
    let refused = home.open("token", None, ENV).await.unwrap_err();
    assert!(matches!(&refused, SecretStoreError::Unavailable(why) if why.contains("no route")));
    let (acme, token) = (tenant("acme"), name("token"));
    home.key.use_keys(&[2, 1]);
    let changes = [
        home.create_for("acme", "new", "value").await.map(|_| ()),
        home.custody.rotate(&acme, &token, &secret("x"), OPS).await.map(|_| ()),
        home.custody.rewrap(OPS).await.map(|_| ()),
        home.grant("token", Place::env("ANOTHER").unwrap()).await,
        home.custody.check_key().await,
    ];
    // What the key is not needed for still works: taking something back.
    home.custody.revoke_grant(&grant("token", Place::env("OTHER").unwrap()), OPS).await.unwrap();
    for refused in changes {
        assert!(matches!(refused, Err(CustodyError::Key(_))), "{refused:?}");
    }
    home.key.down.store(false, SeqCst);
    home.key.use_keys(&[9]);
    let refused = home.open("token", None, ENV).await.unwrap_err();
    assert!(matches!(&refused, SecretStoreError::Unavailable(why) if why.contains("another key")));
    assert!(matches!(home.custody.check_key().await, Err(CustodyError::Key(_))));
    let reasons: Vec<_> = home.log.details(EventKind::SecretDenied);
    let reasons: Vec<_> = reasons.iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["key_unavailable", "foreign_key"]);
    home.key.use_keys(&[1]);
    home.custody.check_key().await.unwrap();
    assert_eq!(home.value("token").await, "value");
}

async fn without_a_database_nothing_is_handed_out(home: Home) {
    home.granted("token", "value").await;
    home.db.close().await;
    let refused = home.open("token", None, ENV).await.unwrap_err();
    assert!(matches!(refused, SecretStoreError::Unavailable(_)), "{refused:?}");
    assert_eq!(home.log.details(EventKind::SecretDenied)[0]["reason"], "store_unavailable");
}
