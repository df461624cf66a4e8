//! What is written on: how wide it is, and whether it shows colours.

use std::env;
use std::io::{self, IsTerminal as _};

use unicode_width::UnicodeWidthStr as _;

/// Columns where nobody says how many there are.
const USUAL_WIDTH: usize = 100;

/// Where text goes: a terminal, a file, another program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paper {
    /// Columns.
    pub(crate) width: usize,
    /// Whether colours are shown.
    pub(crate) colour: bool,
}

/// A way to show text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ink {
    Bold,
    Green,
    Red,
    Yellow,
}

impl Paper {
    /// Standard output. Colours only on a terminal that has them, unless `NO_COLOR` is set
    /// (no-color.org).
    pub(crate) fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let asked_not_to = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let width = columns.or_else(|| measured().filter(|_| terminal)).unwrap_or(USUAL_WIDTH);
        Self { width: width.clamp(40, 400), colour: terminal && !asked_not_to && !dumb }
    }

    /// `text` in `ink`, where there are colours.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => 1,
            Ink::Red => 31,
            Ink::Green => 32,
            Ink::Yellow => 33,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// `words` in lines of at most `width` columns, three spaces between them; a word that is wider is cut
/// where the line ends and goes on in the next.
pub(crate) fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let mut rest = word.as_str();
        if let Some(line) = lines.last_mut()
            && line.width() + 3 + rest.width() <= width
        {
            line.push_str("   ");
            line.push_str(rest);
            continue;
        }
        while rest.width() > width {
            let (head, tail) = rest.split_at(cut(rest, width));
            lines.push(head.trim_end().to_owned());
            rest = tail.trim_start();
        }
        if !rest.is_empty() {
            lines.push(rest.to_owned());
        }
    }
    lines
}

/// Where `text` is cut so that its head fits into `width` columns: after a space if there is a late one.
fn cut(text: &str, width: usize) -> usize {
    let mut end = 0;
    for (at, char) in text.char_indices() {
        let next = at + char.len_utf8();
        if text.get(..next).is_none_or(|head| head.width() > width) {
            break;
        }
        end = next;
    }
    let head = text.get(..end).unwrap_or_default();
    let space = head.rfind(' ').filter(|at| *at > end / 2);
    // At least one character, however narrow the line.
    let first = text.chars().next().map_or(0, char::len_utf8);
    space.map_or(end, |at| at + 1).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_within_the_width() {
        let words = ["one", "two", "a longer one that has to be cut", "\u{4f60}\u{597d}"];
        let lines = wrapped(&words.map(str::to_owned), 12);
        assert_eq!(
            lines,
            ["one   two", "a longer", "one that", "has to be", "cut   \u{4f60}\u{597d}"]
        );
        assert_eq!(wrapped(&["abcdefgh".to_owned()], 3), ["abc", "def", "gh"]);
        assert!(wrapped(&[], 10).is_empty());
    }

    #[test]
    fn colours_are_left_out_where_there_are_none() {
        let paper = |colour| Paper { width: 80, colour };
        assert_eq!(paper(false).paint(Ink::Red, "no"), "no");
        assert_eq!(paper(true).paint(Ink::Red, "no"), "\x1b[31mno\x1b[0m");
    }
}
