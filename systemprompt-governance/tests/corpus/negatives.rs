//! `negatives.txt`: lines without a secret that look as if there were one.

use super::dice::Dice;
use super::scanner;

/// How often each template is filled.
const FILLS: usize = 4;

/// How many of a hundred may be taken for a secret.
const FALSE_ALARMS: usize = 1;

fn templates() -> impl Iterator<Item = &'static str> {
    include_str!("negatives.txt").lines().filter(|line| !line.starts_with("# "))
}

#[test]
fn what_looks_like_a_secret_and_is_none_is_left_alone() {
    let mut dice = Dice(6);
    let (mut tried, mut wrong) = (0, Vec::new());
    for template in templates() {
        for _ in 0..FILLS {
            let line = dice.fill(template);
            tried += 1;
            if let Some(finding) = scanner().scan_text(&line) {
                wrong.push(format!("{}: {line}", finding.rule));
            }
        }
    }
    println!("{} of {tried} taken for a secret\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried >= 550, "{tried}");
    assert!(wrong.len() * 100 <= tried * FALSE_ALARMS, "{} of {tried}", wrong.len());
}
