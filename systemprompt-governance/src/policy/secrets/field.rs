/// A pattern over the JSON paths of findings; it covers what it names and what lies below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldPattern(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(Box<str>),
    AnyKey,
    Index(usize),
    AnyIndex,
    /// A key that findings do not show, by its position.
    Hidden,
}

impl FieldPattern {
    /// Parses a path; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let steps = steps(text)?;
        (!steps.is_empty() && !steps.contains(&Step::Hidden)).then_some(Self(steps))
    }

    /// Whether the path of a finding is this one, or lies below it.
    pub(super) fn covers(&self, location: &str) -> bool {
        let Some(found) = steps(location) else { return false };
        found.len() >= self.0.len()
            && self.0.iter().zip(&found).all(|(pattern, step)| match (pattern, step) {
                (Step::AnyKey, Step::Key(_) | Step::Hidden) | (Step::AnyIndex, Step::Index(_)) => {
                    true
                }
                (one, other) => one == other,
            })
    }
}

/// The steps of a path as findings are located by: `$`, `.key`, `["key"]`, `[3]`, `[key:3]`; in patterns
/// `.*` and `[*]` too.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = match rest.strip_prefix('.') {
            Some(rest) => name(rest)?,
            None => bracket(rest.strip_prefix('[')?)?,
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

fn name(rest: &str) -> Option<(Step, &str)> {
    if let Some(rest) = rest.strip_prefix('*') {
        return Some((Step::AnyKey, rest));
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at_checked(end)?;
    (!name.is_empty()).then(|| (Step::Key(name.into()), rest))
}

fn bracket(rest: &str) -> Option<(Step, &str)> {
    if rest.starts_with('"') {
        let mut text = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let key = text.next()?.ok()?;
        let rest = rest.get(text.byte_offset()..)?.strip_prefix(']')?;
        return Some((Step::Key(key.into()), rest));
    }
    let (inside, rest) = rest.split_once(']')?;
    let step = match inside.strip_prefix("key:") {
        Some(position) => position.parse::<usize>().ok().map(|_| Step::Hidden)?,
        None if inside == "*" => Step::AnyIndex,
        None => Step::Index(inside.parse().ok()?),
    };
    Some((step, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, location: &str) -> bool {
        FieldPattern::parse(pattern).unwrap().covers(location)
    }

    #[test]
    fn a_path_covers_itself_and_what_lies_below() {
        assert!(covers("$.headers", "$.headers") && covers("$.headers", "$.headers.a[3]"));
        assert!(covers("$.items[*].token", "$.items[12].token"));
        assert!(covers("$.*.token", "$[\"a b\"].token") && covers("$.env.*", "$.env[key:2]"));
        assert!(covers("$[\"a.b\"]", "$[\"a.b\"]") && covers("$[\"a\"]", "$.a"));
    }

    #[test]
    fn nothing_else_is_covered() {
        for (pattern, location) in [
            ("$.headers", "$.header"),
            ("$.headers", "$"),
            ("$.a.b", "$[\"a.b\"]"),
            ("$[0]", "$[\"0\"]"),
            ("$[*]", "$.a"),
            ("$.*", "$[0]"),
            ("$.items[1]", "$.items[10]"),
        ] {
            assert!(!covers(pattern, location), "{pattern} {location}");
        }
    }

    #[test]
    fn what_is_no_path_is_none() {
        for text in ["", "$", "a", "$a", "$.", "$[", "$[a]", "$[\"a]", "$[key:1]", "$..a", "$.a."] {
            assert!(FieldPattern::parse(text).is_none(), "{text}");
        }
    }
}
