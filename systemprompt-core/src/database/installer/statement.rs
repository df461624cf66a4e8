//! Finds statements that would take a script out of the installer's transaction.

use crate::extension::Backend;

/// What no script may do: end or nest the transaction, or what cannot run inside one.
const FORBIDDEN: [&str; 13] = [
    "ABORT",
    "ATTACH",
    "BEGIN",
    "COMMIT",
    "DETACH",
    "END",
    "PRAGMA",
    "PREPARE",
    "RELEASE",
    "ROLLBACK",
    "SAVEPOINT",
    "START",
    "VACUUM",
];

/// The first forbidden statement of `sql`, by its keyword.
pub(super) fn forbidden(sql: &str, backend: Backend) -> Option<&'static str> {
    let mut statement = Statement::default();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match backend {
            Backend::Sqlite => token(rest, first),
            Backend::Postgres => postgres_token(rest, first),
        };
        let (token, after) = rest.split_at_checked(length)?;
        rest = after;
        if first == ';' {
            statement.semicolon();
        } else if is_word(first) {
            let word = token.to_ascii_uppercase();
            let found = FORBIDDEN.into_iter().find(|keyword| *keyword == word);
            if statement.words == 0 && found.is_some() {
                return found;
            }
            statement.word(&word);
        } else if !is_blank(token, first) {
            statement.other();
        }
    }
    None
}

/// As much of a statement as tells where it ends: a trigger of SQLite, and a function of PostgreSQL
/// that is written `BEGIN ATOMIC`, have statements inside and end with `; END ;`.
#[derive(Default)]
struct Statement {
    words: usize,
    creates: bool,
    trigger: bool,
    after_begin: bool,
    after_semicolon: bool,
    ended: bool,
}

impl Statement {
    fn word(&mut self, word: &str) {
        match (self.words, word) {
            (0, "CREATE") => self.creates = true,
            (1, "TEMP" | "TEMPORARY") if self.creates => return,
            (1, "TRIGGER") if self.creates => self.trigger = true,
            (_, "ATOMIC") if self.creates && self.after_begin => self.trigger = true,
            _ => {}
        }
        self.after_begin = word == "BEGIN";
        self.words += 1;
        self.ended = self.trigger && self.after_semicolon && word == "END";
        self.after_semicolon = false;
    }

    fn semicolon(&mut self) {
        if self.trigger && !self.ended {
            self.after_semicolon = true;
        } else {
            *self = Self::default();
        }
    }

    fn other(&mut self) {
        self.after_begin = false;
        self.words += 1;
        self.after_semicolon = false;
        self.ended = false;
    }
}

fn is_word(first: char) -> bool {
    first.is_alphanumeric() || first == '_'
}

fn is_blank(token: &str, first: char) -> bool {
    first.is_whitespace() || token.starts_with("--") || token.starts_with("/*")
}

/// The length in bytes of the token that `rest` begins with, as PostgreSQL reads it: with dollar
/// quotes, escape strings and nested comments, and without brackets and backquotes.
fn postgres_token(rest: &str, first: char) -> usize {
    match first {
        '$' => dollar_quoted(rest).unwrap_or(1),
        'e' | 'E' if rest.get(1..2) == Some("'") => 1 + escape_string(rest.get(1..).unwrap_or("")),
        '/' if rest.starts_with("/*") => nested_comment(rest),
        '[' | '`' => 1,
        _ => token(rest, first),
    }
}

/// A text between two `$tag$`; `None` when it begins with none, such as a parameter.
fn dollar_quoted(rest: &str) -> Option<usize> {
    let inner = rest.get(1..)?;
    let tag_end = inner.find('$')?;
    let tag = inner.get(..tag_end)?;
    if tag.starts_with(|c: char| c.is_ascii_digit()) || !tag.chars().all(is_word) {
        return None;
    }
    let quote = rest.get(..tag_end + 2)?;
    let body = rest.get(quote.len()..)?;
    Some(body.find(quote).map_or(rest.len(), |at| at + 2 * quote.len()))
}

