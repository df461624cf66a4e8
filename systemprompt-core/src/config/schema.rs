use super::Profile;

/// The JSON Schema (draft 2020-12) of `profile.yaml`, made from the types that read it.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Profile).to_value()
}
