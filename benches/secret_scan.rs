//! The secret scanner on benign, denied and hostile text: nanoseconds per scan and MB/s, beside the usual way
//! (an automaton of keywords, then each hit rule's expression over the whole text) with the same rules in
//! the same run; how long it takes to build, and how much memory it keeps.
//!
//! `cargo bench -p systemprompt-benches --bench secret_scan`

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints and may stop"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Value, json};
use systemprompt::models::Arguments;
use systemprompt::security::scan::Scanner;

const PROSE: &str = "Please look through the quarterly report and list the three regions whose revenue fell. \
    For each of them write two sentences on the likely cause, quote the paragraph you rely on, and add the \
    page number. If a figure is missing, say so rather than guessing; the appendix has the raw tables. ";

const CODE: &str = "pub fn parse_header(input: &[u8]) -> Result<Header, Error> {\n    let mut at = 0;\n    \
    while at < input.len() && input[at] != b'\\n' {\n        at += 1;\n    }\n    let name = \
    std::str::from_utf8(&input[..at]).map_err(Error::Utf8)?;\n    if name.is_empty() {\n        return \
    Err(Error::EmptyHeader { offset: at });\n    }\n    Ok(Header { name: name.to_owned(), offset: at })\n}\n";

/// Sizes of benign arguments, and what a scan of each may take, in microseconds.
const SIZES: [(usize, Option<f64>); 5] = [
    (60, None),
    (1 << 10, Some(1.5)),
    (4 << 10, Some(6.0)),
    (16 << 10, Some(30.0)),
    (256 << 10, Some(600.0)),
];

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    systemprompt_benches::print_machine(&std::env::temp_dir()).expect("a folder to write to");
    let scanner = construction();
    let baseline = Baseline::new();

    let (keywords, expressions) = baseline.len();
    println!("the usual way has {keywords} keywords and {expressions} expressions");
    println!(
        "\nwalk of benign arguments        bytes    ns/scan     MB/s   usual way   ratio    goal"
    );
    let mut ratios = Vec::new();
    for (name, unit) in [("prose", PROSE), ("code", CODE)] {
        for (size, goal) in SIZES {
            let ratio = benign(&scanner, &baseline, name, &document(unit, size), goal);
            // The usual way has next to nothing to do where there is next to nothing.
            ratios.extend(goal.map(|_| ratio));
        }
    }
    println!("smallest ratio {:.1} (goal 5)", ratios.into_iter().fold(f64::MAX, f64::min));
    benign(&scanner, &baseline, "records", &records(1 << 10), Some(1.5));
    benign(&scanner, &baseline, "records", &records(16 << 10), Some(30.0));
    benign(&scanner, &baseline, "picture in base64", &picture(256 << 10), Some(4_000.0));
    for (name, unit) in [
        ("Cyrillic prose", "Пожалуйста, просмотрите отчёт и назовите три региона. "),
        (
            "HTML with entities",
            "<td class=&quot;sum&quot;>1&nbsp;200 &euro;</td> &mdash; &#8222;net&#8220; ",
        ),
        ("percent-encoded", "name=Jos%C3%A9%20Mart%C3%ADn&city=S%C3%A3o%20Paulo&note=a%2Fb%3Dc&"),
        ("escaped text", "say \\u201ehello\\u201c to \\u00e9v\\u00e9ryone\\n and \\x41\\x42 too, "),
        (
            "identifiers",
            "id 7c9e6679-7425-40de-944b-e07fc1f90ae7 rev 8f14e45fceea167a5a36dedd4bea2543c0ffee11 ",
        ),
    ] {
        benign(&scanner, &baseline, name, &document(unit, 16 << 10), None);
    }

    println!("\ndenied                          bytes    ns/scan");
    for (name, document) in denied() {
        let arguments = Arguments::parse(document.clone()).expect("valid arguments");
        let cost = median(|| assert!(black_box(&scanner).scan_arguments(&arguments).is_some()));
        println!("{name:<28} {:>8} {cost:>10.0}", document.len());
    }

    println!("\n1 MiB of text                   ns/byte   of prose (goal 3)");
    let prose = per_byte(&scanner, PROSE);
    println!("{:<28} {prose:>10.3} {:>10.2}", "prose", 1.0);
    for (name, unit) in [
        ("code", CODE),
        ("a", "a"),
        ("key:", "key:"),
        ("hexadecimal", "5f8a0c3e91d7b264"),
        ("JSON strings in each other", &nested(4)),
        ("sk-", "sk-"),
        ("eyJ", "eyJ"),
        ("password=", "password="),
        ("token: a1 ", "token: a1 "),
        ("://", "://"),
        ("://a:b@", "://a:b@"),
        ("-----BEGIN", "-----BEGIN"),
        ("ghp_", "ghp_"),
        ("%41", "%41"),
        ("&#65;", "&#65;"),
        ("\\u0041", "\\u0041"),
        ("zero width", "a\u{200b}"),
        ("full width", "\u{ff41}"),
        ("a b c ", "a b c "),
        ("'a'+", "'a'+"),
        ("spaces", " "),
    ] {
        hostile(&scanner, name, &unit.repeat((1 << 20) / unit.len()), prose);
    }
    let prose_text = PROSE.repeat((1 << 20) / PROSE.len());
    let once = base64(prose_text.as_bytes());
    let twice = base64(once.as_bytes());
    let lines = broken(&once, 76, "\n");
    let words = broken(&once, 40, " ");
    let random = blob(1 << 20, 9);
    let random_words = broken(&random, 32, " ");
    for (name, text) in [
        ("text in base64", &once),
        ("text in base64 twice", &twice),
        ("text in base64, in lines", &lines),
        ("text in base64, in words", &words),
        ("base64 of noise", &random),
        ("base64 of noise, in words", &random_words),
    ] {
        hostile(&scanner, name, &text[..text.len().min(1 << 20)], prose);
    }
}