/// A string that begins with `'` and in which a backslash escapes.
fn escape_string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn nested_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        if left.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if left.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += left.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length in bytes of the token that `rest` begins with, as SQLite reads it.
fn token(rest: &str, first: char) -> usize {
    let quoted = |close: char| {
        let mut inner = rest.char_indices().skip(1);
        inner.find(|(_, c)| *c == close).map_or(rest.len(), |(at, c)| at + c.len_utf8())
    };
    match first {
        '\'' | '"' | '`' => quoted(first),
        '[' => quoted(']'),
        '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
        '/' if rest.starts_with("/*") => {
            // As SQLite has it, a comment that never ends reaches to the end of the text.
            rest.get(2..).and_then(|inner| inner.find("*/")).map_or(rest.len(), |at| at + 4)
        }
        _ if is_word(first) => rest.find(|c: char| !is_word(c) && c != '$').unwrap_or(rest.len()),
        _ => first.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(sql: &str) -> Option<&'static str> {
        super::forbidden(sql, Backend::Sqlite)
    }

    #[test]
    fn postgres_has_quotes_of_its_own() {
        for sql in [
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN; COMMIT; END $$;",
            "DO $x$ BEGIN PERFORM 1; END; COMMIT $x$",
            r"INSERT INTO a VALUES (E'it\'s; COMMIT', '\'); SELECT 1",
            "/* outer /* inner */ ; COMMIT */ SELECT $1",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 1",
            "CREATE TABLE a (b int[]); SELECT b[1] FROM a",
        ] {
            assert_eq!(super::forbidden(sql, Backend::Postgres), None, "{sql}");
        }
        for (sql, keyword) in [
            ("SELECT $$a$$; COMMIT", "COMMIT"),
            ("SELECT $1; ROLLBACK", "ROLLBACK"),
            (r"SELECT '\'; COMMIT; SELECT ''", "COMMIT"),
            ("SELECT a[1; COMMIT]", "COMMIT"),
            ("START TRANSACTION", "START"),
            ("ABORT", "ABORT"),
            ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; COMMIT", "COMMIT"),
        ] {
            assert_eq!(super::forbidden(sql, Backend::Postgres), Some(keyword), "{sql}");
        }
    }

    #[test]
    fn ordinary_scripts_pass() {
        for sql in [
            "",
            "CREATE TABLE a (x); INSERT INTO a VALUES ('COMMIT; ROLLBACK');",
            "-- COMMIT;\n/* ; ROLLBACK */ CREATE TABLE \"a;COMMIT\" ([b;END] TEXT);",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN
                 UPDATE a SET x = CASE WHEN 1 THEN 2 ELSE 3 END;
                 SELECT RAISE(ABORT, 'no; END;');
             END;
             CREATE TABLE b (x);",
            "CREATE TEMP TRIGGER IF NOT EXISTS t DELETE ON a BEGIN DELETE FROM a; END",
            "SELECT 'it''s; COMMIT'; SELECT 1",
        ] {
            assert_eq!(forbidden(sql), None, "{sql}");
        }
    }

    #[test]
    fn whatever_leaves_the_transaction_is_found() {
        for (sql, keyword) in [
            ("commit", "COMMIT"),
            ("CREATE TABLE a (x); /* */ Rollback;", "ROLLBACK"),
            (";;-- x\n begin;", "BEGIN"),
            ("SELECT ''';'; END", "END"),
            ("PRAGMA foreign_keys = off", "PRAGMA"),
            ("CREATE TRIGGER t DELETE ON a BEGIN DELETE FROM a; END; COMMIT;", "COMMIT"),
            ("CREATE TABLE trigger_log (x); COMMIT;", "COMMIT"),
            ("CREATE TABLE end_ (x); VACUUM", "VACUUM"),
        ] {
            assert_eq!(forbidden(sql), Some(keyword), "{sql}");
        }
    }
}
