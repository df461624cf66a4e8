//! Reports as CSV (RFC 4180).

use super::{Cell, UsageReport};

impl UsageReport {
    /// The rows as CSV: a header, `,` between fields, lines ended by CR LF, money in microdollars.
    ///
    /// Texts are callers' own. One that a spreadsheet would take for a formula (it starts with `=`, `+`,
    /// `-`, `@`, a tab or a carriage return) gets an apostrophe in front.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let header = self.columns().into_iter().map(str::to_owned).collect();
        let rows = self.rows.iter().map(|row| self.cells(row).iter().map(field).collect());
        let lines = std::iter::once(header).chain(rows);
        lines.map(|line: Vec<String>| line.join(",") + "\r\n").collect()
    }
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Number(number) => number.to_string(),
        Cell::Money(amount) => amount.get().to_string(),
        Cell::Text(text) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_escaped_and_are_no_formulas() {
        for (text, expected) in [
            ("claude", "claude"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("", ""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
