use super::Scalar;

/// What a scalar means where no type is asked for: YAML 1.2 core schema without `.inf` and `.nan`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::config) enum Plain<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    pub(in crate::config) fn resolve(&self) -> Plain<'_> {
        if !self.plain {
            return Plain::Text(&self.text);
        }
        match Plain::of(&self.text) {
            // A variable says what it holds; it does not make a key vanish.
            Plain::Null if self.written.is_some() => Plain::Text(&self.text),
            meaning => meaning,
        }
    }
}

impl<'a> Plain<'a> {
    pub(in crate::config) fn of(text: &'a str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ => number(text).unwrap_or(Self::Text(text)),
        }
    }
}

fn number(text: &str) -> Option<Plain<'static>> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !digits.contains(|c: char| c.is_ascii_digit())
        || !digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    if let Ok(value) = text.parse() {
        return Some(Plain::Unsigned(value));
    }
    if let Ok(value) = text.parse() {
        return Some(Plain::Signed(value));
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Plain::Float)
}

fn radix(digits: &str, radix: u32) -> Option<Plain<'static>> {
    let plain = digits.chars().all(|c| c.is_digit(radix));
    plain.then(|| u64::from_str_radix(digits, radix).ok().map(Plain::Unsigned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::Plain;

    #[test]
    fn follows_the_core_schema() {
        for (text, meaning) in [
            ("", Plain::Null),
            ("~", Plain::Null),
            ("yes", Plain::Text("yes")),
            ("on", Plain::Text("on")),
            ("True", Plain::Bool(true)),
            ("12", Plain::Unsigned(12)),
            ("+12", Plain::Unsigned(12)),
            ("-1", Plain::Signed(-1)),
            ("0x1F", Plain::Unsigned(31)),
            ("0o17", Plain::Unsigned(15)),
            ("0x", Plain::Text("0x")),
            ("0x+1", Plain::Text("0x+1")),
            ("1_000", Plain::Text("1_000")),
            ("1.5e3", Plain::Float(1500.0)),
            (".5", Plain::Float(0.5)),
            ("1e999", Plain::Text("1e999")),
            (".inf", Plain::Text(".inf")),
            ("-", Plain::Text("-")),
            ("127.0.0.1", Plain::Text("127.0.0.1")),
            ("12:30", Plain::Text("12:30")),
            ("inf", Plain::Text("inf")),
        ] {
            assert_eq!(Plain::of(text), meaning, "{text}");
        }
    }
}
