//! Patterns over names: `*` is any run of characters, `?` any one.

/// The pattern with each run of `*` as one.
#[must_use]
pub fn collapsed(pattern: &str) -> String {
    let mut collapsed = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        if c != '*' || !collapsed.ends_with('*') {
            collapsed.push(c);
        }
    }
    collapsed
}

/// Whether `pattern` matches `name`. Takes at most the product of both lengths.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    wild(pattern.as_bytes(), name.as_bytes(), |_| true)
}

/// Whether `pattern` matches every name that the pattern `other` matches. May say no although it is so,
/// never the reverse: a wildcard of `other` counts as a character that only a `*`, or a `?` for a `?`,
/// matches.
#[must_use]
pub fn covers(pattern: &str, other: &str) -> bool {
    wild(pattern.as_bytes(), other.as_bytes(), |byte| byte != b'*')
}

/// Matches with one point of return: the last `*`. `one` says which bytes a `?` matches.
fn wild(pattern: &[u8], text: &[u8], one: impl Fn(u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') if one(byte) => (p, t) = (p + 1, t + 1),
            Some(&literal) if literal != b'?' && literal == byte => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}
