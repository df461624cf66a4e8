//! A run over whatever lies on this machine: how fast, and which rules speak up how often.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use systemprompt_governance::secret::Scanner;

use super::scanner;

/// Files that are longer are skipped.
const MAX_FILE: u64 = 4 << 20;

/// What the scan of some folders came to.
#[derive(Default)]
struct Sum {
    files: usize,
    bytes: usize,
    time: Duration,
    /// Rule, then what it found where.
    found: BTreeMap<String, Vec<String>>,
}

/// `SCAN_ROOTS` names the folders, with colons in between; `SCAN_SAMPLES` how many findings of each rule
/// are shown.
///
/// `SCAN_ROOTS=/usr/lib/python3 cargo test -p systemprompt-governance --profile bench --test corpus
/// wild -- --ignored --nocapture`
#[test]
#[ignore = "reads what lies on the machine and asserts nothing about it"]
fn what_lies_here() {
    let home = std::env::var("HOME").unwrap_or_default();
    let roots = std::env::var("SCAN_ROOTS")
        .unwrap_or_else(|_| format!("{home}/.cargo/registry/src:/usr/lib/python3:/usr/share/doc"));
    let samples = std::env::var("SCAN_SAMPLES").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut sum = Sum::default();
    for root in roots.split(':') {
        visit(Path::new(root), &scanner(), &mut sum);
    }
    #[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
    let megabytes = sum.bytes as f64 / 1e6;
    println!(
        "{} files, {megabytes:.1} MB, {:.0} MB/s",
        sum.files,
        megabytes / sum.time.as_secs_f64()
    );
    for (rule, found) in &sum.found {
        println!("{rule:<32} {:>6}", found.len());
        let step = (found.len() / samples).max(1);
        for sample in found.iter().step_by(step).take(samples) {
            println!("    {sample}");
        }
    }
}

fn visit(path: &Path, scanner: &Scanner, sum: &mut Sum) {
    let Ok(about) = std::fs::symlink_metadata(path) else { return };
    if about.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().for_each(|path| visit(path, scanner, sum));
    } else if about.is_file()
        && about.len() <= MAX_FILE
        && let Ok(text) = std::fs::read_to_string(path)
    {
        file(path, &text, scanner, sum);
    }
}

fn file(path: &Path, text: &str, scanner: &Scanner, sum: &mut Sum) {
    let started = Instant::now();
    let matches = scanner.find_in_text(text);
    sum.time += started.elapsed();
    sum.files += 1;
    sum.bytes += text.len();
    for found in matches {
        let start = text[..found.span.start].rfind('\n').map_or(0, |at| at + 1);
        let start = start.max(found.span.start.saturating_sub(60));
        let start = (start..).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let line = text[..start].matches('\n').count() + 1;
        let shown: String =
            text[start..].lines().next().unwrap_or_default().chars().take(150).collect();
        let value: String = text[found.span].chars().take(48).collect();
        let place = format!("{}:{line}", path.display());
        let sample = format!("{place}\n        {shown}\n        -> {value:?}");
        sum.found.entry(found.finding.rule.to_string()).or_default().push(sample);
    }
}
