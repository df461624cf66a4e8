//! Finds statements that would take a script out of the installer's transaction.

/// What no script may do: end or nest the transaction, or what cannot run inside one.
const FORBIDDEN: [&str; 10] = [
    "ATTACH",
    "BEGIN",
    "COMMIT",
    "DETACH",
    "END",
    "PRAGMA",
    "RELEASE",
    "ROLLBACK",
    "SAVEPOINT",
    "VACUUM",
];

/// The first forbidden statement of `sql`, by its keyword.
pub(super) fn forbidden(sql: &str) -> Option<&'static str> {
    let mut statement = Statement::default();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = token(rest, first);
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

/// As much of a statement as tells where it ends: a trigger has statements inside and ends with
/// `; END ;`.
#[derive(Default)]
struct Statement {
    words: usize,
    creates: bool,
    trigger: bool,
    after_semicolon: bool,
    ended: bool,
}

impl Statement {
    fn word(&mut self, word: &str) {
        match (self.words, word) {
            (0, "CREATE") => self.creates = true,
            (1, "TEMP" | "TEMPORARY") if self.creates => return,
            (1, "TRIGGER") if self.creates => self.trigger = true,
            _ => {}
        }
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

/// The length in bytes of the token that `rest` begins with.
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
    use super::forbidden;

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
