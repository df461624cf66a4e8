//! What credentials look like: `shapes.txt`, read.

/// One credential of one vendor.
pub(crate) struct Shape {
    /// Whether its form gives it away; otherwise only its name does.
    pub(crate) by_form: bool,
    pub(crate) vendor: &'static str,
    /// What people call it.
    pub(crate) names: Vec<&'static str>,
    pub(crate) template: &'static str,
}

impl Shape {
    /// What its values are made of.
    pub(crate) fn class(&self) -> &'static str {
        let hole = self.template.split_once('{').map_or("", |(_, tail)| tail);
        match (self.by_form, hole.get(..1).unwrap_or_default()) {
            (true, _) => "by form",
            (_, "u") if hole.starts_with("uuid") => "uuid",
            (_, "p") if hole.starts_with("pw") => "chosen password",
            (_, "p") => "made password",
            (_, "h" | "H") => "hex",
            (_, "b") => "base64",
            (_, "w") => "base64url",
            (_, "L") => "letters",
            (_, "l" | "u") => "one case and digits",
            (_, "d") => "digits",
            _ => "letters and digits",
        }
    }
}

pub(crate) fn shapes() -> Vec<Shape> {
    include_str!("shapes.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut parts = line.splitn(4, ' ');
            let mut part = || parts.next().unwrap_or_else(|| panic!("too short: {line}"));
            let by_form = match part() {
                "form" => true,
                "name" => false,
                other => panic!("no kind `{other}`"),
            };
            Shape { by_form, vendor: part(), names: part().split(',').collect(), template: part() }
        })
        .collect()
}
