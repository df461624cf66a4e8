use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use serde_json::json;

use super::progress::megabytes;
use super::sarif;
use super::spot::{Scanned, Spot};
use crate::args::ScanFormatArg;
use crate::failure::Failure;

/// What is printed about a scan.
pub(super) struct Report<'a> {
    pub(super) scanned: &'a Scanned,
    pub(super) took: Duration,
}

impl Report<'_> {
    pub(super) fn render(&self, format: ScanFormatArg) -> Result<String, Failure> {
        let Scanned { spots, files, bytes, binary, unread } = self.scanned;
        let document = match format {
            ScanFormatArg::Human => return Ok(spots.iter().map(human).collect()),
            ScanFormatArg::Jsonl => return spots.iter().map(jsonl).collect(),
            ScanFormatArg::Sarif => sarif::document(spots),
            ScanFormatArg::Json => json!({
                "findings": spots,
                "files": files,
                "bytes": bytes,
                "binary_files": binary,
                "unread": unread,
            }),
        };
        let text = serde_json::to_string_pretty(&document).map_err(Failure::other)?;
        Ok(text + "\n")
    }

    /// Says on standard error what was and what was not scanned.
    pub(super) fn say_what_was_left_out(&self) {
        let scanned = self.scanned;
        let mut text = String::new();
        for unread in &scanned.unread {
            let _ = writeln!(text, "not scanned: {}: {}", plain(&unread.path), unread.reason);
        }
        let (files, size) = (scanned.files, megabytes(scanned.bytes));
        let _ = write!(text, "{files} files, {size}, {} ms", self.took.as_millis());
        if scanned.binary > 0 {
            let _ = write!(text, "; {} of them are no text", scanned.binary);
        }
        text.push('\n');
        // Nobody to tell when standard error is gone.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// `config/app.env:3:9  github-token  GitHub  high  plain  4f3c...`.
fn human(spot: &Spot) -> String {
    let mut line = format!("{}:{}:{}", plain(&spot.path), spot.line, spot.column);
    if let Some(id) = &spot.id {
        // Writing to a `String` cannot fail.
        let _ = write!(line, " [{}]", plain(&id.0.to_string()));
    }
    format!(
        "{line}  {}  {}  {}  {}  {}\n",
        spot.rule, spot.vendor, spot.confidence, spot.view, spot.fingerprint
    )
}

fn jsonl(spot: &Spot) -> Result<String, Failure> {
    serde_json::to_string(spot).map(|line| line + "\n").map_err(Failure::other)
}

/// Without what would steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|unit| if unit.is_control() { '?' } else { unit }).collect()
}
