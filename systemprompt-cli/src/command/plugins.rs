//! `plugins list`.

use serde_json::{Value, json};
use systemprompt_core::extension::{RegisteredExtension, TypedExtensionRegistry};

use super::users::cell;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn list(registry: &TypedExtensionRegistry, output: Output) -> Result<(), Failure> {
    let enabled = registry.extensions().iter().map(|extension| item(extension, true));
    let disabled = registry.disabled().iter().map(|extension| item(extension, false));
    let items: Vec<Value> = enabled.chain(disabled).collect();
    let keys = ["id", "version", "enabled", "capabilities", "requires", "site"];
    output.rows(
        &["id", "version", "enabled", "brings", "requires", "registered at"],
        &items,
        |item| keys.iter().map(|key| cell(item.get(key))).collect(),
    )
}

fn item(extension: &RegisteredExtension, enabled: bool) -> Value {
    let capabilities: Vec<_> = extension.capabilities().iter().map(ToString::to_string).collect();
    let requires: Vec<_> = extension
        .requires()
        .iter()
        .map(|dependency| format!("{} {}", dependency.id(), dependency.version()))
        .collect();
    json!({
        "id": extension.id(),
        "version": extension.version().to_string(),
        "description": extension.description(),
        "enabled": enabled,
        "order": extension.order(),
        "capabilities": capabilities,
        "requires": requires,
        "site": extension.site().to_string(),
    })
}
