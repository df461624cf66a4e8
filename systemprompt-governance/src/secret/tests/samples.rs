//! The examples and counter-examples of the rule files, filled at run time so that no secret lies in the
//! source.

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
            let texts = (0..20).map(|_| dice.fill(template).text);
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
            let texts = (0..20).map(|_| dice.fill(template).text);
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
fn every_rule_has_an_example_and_a_counter_example() {
    let lacking: Vec<_> = entries()
        .iter()
        .filter(|entry| entry.id != "scan-budget")
        .filter(|entry| entry.example.is_empty() || entry.counter_example.is_empty())
        .map(|entry| (&entry.id, &entry.pattern))
        .collect();
    assert!(lacking.is_empty(), "{} lack one: {lacking:#?}", lacking.len());
}

#[test]
fn there_are_as_many_formats_as_promised() {
    assert!(entries().len() >= 250, "{}", entries().len());
}

#[test]
fn redacting_an_example_leaves_nothing_of_it() {
    let scanner = scanner();
    let mut dice = Dice(2);
    for entry in entries() {
        for template in &entry.example {
            let filled = dice.fill(template);
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
    let mut seen = std::collections::BTreeSet::new();
    for entry in entries() {
        assert_eq!(entry.compile(), Ok(()), "{}", entry.id);
        let kind = (&entry.keywords, &entry.pattern, entry.digest());
        assert!(seen.insert(format!("{kind:?}")), "{}: {}", entry.id, entry.pattern);
    }
}

/// A small generator, so that a failure repeats.
pub(super) struct Dice(pub(super) u64);

/// What [`Dice::fill`] drew.
pub(super) struct Filled {
    pub(super) text: String,
    pub(super) parts: Vec<String>,
}

impl Dice {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.next() % limit
    }

    fn next(&mut self) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap()
    }

    /// Fills the holes of a template; long parts hold digits and letters.
    pub(super) fn fill(&mut self, template: &str) -> Filled {
        let mut filled = Filled { text: String::new(), parts: Vec::new() };
        let mut rest = template;
        while let Some((plain, tail)) = rest.split_once('{') {
            let (hole, tail) = tail.split_once('}').unwrap();
            filled.text.push_str(plain);
            let part = self.part(hole);
            filled.text.push_str(&part);
            filled.parts.push(part);
            rest = tail;
        }
        filled.text.push_str(rest);
        filled
    }

    fn part(&mut self, hole: &str) -> String {
        if hole == "uuid" {
            return ["h8", "h4", "h4", "h4", "h12"].map(|hole| self.part(hole)).join("-");
        }
        let (class, count) = hole.split_at(1);
        let alphabet: &[u8] = match class {
            "a" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "h" => b"0123456789abcdef",
            "H" => b"0123456789ABCDEF",
            "u" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "l" => b"abcdefghijklmnopqrstuvwxyz0123456789",
            "d" => b"0123456789",
            "b" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            "w" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            other => panic!("no class `{other}`"),
        };
        let count: usize = count.parse().unwrap();
        loop {
            let part: String =
                (0..count).map(|_| char::from(alphabet[self.next() % alphabet.len()])).collect();
            let digits = part.bytes().filter(u8::is_ascii_digit).count();
            let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
            if count < 8 || class == "d" || (digits >= 2 && letters >= 2) {
                return part;
            }
        }
    }
}
