//! The text of `docs/configuration.md`.

use std::fmt::Write as _;

use serde_json::Value;
use systemprompt_core::config::LoadedProfile;

use super::reference::{places, reference};
use super::schema::{Key, keys};

const INTRODUCTION: &str = include_str!("introduction.md");

pub(crate) fn guide() -> String {
    let order = reference();
    let mut text = INTRODUCTION.to_owned();
    let keys = in_order(keys(), &order);
    let (sections, leaves): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|key| !key.below.is_empty());
    table(&leaves.iter().collect::<Vec<_>>(), &mut text);
    for section in sections {
        heading(&section, &mut text);
        write_section(section, &order, &mut text);
    }
    text
}

/// The keys as the reference lists them.
fn in_order(mut keys: Vec<Key>, order: &LoadedProfile) -> Vec<Key> {
    keys.sort_by_key(|key| {
        let path = key.path.replace("[]", "[0]");
        let first = places(&path, order).iter().find_map(|path| order.sources.find(path));
        (first.is_none(), first)
    });
    keys
}

fn write_section(section: Key, order: &LoadedProfile, text: &mut String) {
    let keys = in_order(section.below, order);
    table(&keys.iter().collect::<Vec<_>>(), text);
    for key in keys.into_iter().filter(|key| !key.below.is_empty()) {
        heading(&key, text);
        write_section(key, order, text);
    }
}

fn heading(key: &Key, text: &mut String) {
    let depth = if key.path.contains('.') { "###" } else { "##" };
    let items = match key.entries {
        true => ".<name>",
        false if key.type_name.starts_with("list") => "[]",
        false => "",
    };
    writeln!(text, "\n{depth} `{}{items}`\n\n{}\n", key.path, key.description).unwrap();
    for line in &key.more {
        writeln!(text, "{line}\n").unwrap();
    }
    if key.one_of {
        text.push_str("One of these keys:\n\n");
    }
}

fn table(keys: &[&Key], text: &mut String) {
    text.push_str("| key | type | unit | default | meaning |\n|---|---|---|---|---|\n");
    for key in keys {
        let name = key.path.rsplit('.').next().unwrap();
        let default = match &key.default {
            _ if key.required => "required".to_owned(),
            Some(Value::Object(_)) if !key.below.is_empty() => "see below".to_owned(),
            None | Some(Value::Null) => "none".to_owned(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(value) => format!("`{value}`"),
        };
        writeln!(
            text,
            "| `{name}` | {} | {} | {default} | {} |",
            key.type_name,
            unit(name),
            meaning(key).replace('|', "\\|")
        )
        .unwrap();
    }
}

fn meaning(key: &Key) -> String {
    let choices = if key.below.is_empty() { key.more.join(" ") } else { String::new() };
    format!("{} {choices}", key.description).trim_end().to_owned()
}

/// Keys carry their unit.
fn unit(name: &str) -> &'static str {
    match name {
        _ if name.ends_with("_ms") => "milliseconds",
        _ if name.ends_with("_s") => "seconds",
        _ if name.ends_with("_bytes") => "bytes",
        _ if name.ends_with("_per_minute") => "per minute",
        _ if name.ends_with("_entries") => "entries",
        _ if name.ends_with("_tokens") => "tokens",
        _ if name.ends_with("_microdollars") => "microdollars",
        "queue" | "max_batch" | "batch_events" | "checkpoint_events" => "events",
        "max_connections" => "connections",
        "limit" | "burst" => "calls",
        _ => "",
    }
}
