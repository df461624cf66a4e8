//! Text without a secret in it: `tests/benign`, which `make` there wrote, gives no finding however it is cut.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use systemprompt_core::call::Arguments;

use super::scanner;

fn files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/benign");
    let mut files = Vec::new();
    for part in ["code", "data", "prose"] {
        for entry in fs::read_dir(root.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            files.push((path.strip_prefix(&root).unwrap().to_owned(), text));
        }
    }
    files.sort();
    files
}

/// Rule, then where it was seen and in what text.
#[derive(Default)]
struct Wrong(BTreeMap<String, Vec<String>>);

impl Wrong {
    fn add(&mut self, rule: &str, place: &str, text: &str) {
        let text: String = text.chars().take(160).collect();
        self.0.entry(rule.to_owned()).or_default().push(format!("{place}: {text}"));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each rule with its first offenders.
    fn told(&self) -> String {
        self.0
            .iter()
            .map(|(rule, seen)| {
                let first: Vec<_> = seen.iter().take(25).map(String::as_str).collect();
                format!("{rule} ({})\n  {}", seen.len(), first.join("\n  "))
            })
            .collect::<Vec<_>>()
            .join("\n")
    }
}

#[test]
fn no_line_holds_a_secret() {
    let mut wrong = Wrong::default();
    for (path, text) in files() {
        for (number, line) in text.lines().enumerate() {
            if let Some(finding) = scanner().scan_text(line) {
                wrong.add(&finding.rule, &format!("{}:{}", path.display(), number + 1), line);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.told());
}

#[test]
fn no_file_holds_a_secret() {
    let mut wrong = Wrong::default();
    for (path, text) in files() {
        for found in scanner().find_in_text(&text) {
            let before = &text[..found.span.start];
            let number = before.matches('\n').count() + 1;
            let line = text.lines().nth(number - 1).unwrap_or_default();
            let from = found.span.start - before.rfind('\n').map_or(0, |at| at + 1);
            let from = (from.saturating_sub(60)..).find(|at| line.is_char_boundary(*at)).unwrap();
            let place = format!("{}:{number}", path.display());
            wrong.add(&found.finding.rule, &place, &line[from..]);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.told());
}

/// As tools read and write files: every file, and every 40 lines of one, is a string of some arguments.
#[test]
fn no_argument_holds_a_secret() {
    let mut wrong = Wrong::default();
    for (path, text) in files() {
        let lines: Vec<&str> = text.lines().collect();
        let parts = lines.chunks(40).map(|lines| lines.join("\n"));
        let whole = [text.clone()].into_iter().filter(|text| text.len() < 1 << 19);
        for (number, content) in whole.chain(parts).enumerate() {
            let document = json!({ "file_path": path, "content": content }).to_string();
            let arguments = Arguments::parse(document.into_bytes()).unwrap();
            for finding in scanner().find_all(&arguments) {
                let place =
                    format!("{} part {number} {}", path.display(), finding.location.as_str());
                wrong.add(&finding.rule, &place, &format!("seen as {}", finding.view));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.told());
}

/// JSON files and JSON lines are themselves what tools receive.
#[test]
fn no_document_holds_a_secret() {
    let (mut wrong, mut count) = (Wrong::default(), 0);
    for (path, text) in files() {
        let documents: Vec<&str> = match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("json" | "ipynb" | "map") => vec![&text],
            Some("jsonl") => text.lines().collect(),
            _ if text.starts_with("{\n  \"") => vec![&text],
            _ => continue,
        };
        for document in documents {
            count += 1;
            let arguments = Arguments::parse(document.as_bytes().to_vec()).unwrap();
            for finding in scanner().find_all(&arguments) {
                wrong.add(&finding.rule, &path.display().to_string(), finding.location.as_str());
            }
        }
    }
    assert!(count > 500, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.told());
}

#[test]
fn the_suite_is_as_large_as_it_says() {
    let files = files();
    let mut lines = BTreeMap::<&str, usize>::new();
    for (path, text) in &files {
        if let (true, Some(suffix)) = (path.starts_with("code"), path.extension()) {
            *lines.entry(suffix.to_str().unwrap()).or_default() += text.lines().count();
        }
    }
    assert!(lines.len() >= 10, "{lines:?}");
    assert!(lines.values().sum::<usize>() >= 10_000, "{lines:?}");
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    assert!(bytes < 2_500_000, "{bytes} bytes");
}