/// One row of hostile text: what it costs beside prose.
fn hostile(scanner: &Scanner, name: &str, text: &str, prose: f64) {
    let cost = median(|| {
        black_box(scanner.scan_text(black_box(text)));
    }) / bytes(text.len());
    let mark = if cost > 3.0 * prose { " <" } else { "" };
    println!("{name:<28} {cost:>10.3} {:>10.2}{mark}", cost / prose);
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// `text` with `separator` between parts of `length` bytes.
fn broken(text: &str, length: usize, separator: &str) -> String {
    let parts: Vec<_> = text.as_bytes().chunks(length).map(String::from_utf8_lossy).collect();
    parts.join(separator)
}

/// Builds scanners, and says what that takes.
fn construction() -> Scanner {
    let before = resident();
    let started = Instant::now();
    let first = scanner();
    let found = started.elapsed();
    println!("first construction {:>8.1} ms (goal 150)", found.as_secs_f64() * 1e3);
    let again = median(|| {
        black_box(scanner());
    });
    println!("construction       {:>8.1} ms", again / 1e6);
    let clone = median(|| {
        black_box(first.clone());
    });
    println!("clone              {clone:>8.1} ns");
    let built = resident();
    // Every pattern and every view is used once.
    for (_, document) in denied() {
        let arguments = Arguments::parse(document).expect("valid arguments");
        black_box(first.find_all(&arguments));
    }
    for format in Scanner::formats() {
        for keyword in format.keywords {
            black_box(first.scan_text(&format!("{keyword}{}", "a1B2c3D4".repeat(12))));
        }
    }
    println!(
        "resident           {:>8.1} MB more than before, {:.1} MB once warm (goal 25 in all)",
        built - before,
        resident() - before
    );
    first
}

/// One row: how long ours and the usual way take.
fn benign(
    scanner: &Scanner,
    baseline: &Baseline,
    name: &str,
    document: &str,
    goal: Option<f64>,
) -> f64 {
    let arguments = Arguments::parse(document.to_owned()).expect("valid arguments");
    let ours = median(|| assert!(black_box(scanner).scan_arguments(&arguments).is_none()));
    let usual = median(|| {
        black_box(baseline.scan(black_box(document.as_bytes())));
    });
    let goal = goal.map_or(String::new(), |goal| {
        let missed = if ours > goal * 1e3 { " <" } else { "" };
        format!("{goal:>6} us{missed}")
    });
    println!(
        "{name:<28} {:>8} {ours:>10.0} {:>8.0} {usual:>11.0} {:>7.1} {goal}",
        document.len(),
        rate(document.len(), ours),
        usual / ours
    );
    usual / ours
}

/// Arguments with a credential in them, written in different ways.
fn denied() -> Vec<(&'static str, String)> {
    let token = format!("{}_{}", "ghp", "16C7e42F292c6912E7710c838347Ae178B4a");
    let text: String = PROSE.chars().cycle().take(900).collect();
    let spaced: Vec<String> = token.chars().map(String::from).collect();
    let percent: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let with =
        |what: &str| json!({ "path": "/srv/app", "content": format!("{text} {what} and so on") });
    let rows: [(&'static str, Value); 7] = [
        ("a token at the end", with(&token)),
        ("a token in front", json!({ "content": format!("{token} {text}") })),
        ("behind a name", with("db_password = \"hunter22!\"")),
        ("percent-encoded", with(&percent)),
        ("letters apart", with(&spaced.join(" "))),
        ("over two fields", json!({ "text": text, "a": &token[..12], "b": &token[12..] })),
        ("as a key", json!({ "text": text, &token: 1 })),
    ];
    rows.into_iter().map(|(name, document)| (name, document.to_string())).collect()
}

/// Arguments with many short strings, as services answer with, about `size` bytes long.
fn records(size: usize) -> String {
    let record = |id: usize| {
        json!({
            "id": 1000 + id, "name": "Ada Lovelace", "email": "ada@example.org", "active": true,
            "city": "London", "tags": ["maths", "engine"], "created_at": "2026-11-27T20:15:00Z",
        })
    };
    let count = size / record(0).to_string().len();
    json!({ "items": (0..count).map(record).collect::<Vec<_>>(), "next": 2 }).to_string()
}

/// Arguments with a picture of noise of about `size` bytes in base64.
fn picture(size: usize) -> String {
    let content = format!("iVBORw0KGgoAAAANSUhEUgAA{}", blob(size - 100, 5));
    json!({ "name": "chart.png", "type": "image/png", "content": content }).to_string()
}

/// Base64 of noise.
fn blob(length: usize, seed: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = seed;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(ALPHABET[usize::try_from(state >> 58).unwrap_or_default()])
        })
        .collect()
}

