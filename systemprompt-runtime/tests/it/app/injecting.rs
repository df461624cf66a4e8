use systemprompt_core::id::{SecretName, ServerName, TenantId};
use systemprompt_core::secret::Secret;
use systemprompt_custody::inject::{ProcessSettings, ProcessSpec};
use systemprompt_custody::{Actor, Grant, NewSecret, Place};
use tokio::io::AsyncReadExt as _;

use super::*;

const BOUND: &str = "
injection:
  bindings:
    - server: tickets
      secret: token
      sink: {env: {variable: TICKETS_TOKEN}}
  servers:
    - server: tickets
      variables: {LANG: C}
  http: {timeout_ms: 1000}
";

#[tokio::test]
async fn what_the_profile_binds_is_injected() {
    let installation = Installation::new();
    let profile = installation.profile();
    fs::write(&profile, fs::read_to_string(&profile).unwrap() + BOUND).unwrap();
    let app = installation.start().await.unwrap();
    let (tenant, name) = (TenantId::parse("default").unwrap(), SecretName::parse("token").unwrap());
    let server = ServerName::parse("tickets").unwrap();
    let new = NewSecret {
        tenant: tenant.clone(),
        name: name.clone(),
        description: String::new(),
        value: Secret::new("tk_5dJ2mQx81vTz".to_owned()),
    };
    let by = Actor::Operator("ops");
    app.custody().create(&new, by).await.unwrap();
    let place = Place::env("TICKETS_TOKEN").unwrap();
    let grant = Grant { tenant: tenant.clone(), name, server: server.clone(), place };
    let env = ProcessSpec::assert_configured(ProcessSettings {
        program: "/usr/bin/env".into(),
        arguments: Vec::new(),
        directory: "/".into(),
        user: None,
    });
    let env = env.unwrap();
    let injection = || app.injector().for_start(&tenant, &server);
    let refused = env.spawn(&injection()).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("not granted"), "{refused}");
    app.custody().grant(&grant, by).await.unwrap();
    let mut child = env.spawn(&injection()).await.unwrap();
    let mut output = String::new();
    child.stdout.read_to_string(&mut output).await.unwrap();
    let mut lines: Vec<_> = output.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["LANG=C", "TICKETS_TOKEN=[redacted:secret://token]"]);
    app.injecting_client().unwrap();
    app.shutdown().await;
}

#[tokio::test]
async fn a_binding_that_cannot_be_meant_is_a_fault_with_its_line() {
    let wrong = "
injection:
  bindings:
    - server: tickets
      secret: token
      sink: {env: {variable: LD_PRELOAD}}
  http:
    forward_headers: [cookie]
";
    let installation = Installation::new();
    let profile = installation.profile();
    fs::write(&profile, fs::read_to_string(&profile).unwrap() + wrong).unwrap();
    let StartError::Config(error) = installation.start().await.unwrap_err() else {
        panic!("it is the configuration that is wrong")
    };
    let said: Vec<_> =
        error.diagnostics().iter().map(|it| (&*it.path, it.position.is_some())).collect();
    let expected =
        [("injection.bindings[0].sink.env", true), ("injection.http.forward_headers", true)];
    assert_eq!(said, expected, "{error}");
    assert!(error.to_string().contains("changes what code programs run"), "{error}");
}
