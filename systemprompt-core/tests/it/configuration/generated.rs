//! Files made from the code are the same as what is checked in; `UPDATE=1` writes them anew.

use std::path::Path;

use systemprompt_core::config::json_schema;

use super::guide::guide;

#[test]
fn the_schema_is_up_to_date() {
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap();
    check("profile.schema.json", &format!("{schema}\n"));
}

#[test]
fn the_guide_is_up_to_date() {
    check("configuration.md", &guide());
}

fn check(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, generated).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == generated,
        "docs/{name} is out of date; run `UPDATE=1 cargo test -p systemprompt-core --features \
         config --test it`"
    );
}
