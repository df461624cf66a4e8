//! Tables for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::failure::Failure;

/// Widest cell of a table, in columns of a terminal; whoever needs the whole asks for JSON.
const MOST_COLUMNS: usize = 72;

/// Where answers go and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints `rows` as a table with `columns`, or as a JSON array of `items`.
    pub(crate) fn rows<T: Serialize>(
        self,
        columns: &[&str],
        items: &[T],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<(), Failure> {
        if self.json {
            return self.value(&items);
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(columns.iter().map(|column| column.to_uppercase()));
        for item in items {
            table.add_row(row(item).iter().map(|cell| clipped(&plain(cell))));
        }
        let text: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        self.text(&text)
    }

    /// Prints one value as JSON, whatever the form.
    pub(crate) fn value<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value).map_err(Failure::other)?;
        text.push('\n');
        self.text(&text)
    }

    /// Prints `text` as it is.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        self.text_if_read(text).map(|_| ())
    }

    /// Prints `text` as it is; `false` when nobody reads any more.
    pub(crate) fn text_if_read(self, text: &str) -> Result<bool, Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // The reader has seen enough (`| head`).
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            other => other.map(|()| true).map_err(Failure::other),
        }
    }

    /// Says why nothing came of it; for programs as JSON.
    pub(crate) fn fail(self, failure: &Failure) {
        let message = failure.to_string();
        let text = if self.json {
            serde_json::json!({ "error": message }).to_string()
        } else {
            format!("systemprompt: {}", plain_lines(&message))
        };
        // Nobody to tell when standard error is gone.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Says something to a person on standard error; programs do not hear it.
    pub(crate) fn note(self, text: &str) {
        if !self.json || io::stderr().is_terminal() {
            // Nobody to tell when standard error is gone.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// `text` without what could move a terminal's cursor, or show the text as another one.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Controls, separators of lines, marks of direction, tags, and what has no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// `text`, cut where it would push everything beside it off the screen.
pub(crate) fn clipped(text: &str) -> String {
    if text.width() <= MOST_COLUMNS {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if cut.width() >= MOST_COLUMNS {
            cut.pop();
            break;
        }
    }
    cut + "\u{2026}"
}

/// [`plain`] for texts of several lines.
fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(plain("a\x1b[31m\r\nb\0"), "a\u{fffd}[31m\u{fffd}\u{fffd}b\u{fffd}");
        for c in
            ['\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}', '\u{2069}']
        {
            assert_eq!(plain(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
        assert_eq!(plain("é\u{4f60}😀"), "é\u{4f60}😀");
    }

    #[test]
    fn a_cell_is_never_wider_than_a_screen() {
        assert_eq!(clipped(&"a".repeat(72)), "a".repeat(72));
        for long in ["a", "\u{4f60}"].map(|text| text.repeat(255)) {
            let cell = clipped(&long);
            assert!(cell.ends_with('\u{2026}') && (71..=72).contains(&cell.width()), "{cell}");
        }
    }
}
