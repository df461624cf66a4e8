//! The secret scanner on benign and hostile text: nanoseconds per scan and MB/s, beside the usual way
//! (an automaton of keywords, then each hit rule's expression over the whole text) in the same run.
//!
//! `cargo bench -p systemprompt-benches --bench secret`

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints and may stop"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};
use systemprompt::models::Arguments;
use systemprompt::security::scan::Scanner;

const PROSE: &str = "Please look through the quarterly report and list the three regions whose revenue fell. \
    For each of them write two sentences on the likely cause, quote the paragraph you rely on, and add the \
    page number. If a figure is missing, say so rather than guessing; the appendix has the raw tables. ";

const CODE: &str = "pub fn parse_header(input: &[u8]) -> Result<Header, Error> {\n    let mut at = 0;\n    \
    while at < input.len() && input[at] != b'\\n' {\n        at += 1;\n    }\n    let name = \
    std::str::from_utf8(&input[..at]).map_err(Error::Utf8)?;\n    if name.is_empty() {\n        return \
    Err(Error::EmptyHeader { offset: at });\n    }\n    Ok(Header { name: name.to_owned(), offset: at })\n}\n";

fn main() {
    let built = Instant::now();
    let scanner = scanner();
    println!("construction {:>10.1} us", built.elapsed().as_secs_f64() * 1e6);
    let baseline = Baseline::new();

    println!("\nwalk of benign arguments        bytes    ns/scan     MB/s   usual way   ratio");
    for (name, unit) in [("prose", PROSE), ("code", CODE)] {
        for size in [60, 1 << 10, 4 << 10, 16 << 10, 256 << 10] {
            let document = document(unit, size);
            let arguments = Arguments::parse(document.clone()).expect("valid arguments");
            let ours = median(|| assert!(black_box(&scanner).scan_arguments(&arguments).is_none()));
            let usual = median(|| {
                black_box(baseline.scan(black_box(document.as_bytes())));
            });
            println!(
                "{name:<28} {:>8} {ours:>10.0} {:>8.0} {usual:>11.0} {:>7.1}",
                document.len(),
                rate(document.len(), ours),
                usual / ours
            );
        }
    }

    println!("\n1 MiB of text                   ns/byte   of prose");
    let prose = per_byte(&scanner, PROSE);
    println!("{:<28} {prose:>10.3} {:>10.2}", "prose", 1.0);
    for (name, unit) in [
        ("code", CODE),
        ("a", "a"),
        ("key:", "key:"),
        ("one base64 run", "TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24"),
        ("hexadecimal", "5f8a0c3e91d7b264"),
        ("sk-", "sk-"),
        ("password=", "password="),
        ("://", "://"),
        ("spaces", " "),
    ] {
        let cost = per_byte(&scanner, unit);
        println!("{name:<28} {cost:>10.3} {:>10.2}", cost / prose);
    }
}

fn scanner() -> Scanner {
    Scanner::builder().fingerprint_key(&[7; 32]).build().expect("a scanner")
}

/// Arguments as tools send them, about `size` bytes long.
fn document(unit: &str, size: usize) -> String {
    let frame =
        serde_json::json!({ "file_path": "/srv/app/src/lib.rs", "line": 42, "content": "" });
    let room = size.saturating_sub(frame.to_string().len()).max(1);
    let content: String = unit.chars().cycle().take(room).collect();
    serde_json::json!({ "file_path": "/srv/app/src/lib.rs", "line": 42, "content": content })
        .to_string()
}

fn per_byte(scanner: &Scanner, unit: &str) -> f64 {
    let text = unit.repeat((1 << 20) / unit.len());
    #[expect(clippy::cast_precision_loss, reason = "a mebibyte is exact")]
    let bytes = text.len() as f64;
    median(|| {
        black_box(scanner.scan_text(black_box(&text)));
    }) / bytes
}

/// The median time of a run in nanoseconds.
fn median(mut run: impl FnMut()) -> f64 {
    let started = Instant::now();
    let mut rounds = 0_u32;
    while started.elapsed() < Duration::from_millis(20) || rounds < 3 {
        run();
        rounds += 1;
    }
    let batch = (rounds / 20).max(1);
    let mut samples: Vec<f64> = (0..31)
        .map(|_| {
            let started = Instant::now();
            (0..batch).for_each(|_| run());
            started.elapsed().as_secs_f64() * 1e9 / f64::from(batch)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "sizes here are exact")]
fn rate(bytes: usize, nanoseconds: f64) -> f64 {
    bytes as f64 * 1e3 / nanoseconds
}

/// The usual way, with our own rules.
struct Baseline {
    keywords: AhoCorasick,
    rules: Vec<Regex>,
    of_keyword: Vec<usize>,
}

impl Baseline {
    fn new() -> Self {
        let mut literals = Vec::new();
        let mut of_keyword = Vec::new();
        let mut rules = Vec::new();
        for format in Scanner::formats().filter(|format| !format.keywords.is_empty()) {
            literals.extend(format.keywords.iter().map(String::as_str));
            of_keyword.extend(format.keywords.iter().map(|_| rules.len()));
            let pattern = RegexBuilder::new(format.pattern).unicode(false).build();
            rules.push(pattern.expect("a valid pattern"));
        }
        // What stands in for the rules that go by name.
        let assignment =
            r#"(?i)(password|passwd|pwd|secret|token|api_?key)["']?\s*(=|:|=>)\s*["']?[^\s"']{8,}"#;
        for keyword in ["passw", "pwd", "secret", "token", "api_key", "apikey"] {
            literals.push(keyword);
            of_keyword.push(rules.len());
        }
        let assignment = RegexBuilder::new(assignment).unicode(false).build();
        rules.push(assignment.expect("a valid pattern"));
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(literals)
            .expect("an automaton");
        Self { keywords, rules, of_keyword }
    }

    fn scan(&self, text: &[u8]) -> usize {
        let mut hit = vec![false; self.rules.len()];
        for keyword in self.keywords.find_overlapping_iter(text) {
            hit[self.of_keyword[keyword.pattern().as_usize()]] = true;
        }
        let rules = self.rules.iter().zip(hit).filter(|(_, hit)| *hit);
        rules.filter(|(rule, _)| rule.is_match(text)).count()
    }
}
