/// A model's name without the date or the number of its snapshot: `claude-sonnet-4-5-20250929`,
/// `claude-sonnet-4-5@20250929`, `gpt-4o-2024-08-06`, `gemini-2.5-pro-001`, `qwen-plus-latest`; and without
/// `models/` before it. `None` when there is none of these.
#[must_use]
pub fn undated(model: &str) -> Option<&str> {
    let short = model.strip_prefix("models/").unwrap_or(model);
    let name = without_snapshot(short).unwrap_or(short);
    (!name.is_empty() && name.len() < model.len()).then_some(name)
}

fn without_snapshot(model: &str) -> Option<&str> {
    if let Some(name) = model.strip_suffix("-latest") {
        return Some(name);
    }
    if let Some((name, day)) = model.rsplit_once('@') {
        return is_day(day).then_some(name);
    }
    let (name, last) = model.rsplit_once('-')?;
    if is_day(last) || (last.len() == 3 && last.starts_with('0') && is_digits(last)) {
        return Some(name);
    }
    let (name, month) = name.rsplit_once('-')?;
    let (name, year) = name.rsplit_once('-')?;
    let parted = year.len() == 4 && month.len() == 2 && last.len() == 2;
    (parted && is_day(&format!("{year}{month}{last}"))).then_some(name)
}

/// `YYYYMMDD` of this century.
fn is_day(text: &str) -> bool {
    let part =
        |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    text.len() == 8
        && is_digits(text)
        && text.starts_with("20")
        && part(4..6).is_some_and(|month| (1..=12).contains(&month))
        && part(6..8).is_some_and(|day| (1..=31).contains(&day))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::undated;

    #[test]
    fn snapshots_are_left_out() {
        for (model, name) in [
            ("claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
            ("claude-sonnet-4-5@20250929", Some("claude-sonnet-4-5")),
            ("gpt-4o-2024-08-06", Some("gpt-4o")),
            ("gemini-2.5-pro-001", Some("gemini-2.5-pro")),
            ("models/gemini-2.5-pro", Some("gemini-2.5-pro")),
            ("models/gemini-2.5-pro-001", Some("gemini-2.5-pro")),
            ("qwen-plus-latest", Some("qwen-plus")),
            ("claude-sonnet-4-5", None),
            ("gpt-5", None),
            ("o3", None),
            ("a-20251399", None),
            ("gpt-4-2024-13-06", None),
            ("-latest", None),
            ("", None),
            ("ä-ö-ü-20250929", Some("ä-ö-ü")),
            ("x-2025092é", None),
        ] {
            assert_eq!(undated(model), name, "{model}");
        }
    }
}
