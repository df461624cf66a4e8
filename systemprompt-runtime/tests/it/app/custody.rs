use systemprompt_core::contract::{
    OpenSecret, SecretStore as _, SecretStoreError, SecretUse, Sink,
};
use systemprompt_core::id::{SecretName, ServerName, TenantId};
use systemprompt_core::secret::Secret;
use systemprompt_custody::{Actor, Grant, NewSecret, Place};

use super::*;

const VALUE: &str = "value-of-a-secret-in-custody";

fn names() -> (TenantId, SecretName, ServerName) {
    let parse =
        (TenantId::parse("default"), SecretName::parse("token"), ServerName::parse("github"));
    (parse.0.unwrap(), parse.1.unwrap(), parse.2.unwrap())
}

async fn keep(app: &App) {
    let ((tenant, name, server), by) = (names(), Actor::Operator("ops"));
    let new = NewSecret {
        tenant: tenant.clone(),
        name: name.clone(),
        description: String::new(),
        value: Secret::new(VALUE.to_owned()),
    };
    assert_eq!(app.custody().create(&new, by).await.unwrap(), 1);
    let place = Place::env("GITHUB_TOKEN").unwrap();
    app.custody().grant(&Grant { tenant, name, server, place }, by).await.unwrap();
}

async fn open(app: &App) -> Result<OpenSecret, SecretStoreError> {
    let (tenant, name, server) = names();
    let sink = Sink::Env { variable: "GITHUB_TOKEN" };
    let usage = SecretUse {
        tenant: &tenant,
        name: &name,
        version: None,
        server: &server,
        sink,
        call: None,
    };
    app.custody().open(usage).await
}

#[tokio::test]
async fn a_secret_is_kept_over_restarts_and_every_use_is_in_the_log() {
    let installation = Installation::new();
    let app = installation.start().await.unwrap();
    open(&app).await.unwrap_err();
    keep(&app).await;
    assert_eq!(open(&app).await.unwrap().value.expose(), VALUE);
    app.shutdown().await;
    assert!(matches!(open(&app).await, Err(SecretStoreError::Unavailable(_))));
    let app = installation.start().await.unwrap();
    assert_eq!(open(&app).await.unwrap().value.expose(), VALUE);
    for (kind, count) in
        [("secret_created", 1), ("secret_granted", 1), ("secret_used", 2), ("secret_denied", 1)]
    {
        assert_eq!(events(&app, kind).await, count, "{kind}");
    }
    app.shutdown().await;
    for entry in fs::read_dir(installation.data()).unwrap() {
        let path = entry.unwrap().path();
        let content = fs::read(&path).unwrap();
        let found = content.windows(VALUE.len()).any(|window| window == VALUE.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test]
async fn another_key_than_that_of_the_secrets_is_refused_at_the_start() {
    let installation = Installation::new();
    let app = installation.start().await.unwrap();
    keep(&app).await;
    app.shutdown().await;
    let path = installation.data().join("custody.key");
    let key = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let error = installation.start().await.unwrap_err();
    assert!(matches!(error, StartError::CustodyKey(_)), "{error}");
    assert!(error.to_string().contains("custody.key"), "{error}");
    // A key before the current one is as good.
    let new = fs::read_to_string(&path).unwrap();
    assert_ne!(new, key);
    fs::write(&path, format!("{new}{key}")).unwrap();
    let app = installation.start().await.unwrap();
    assert_eq!(open(&app).await.unwrap().value.expose(), VALUE);
    let done = app.custody().rewrap(Actor::Operator("ops")).await.unwrap();
    assert_eq!((done.keys, done.current), (1, 0));
    app.shutdown().await;
    fs::write(&path, &new).unwrap();
    let app = installation.start().await.unwrap();
    assert_eq!(open(&app).await.unwrap().value.expose(), VALUE);
    app.shutdown().await;
}

#[tokio::test]
async fn the_profile_names_the_key() {
    let installation = Installation::new();
    installation.edit(|text| format!("{text}\ncustody: {{key: {{file: keys/mine}}}}\n"));
    let error = installation.start().await.unwrap_err().to_string();
    assert!(error.contains("custody.key") && error.contains("keys/mine"), "{error}");
    let file = installation.data().join("keys/mine");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "not a key\n").unwrap();
    let error = installation.start().await.unwrap_err().to_string();
    assert!(error.contains("64 hex digits") && !error.contains("not a key\n"), "{error}");
    fs::write(&file, "5a".repeat(32)).unwrap();
    let app = installation.start().await.unwrap();
    keep(&app).await;
    assert_eq!(open(&app).await.unwrap().value.expose(), VALUE);
    app.shutdown().await;
    assert!(!installation.data().join("custody.key").exists());
}
