//! `docs/reference/profile.yaml` lists every key, each with a value that is not its default.

use serde_json::Value;
use systemprompt_core::config::{Environment, LoadedProfile, parse};

use super::schema::{Key, keys};

const REFERENCE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/profile.yaml"));

pub(crate) fn reference() -> LoadedProfile {
    parse(REFERENCE, "docs/reference/profile.yaml", &Environment::empty())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Every place that `path` stands for in the reference: `[]` is each item, `<name>` each entry.
pub(crate) fn places(path: &str, loaded: &LoadedProfile) -> Vec<String> {
    let profile = loaded.to_json().unwrap();
    let mut open = vec![path.to_owned()];
    while let Some(at) =
        open.iter().position(|path| path.contains("[]") || path.contains(".<name>"))
    {
        let path = open.remove(at);
        let (list, map) = (path.find("[]"), path.find(".<name>"));
        let end = list.into_iter().chain(map).min().unwrap();
        let found = profile.pointer(&pointer(&path[..end]));
        let filled: Vec<_> = match found {
            Some(Value::Array(items)) => {
                (0..items.len()).map(|item| path.replacen("[]", &format!("[{item}]"), 1)).collect()
            }
            Some(Value::Object(entries)) => {
                entries.keys().map(|name| path.replacen("<name>", name, 1)).collect()
            }
            _ => Vec::new(),
        };
        open.splice(at..at, filled);
    }
    open
}

/// A path as a JSON Pointer.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"))
}

#[test]
fn it_lists_every_key() {
    let loaded = reference();
    let mut missing = Vec::new();
    for key in keys() {
        collect_missing(&key, &key.path, &loaded, &mut missing);
    }
    assert!(missing.is_empty(), "not in the reference: {missing:#?}");
}

/// The first item of a list shows every key that items have, but for those that another shows since they
/// exclude each other.
fn collect_missing(key: &Key, path: &str, loaded: &LoadedProfile, missing: &mut Vec<String>) {
    if loaded.sources.find(path).is_none() {
        missing.push(path.to_owned());
        return;
    }
    let below = |child: &Key| child.path.replacen(&key.path, path, 1).replace("[]", "[0]");
    if key.one_of {
        let given = key.below.iter().any(|child| loaded.sources.find(&below(child)).is_some());
        if !given {
            missing.push(format!("{path}: one of its keys"));
        }
        return;
    }
    if key.entries {
        for child in &key.below {
            let places = places(&child.path, loaded);
            let shown = places.iter().find(|path| loaded.sources.find(path).is_some());
            let path = shown.or(places.first()).unwrap_or(&child.path);
            collect_missing(child, path, loaded, missing);
        }
        return;
    }
    for child in &key.below {
        let second = below(child).replacen("[0]", "[1]", 1);
        let path = match loaded.sources.find(&second) {
            Some(_) if loaded.sources.find(&below(child)).is_none() => second,
            _ => below(child),
        };
        collect_missing(child, &path, loaded, missing);
    }
}

#[test]
fn no_value_is_its_default() {
    let profile = reference().to_json().unwrap();
    let mut same = Vec::new();
    let mut leaves = 0;
    for key in keys() {
        let value = &profile[key.path.as_str()];
        collect_defaults(&key, value, &mut leaves, &mut same);
    }
    assert!(same.is_empty(), "these are defaults: {same:#?}");
    assert!(leaves > 60, "only {leaves} values were looked at");
}

fn collect_defaults(key: &Key, value: &Value, leaves: &mut usize, same: &mut Vec<String>) {
    let entries: Vec<_> =
        value.as_object().into_iter().flat_map(|entries| entries.values()).collect();
    let items = match value {
        Value::Array(items) if !key.below.is_empty() => items.iter().collect(),
        Value::Object(_) if key.entries => entries,
        value => vec![value],
    };
    if key.below.is_empty() || key.one_of || value.as_array().is_some_and(Vec::is_empty) {
        *leaves += 1;
        let unset = value.is_null() || *value == serde_json::json!([]);
        if unset || key.default.as_ref() == Some(value) {
            same.push(key.path.clone());
        }
        assert!(key.required || key.default.is_some(), "{} has no default", key.path);
        return;
    }
    for child in &key.below {
        let name = child.path.rsplit('.').next().unwrap();
        let given = |item: &&&Value| !item[name].is_null() && item[name] != serde_json::json!([]);
        let item = items.iter().find(given).unwrap_or(&items[0]);
        collect_defaults(child, &item[name], leaves, same);
    }
}

#[test]
fn it_survives_being_shown() {
    let loaded = reference();
    let again = parse(&loaded.to_yaml().unwrap(), "shown.yaml", &Environment::empty()).unwrap();
    assert_eq!(again.profile, loaded.profile);
}

/// Every range that a description states, `(1 to 600,000)`, is the range that is enforced. Those of
/// `governance` are enforced where the policy is compiled.
#[test]
fn stated_ranges_are_the_enforced_ones() {
    let loaded = reference();
    let profile = loaded.to_json().unwrap();
    let mut ranges = Vec::new();
    for key in keys().iter().filter(|key| key.path != "governance") {
        collect_ranges(key, &loaded, &mut ranges);
    }
    assert!(ranges.len() >= 15, "only {} ranges are stated", ranges.len());
    for (path, low, high) in ranges {
        for (value, allowed) in [
            (Some(low), true),
            (Some(high), true),
            (low.checked_sub(1), false),
            (Some(high + 1), false),
        ] {
            let Some(value) = value else { continue };
            let mut changed = profile.clone();
            *changed.pointer_mut(&path).unwrap() = value.into();
            let result = parse(&changed.to_string(), "profile.yaml", &Environment::empty());
            assert_eq!(result.is_ok(), allowed, "{path}: {value}: {result:?}");
        }
    }
}

fn collect_ranges(key: &Key, loaded: &LoadedProfile, ranges: &mut Vec<(String, u64, u64)>) {
    key.below.iter().for_each(|child| collect_ranges(child, loaded, ranges));
    let Some((_, range)) = key.description.split_once('(') else { return };
    let Some((low, high)) = range.split(')').next().unwrap().split_once(" to ") else { return };
    let number = |text: &str| text.replace(',', "").parse::<u64>();
    if let (Ok(low), Ok(high)) = (number(low), number(high)) {
        // The first item of a list, or entry of a mapping, that has the key.
        let places = places(&key.path, loaded);
        let given = |path: &&String| loaded.sources.find(path).is_some();
        let path = pointer(places.iter().find(given).or(places.first()).unwrap());
        ranges.push((path, low, high));
    }
}