/// JSON within a string of JSON, `depth` times.
fn nested(depth: usize) -> String {
    (0..depth).fold(PROSE.to_owned(), |inner, _| json!({ "text": inner, "n": 1 }).to_string())
}

/// Resident memory of this process in megabytes; zero where `/proc` is missing.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kilobytes = line.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

fn scanner() -> Scanner {
    Scanner::builder().fingerprint_key(&[7; 32]).build().expect("a scanner")
}

/// Arguments as tools send them, about `size` bytes long.
fn document(unit: &str, size: usize) -> String {
    let frame = json!({ "file_path": "/srv/app/src/lib.rs", "line": 42, "content": "" });
    let room = size.saturating_sub(frame.to_string().len()).max(1);
    let content: String = unit.chars().cycle().take(room).collect();
    json!({ "file_path": "/srv/app/src/lib.rs", "line": 42, "content": content }).to_string()
}

fn per_byte(scanner: &Scanner, unit: &str) -> f64 {
    let text = unit.repeat((1 << 20) / unit.len());
    median(|| {
        black_box(scanner.scan_text(black_box(&text)));
    }) / bytes(text.len())
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

fn rate(length: usize, nanoseconds: f64) -> f64 {
    bytes(length) * 1e3 / nanoseconds
}

#[expect(clippy::cast_precision_loss, reason = "sizes here are exact")]
fn bytes(length: usize) -> f64 {
    length as f64
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
        let mut add = |keywords: Vec<String>, pattern: &str| {
            of_keyword.extend(keywords.iter().map(|_| rules.len()));
            literals.extend(keywords);
            let built = RegexBuilder::new(pattern).unicode(false).size_limit(64 << 20).build();
            rules.push(built.expect("a valid pattern"));
        };
        for format in Scanner::formats() {
            if !format.keywords.is_empty() {
                add(format.keywords.to_vec(), format.pattern);
            } else if !format.names.is_empty() {
                // The name, what joins it to a value, and the value between delimiters.
                let parts: Vec<_> =
                    format.names.iter().map(|name| name.replace('_', "[_ .-]?")).collect();
                let named = assignment(&parts.join("|"), format.pattern);
                // What a name begins with is in every spelling of it.
                let first = |name: &String| name.split('_').next().unwrap_or_default().to_owned();
                add(format.names.iter().map(first).collect(), &named);
            }
        }
        // What stands in for the rules that are code.
        let words = ["passw", "pwd", "secret", "token", "api_key", "apikey"];
        add(
            words.map(String::from).to_vec(),
            &assignment("password|passwd|pwd|secret|token|api_?key", r#"[^\s"']{8,}"#),
        );
        add(vec!["://".to_owned()], r"://[^\s/:@]{1,64}:[^\s/:@]{2,128}@");
        add(vec!["-----begin".to_owned()], r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY");
        add(
            vec!["bearer".to_owned(), "basic".to_owned()],
            r"(?i)(bearer|basic) [A-Za-z0-9._~+/=-]{16,}",
        );
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(literals)
            .expect("an automaton");
        Self { keywords, rules, of_keyword }
    }

    /// Keywords and expressions.
    fn len(&self) -> (usize, usize) {
        (self.of_keyword.len(), self.rules.len())
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

/// The expression for a value with one of `names` in front of it.
fn assignment(names: &str, value: &str) -> String {
    format!(
        r#"(?i)[\w.-]{{0,50}}?(?:{names})[\w \t.-]{{0,20}}[\s'"]{{0,3}}(?:=|>|:{{1,3}}=|\|\||:|=>|\?=|,)[\x60'"\s=]{{0,5}}(?-i:({value}))(?:[\x60'"\s;]|\\[nr]|$)"#
    )
}
