//! Names of tools and ids of calls as this wire takes them: letters, digits, `_` and `-`.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::dialect::Source;

/// What the name of a text tool ends with upstream, where it is a function with one string.
const TEXT: &str = "__text";

/// The one argument of such a function.
pub(super) const TEXT_ARGUMENT: &str = "input";

/// Whether the tool that is called `sent` upstream is a text tool of the caller.
pub(super) fn is_text_tool(sent: &str, source: &Source) -> bool {
    sent.ends_with(TEXT) && source.tool_names.contains_key(sent)
}

/// The names of one request, both ways.
#[derive(Debug)]
pub(super) struct Names {
    limit: usize,
    /// By the caller's name, and whether it is a text tool.
    sent: HashMap<(String, bool), String>,
    used: HashSet<String>,
    changed: BTreeMap<String, String>,
    /// How many names were made of the same letters.
    counts: HashMap<String, usize>,
}

impl Names {
    /// Names of at most `limit` bytes. The ones in `own` that can be sent as they are stay so.
    pub(super) fn new<'a>(limit: usize, own: impl Iterator<Item = &'a str>) -> Self {
        let used = own.filter(|name| fits(name, limit)).map(str::to_owned).collect();
        Self { limit, sent: HashMap::new(), used, changed: BTreeMap::new(), counts: HashMap::new() }
    }

    /// What a tool is called upstream.
    pub(super) fn sent(&mut self, name: &str, text: bool) -> String {
        let key = (name.to_owned(), text);
        if let Some(sent) = self.sent.get(&key) {
            return sent.clone();
        }
        let sent = if !text && fits(name, self.limit) {
            name.to_owned()
        } else {
            let sent = self.changed_name(name, text);
            self.changed.insert(sent.clone(), name.to_owned());
            sent
        };
        self.used.insert(sent.clone());
        self.sent.insert(key, sent.clone());
        sent
    }

    /// The names that were changed: as sent, and as the caller has them.
    pub(super) fn into_changed(self) -> BTreeMap<String, String> {
        self.changed
    }

    fn changed_name(&mut self, name: &str, text: bool) -> String {
        let ending = if text { TEXT } else { "" };
        let mut base = allowed(name);
        if base.is_empty() {
            base.push_str("tool");
        }
        let start = self.counts.get(&base).map_or(1, |count| count + 1);
        for count in start.. {
            let number = if count == 1 { String::new() } else { format!("_{count}") };
            let mut sent = base.clone();
            sent.truncate(self.limit.saturating_sub(number.len() + ending.len()));
            sent.push_str(&number);
            sent.push_str(ending);
            // Only a text tool may look like one.
            if !self.used.contains(&sent) && (text || !sent.ends_with(TEXT)) {
                self.counts.insert(base, count);
                return sent;
            }
        }
        base
    }
}

/// The ids of the calls of one request as they are sent.
#[derive(Debug, Default)]
pub(super) struct Ids {
    used: HashSet<String>,
    /// How many ids were made of the same letters.
    counts: HashMap<String, usize>,
}

impl Ids {
    /// An id for a call that no call before it has.
    pub(super) fn sent(&mut self, id: &str) -> String {
        let mut base = allowed(id);
        if base.is_empty() {
            base.push_str("call");
        }
        let mut sent = base.clone();
        let count = self.counts.entry(base.clone()).or_insert(1);
        while !self.used.insert(sent.clone()) {
            *count += 1;
            sent = format!("{base}_{count}");
        }
        sent
    }
}

fn fits(name: &str, limit: usize) -> bool {
    !name.is_empty() && name.len() <= limit && name.bytes().all(is_allowed)
}

fn allowed(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii() && is_allowed(c as u8) { c } else { '_' }).collect()
}

const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::dialect::UsageMode;

    #[test]
    fn a_name_that_fits_stays() {
        let mut names = Names::new(64, ["get_weather"].into_iter());
        assert_eq!(names.sent("get_weather", false), "get_weather");
        assert!(names.into_changed().is_empty());
    }

    #[test]
    fn a_changed_name_never_takes_the_place_of_another() {
        let mut names = Names::new(64, ["a.b", "a_b"].into_iter());
        assert_eq!(names.sent("a.b", false), "a_b_2");
        assert_eq!(names.sent("a_b", false), "a_b");
        assert_eq!(names.sent("a:b", false), "a_b_3");
    }

    #[test]
    fn the_same_id_in_two_turns_becomes_two() {
        let mut ids = Ids::default();
        assert_eq!(ids.sent("functions.f:0"), "functions_f_0");
        assert_eq!(ids.sent("functions.f:0"), "functions_f_0_2");
        assert_eq!(ids.sent(""), "call");
    }

    proptest! {
        #[test]
        fn every_name_comes_back(own in proptest::collection::vec(("[a-c_.é]{0,5}(__text)?", any::<bool>()), 0..12)) {
            let mut names = Names::new(10, own.iter().filter(|(_, text)| !text).map(|(name, _)| name.as_str()));
            let sent: Vec<String> = own.iter().map(|(name, text)| names.sent(name, *text)).collect();
            let source = Source {
                provider: "p".into(),
                usage_mode: UsageMode::Native,
                tool_names: Arc::new(names.into_changed()),
            };
            for ((name, text), sent) in own.iter().zip(&sent) {
                prop_assert!(fits(sent, 10), "{}", sent);
                prop_assert_eq!(&source.tool_name(sent), name);
                prop_assert_eq!(is_text_tool(sent, &source), *text);
            }
        }
    }
}
