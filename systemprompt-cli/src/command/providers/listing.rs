use serde_json::{Value, json};
use systemprompt_core::config::{ProviderKey, SecretRef};
use systemprompt_providers::preset::Provider;
use systemprompt_providers::price::PriceTable;
use systemprompt_providers::route::RouteTable;

use crate::command::users::cell;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn list(routes: &RouteTable, output: Output) -> Result<(), Failure> {
    let items: Vec<Value> =
        routes.providers().map(|provider| item(provider, routes.prices())).collect();
    let keys = ["name", "kind", "wires", "base_url", "key", "priced_models"];
    output.rows(&["name", "kind", "wires", "base url", "key", "priced models"], &items, |item| {
        keys.iter().map(|key| cell(item.get(key))).collect()
    })
}

fn item(provider: &Provider, prices: &PriceTable) -> Value {
    let endpoints = provider.endpoints();
    let wires: Vec<_> = endpoints.iter().map(|endpoint| endpoint.dialect.as_str()).collect();
    let each = endpoints.iter().map(
        |endpoint| json!({ "wire": endpoint.dialect.as_str(), "base_url": endpoint.base_url }),
    );
    json!({
        "name": &**provider.name(),
        "kind": provider.config().kind.as_str(),
        "wires": wires,
        "base_url": endpoints.first().map(|endpoint| &endpoint.base_url),
        "endpoints": each.collect::<Vec<_>>(),
        "key": key(provider),
        "priced_models": provider.priced_models(prices).count(),
    })
}

/// Where the key is kept, and nothing of the key itself.
fn key(provider: &Provider) -> String {
    match &provider.config().key {
        None => "none".to_owned(),
        Some(ProviderKey::Custody(secret)) => format!("secret://{secret}"),
        Some(ProviderKey::Ref(SecretRef::Env(variable))) => format!("env {variable}"),
        Some(ProviderKey::Ref(SecretRef::File(path))) => format!("file {}", path.display()),
    }
}
