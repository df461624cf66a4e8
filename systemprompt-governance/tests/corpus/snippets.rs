//! `snippets.txt` and `lookalikes.txt`: short texts in the style of examples and tests of scanners, written
//! apart from the rules, so that they measure how far the rules carry.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::rate::{Rate, table};
use super::scanner;

/// One text, its holes open.
struct Snippet {
    style: &'static str,
    vendor: &'static str,
    template: String,
}

fn read(text: &'static str) -> impl Iterator<Item = Snippet> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().unwrap_or_else(|| panic!("too short: {line}"));
        Snippet { style: part(), vendor: part(), template: part().replace("\\n", "\n") }
    })
}

/// How often each is filled: what is drawn decides little.
const FILLS: usize = 3;

#[test]
fn snippets_with_a_credential_are_found() {
    let mut dice = Dice(11);
    let mut all = Rate::default();
    let (mut styles, mut vendors) = (BTreeMap::new(), BTreeMap::new());
    let mut missed = Vec::new();
    let mut count = 0;
    for snippet in read(include_str!("snippets.txt")) {
        count += 1;
        let mut found = 0;
        for _ in 0..FILLS {
            let text = dice.fill(&snippet.template);
            let is_found = scanner().scan_text(&text).is_some();
            found += usize::from(is_found);
            all.count(is_found);
            styles.entry(snippet.style).or_insert_with(Rate::default).count(is_found);
            vendors.entry(snippet.vendor).or_insert_with(Rate::default).count(is_found);
        }
        if found < FILLS {
            let text = snippet.template.replace('\n', "\\n");
            missed.push(format!("{found} of {FILLS}: {} {} {text}", snippet.style, snippet.vendor));
        }
    }
    println!("snippets: {:.1} % of {} over {} vendors", all.percent(), all.1, vendors.len());
    table("by style", &styles, 100.0);
    table("vendors of which less than 60 % are found", &vendors, 60.0);
    println!("\nmissed\n{}", missed.join("\n"));
    assert!(count >= 900, "{count}");
    assert!(all.percent() >= RECALL, "{:.1} %", all.percent());
}

/// What must be found, in percent.
const RECALL: f64 = 92.0;

#[test]
fn snippets_without_a_credential_are_left_alone() {
    let mut dice = Dice(12);
    let (mut all, mut kinds, mut wrong) = (Rate::default(), BTreeMap::new(), Vec::new());
    for snippet in read(include_str!("lookalikes.txt")) {
        for _ in 0..FILLS {
            let text = dice.fill(&snippet.template);
            let finding = scanner().scan_text(&text);
            all.count(finding.is_some());
            kinds.entry(snippet.style).or_insert_with(Rate::default).count(finding.is_some());
            if let Some(finding) = finding {
                wrong.push(format!("{}: {} {text}", finding.rule, snippet.style));
            }
        }
    }
    println!("lookalikes: {:.1} % of {} taken for a secret", all.percent(), all.1);
    table("by kind", &kinds, 100.0);
    println!("\ntaken for a secret\n{}", wrong.join("\n"));
    assert!(all.1 >= 300 * FILLS, "{}", all.1);
    assert!(all.percent() <= FALSE_ALARMS, "{:.1} %", all.percent());
}

/// What may be taken for a secret, in percent.
const FALSE_ALARMS: f64 = 1.5;
