//! The examples and counter-examples of the rule files, filled at run time so that no secret lies in the
//! source.

use super::dice::Dice;
use super::rules::{Entry, built_in};
use super::*;

fn entries() -> &'static [Entry] {
    built_in().unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn every_rule_finds_its_examples_and_leaves_its_counter_examples() {
    let scanner = scanner();
    let mut dice = Dice(1);
    let mut wrong = Vec::new();
    for entry in entries() {
        let id = &entry.id;
        for template in &entry.example {
            let texts = (0..20).map(|_| dice.fill(template));
            let missed: Vec<_> = texts
                .filter_map(|text| match scanner.scan_text(&text) {
                    Some(finding) if *finding.rule == **id => None,
                    other => Some(format!("{text} gives {:?}", other.map(|f| f.rule))),
                })
                .collect();
            if let Some(first) = missed.first() {
                wrong.push(format!("{id}: `{template}`, {} of 20: {first}", missed.len()));
            }
        }
        for template in &entry.counter_example {
            let texts = (0..20).map(|_| dice.fill(template));
            let found = texts.filter_map(|text| Some((scanner.scan_text(&text)?.rule, text)));
            let found: Vec<_> = found.collect();
            if let Some((rule, text)) = found.first() {
                wrong.push(format!(
                    "{id}: not `{template}`, {} of 20: {text} gives {rule}",
                    found.len()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_says_whose_it_is_where_that_is_stated_and_what_it_finds() {
    let lacking: Vec<_> = entries()
        .iter()
        .filter(|entry| {
            let stated = entry.source.as_ref().is_some_and(|url| url.starts_with("https://"));
            let shown = !entry.example.is_empty() && !entry.counter_example.is_empty();
            // What makes the scanner work too hard has no short example.
            let budget = entry.id == "scan-budget";
            entry.vendor.is_empty() || entry.name.is_empty() || !stated || !(shown || budget)
        })
        .map(|entry| (&entry.id, &entry.vendor, &entry.source, &entry.pattern))
        .collect();
    assert!(lacking.is_empty(), "{} lack something: {lacking:#?}", lacking.len());
}

#[test]
fn a_rule_belongs_to_one_vendor() {
    let mut owners = std::collections::BTreeMap::new();
    for entry in entries() {
        let owner = owners.entry(&entry.id).or_insert(&entry.vendor);
        assert_eq!(*owner, &entry.vendor, "{}", entry.id);
        assert!(!entry.id.contains("-or-"), "{}", entry.id);
    }
}

#[test]
fn there_are_as_many_formats_as_promised() {
    assert!(entries().len() >= 1_000, "{}", entries().len());
}

#[test]
fn redacting_an_example_leaves_nothing_of_it() {
    let scanner = scanner();
    let mut dice = Dice(2);
    for entry in entries() {
        for template in &entry.example {
            let filled = dice.fill_parts(template);
            let text = format!("before {} after", filled.text);
            let clean = scanner.redact(&text);
            let id = &entry.id;
            assert!(clean.contains("[redacted:"), "{id}: {clean}");
            for part in filled.parts.iter().filter(|part| part.len() >= 6) {
                assert!(!clean.contains(&**part), "{id}: {clean}");
            }
            assert!(scanner.scan_text(&clean).is_none(), "{id}: {clean}");
        }
    }
}

#[test]
fn patterns_compile_and_no_format_is_there_twice() {
    let faults: Vec<_> = entries().iter().filter_map(|entry| entry.compile().err()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let mut seen = std::collections::BTreeSet::new();
    for entry in entries() {
        let kind = (&entry.keywords, &entry.pattern, entry.digest());
        assert!(seen.insert(format!("{kind:?}")), "{}: {}", entry.id, entry.pattern);
    }
}
