//! A tool that needs a credential, called by a model that never sees it.
//!
//! ```console
//! $ cargo run --example inject_secret
//! ```

#![expect(clippy::print_stdout, reason = "the example shows who sees what")]

use std::error::Error;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::routing::post;
use systemprompt::identifiers::{Audience, RoleId, Scope, TenantId, TokenId, UserId};
use systemprompt::models::{
    Arguments, CallContext, Decision, Door, Principal, PrincipalClaims, ToolCall, ToolRef,
};
use systemprompt::runtime::App;
use systemprompt::security::Secret;
use systemprompt::security::custody::{Actor, Grant, NewSecret, Place};
use systemprompt::security::inject::{
    Bindings, HttpSettings, HttpTool, HttpToolSpec, InjectingClient, InjectionSettings, Injector,
};
use systemprompt::traits::ToolDefinition;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("systemprompt-inject-{}", std::process::id()));
    let app = App::builder().installation(&folder).await?.start().await?;
    let host = upstream().await?;

    // Somebody takes the credential into custody and grants it: `systemprompt secrets set` and `grant`.
    let (tenant, name) = (TenantId::parse("default")?, "weather-key".parse()?);
    let value = Secret::new(format!("wk-{}", "8f2c1d9e7a6b5043"));
    let new = NewSecret { tenant: tenant.clone(), name, description: String::new(), value };
    app.custody().create(&new, Actor::Operator("ada")).await?;
    let place = Place::header(&host, "authorization")?;
    let grant = Grant { tenant, name: new.name.clone(), server: "weather".parse()?, place };
    app.custody().grant(&grant, Actor::Operator("ada")).await?;

    // The host declares where it goes, and what the tool is.
    let settings: InjectionSettings = serde_json::from_value(serde_json::json!({ "bindings": [{
        "server": "weather",
        "secret": "weather-key",
        "sink": { "header": { "host": host, "name": "authorization", "template": "Bearer {}" } },
    }] }))?;
    let injector = Injector::new(Arc::new(app.custody().clone()), Bindings::compile(&settings)?);
    let client = InjectingClient::new(&HttpSettings {
        private_hosts: ["127.0.0.1".to_owned()].into(),
        ..HttpSettings::default()
    })?;
    let spec = HttpToolSpec {
        server: "weather".parse()?,
        url: format!("http://{host}/forecast").parse()?,
        method: Default::default(),
    };
    let definition = ToolDefinition {
        name: "forecast".parse()?,
        description: "The weather of tomorrow.".to_owned(),
        input_schema: serde_json::json!({ "type": "object" }),
    };
    let tool = HttpTool::new(injector, client, spec, definition);

    // A model asks for the tool.
    let arguments = Arguments::parse(r#"{"city": "Bern"}"#)?;
    let call = ToolCall::new(
        alice()?,
        Door::Embedded,
        ToolRef::parse(Some("weather"), "forecast")?,
        arguments,
        CallContext::default(),
    );
    match app.governor().evaluate(call).await {
        Decision::Allow(permit) => {
            let result = app.governor().run_tool(permit, &tool).await?;
            println!("the model sees: {}", String::from_utf8_lossy(&result.body));
        }
        refused => println!("refused: {refused:?}"),
    }
    app.shutdown().await;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A service that wants a credential and is careless enough to repeat it.
async fn upstream() -> Result<String, Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let host = listener.local_addr()?.to_string();
    let forecast = |headers: HeaderMap, body: String| async move {
        let credential = headers.get("authorization").and_then(|value| value.to_str().ok());
        let credential = credential.unwrap_or("none");
        println!("the service got: {} bytes of credential", credential.len());
        format!("rain, for {body}, says the owner of {credential}")
    };
    let router = axum::Router::new().route("/forecast", post(forecast));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(host)
}

/// A host that authenticates its users itself says so here, and only here.
fn alice() -> Result<Principal, Box<dyn Error>> {
    Ok(Principal::assert_authenticated(PrincipalClaims {
        tenant: TenantId::parse("default")?,
        user: UserId::parse("alice")?,
        roles: [RoleId::parse("user")?].into(),
        scopes: [Scope::parse("tools:use")?].into(),
        department: None,
        audience: Audience::parse("api")?,
        credential: TokenId::parse("session-cookie")?,
        actors: Vec::new(),
    })?)
}
