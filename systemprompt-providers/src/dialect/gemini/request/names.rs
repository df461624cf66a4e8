use std::collections::{BTreeMap, BTreeSet};

use systemprompt_core::llm::{BlockKind, ModelError, ModelRequest, ToolKind};

use super::super::TEXT_TOOL_SUFFIX;
use super::field::Fields;

/// The most characters of a name that every model of the wire takes.
const NAME_LIMIT: usize = 64;

/// The names of tools as they are sent. A name that the wire does not take is changed, no two to the same one,
/// so that answers can be given the caller's names back.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By the caller's names.
    sent: BTreeMap<String, String>,
}

impl Names {
    /// The names of all tools that `request` offers or its history tells of.
    pub(super) fn of(request: &ModelRequest, fields: &Fields) -> Result<Self, ModelError> {
        let mut texts = BTreeSet::new();
        let mut named = BTreeSet::new();
        for (at, tool) in request.tools.iter().enumerate() {
            if tool.name.is_empty() {
                return Err(ModelError::invalid(fields.tool_name(at), "a tool needs a name"));
            }
            if !named.insert(tool.name.as_str()) {
                let message = format!("two tools are named `{}`", tool.name);
                return Err(ModelError::invalid(fields.tool_name(at), message));
            }
            if matches!(tool.kind, ToolKind::Text { .. }) {
                texts.insert(tool.name.as_str());
            }
        }
        for block in request.messages.iter().flat_map(|message| &message.content) {
            if let BlockKind::ToolUse { name, .. } = &block.kind {
                named.insert(name);
            }
        }
        let mut names = Self::default();
        let mut taken = Taken::default();
        // Names that can stay come first: no other is changed to one of them.
        let (stay, change): (Vec<&str>, Vec<&str>) =
            named.into_iter().partition(|name| is_taken_as_is(name) && !texts.contains(name));
        for name in stay {
            taken.names.insert(name.to_owned());
            names.sent.insert(name.to_owned(), name.to_owned());
        }
        for name in change {
            let ending = if texts.contains(name) { TEXT_TOOL_SUFFIX } else { "" };
            let sent = taken.free(name, ending);
            names.sent.insert(name.to_owned(), sent);
        }
        Ok(names)
    }

    /// The name of `name` as it is sent.
    pub(super) fn sent(&self, name: &str) -> String {
        self.sent.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }

    /// The names that were changed: as sent, and as the caller has them.
    pub(super) fn into_changed(self) -> BTreeMap<String, String> {
        self.sent
            .into_iter()
            .filter(|(own, sent)| own != sent)
            .map(|(own, sent)| (sent, own))
            .collect()
    }
}

fn is_taken_as_is(name: &str) -> bool {
    name.len() <= NAME_LIMIT && begins_well(name) && name.chars().all(is_allowed)
}

fn begins_well(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

const fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | ':')
}

/// The names that are taken.
#[derive(Debug, Default)]
struct Taken {
    names: BTreeSet<String>,
    /// How often a changed name came up, for many may be alike.
    counts: BTreeMap<String, usize>,
}

impl Taken {
    /// Takes a name for `name` that the wire takes, that ends in `ending`, and that was free.
    fn free(&mut self, name: &str, ending: &str) -> String {
        let mut base = String::new();
        if !begins_well(name) {
            base.push('_');
        }
        base.extend(name.chars().map(|c| if is_allowed(c) { c } else { '_' }).take(NAME_LIMIT));
        let count = self.counts.entry(format!("{base}{ending}")).or_default();
        loop {
            *count = count.saturating_add(1);
            let sent = numbered(&base, *count, ending);
            if self.names.insert(sent.clone()) {
                return sent;
            }
        }
    }
}

/// `base` with a number after it, from the second on, cut to what a name may have.
fn numbered(base: &str, nth: usize, ending: &str) -> String {
    let number = if nth == 1 { String::new() } else { format!("_{nth}") };
    let room = NAME_LIMIT.saturating_sub(number.len() + ending.len() + 1);
    let mut sent: String = base.chars().take(room).collect();
    sent.push_str(&number);
    // The ending of text tools is theirs alone.
    if ending.is_empty() && sent.ends_with(TEXT_TOOL_SUFFIX) {
        sent.push('_');
    }
    sent.push_str(ending);
    sent
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use systemprompt_core::llm::{Dialect, Tool};

    fn tool(name: &str, text: bool) -> Tool {
        let kind = if text {
            ToolKind::Text { format: None }
        } else {
            ToolKind::Function { schema: serde_json::json!({}), strict: None }
        };
        Tool { kind, name: name.to_owned(), description: None, cache: None }
    }

    fn names(tools: Vec<Tool>) -> Result<Names, ModelError> {
        let mut request = ModelRequest::new(Dialect::Anthropic, "m");
        request.tools = tools;
        Names::of(&request, &Fields::of(&request))
    }

    #[test]
    fn names_that_are_taken_stay() {
        let names = names(vec![tool("mcp__a.b:c-d", false), tool("_x", false)]).unwrap();
        assert_eq!(names.sent("mcp__a.b:c-d"), "mcp__a.b:c-d");
        assert!(names.into_changed().is_empty());
    }

    #[test]
    fn names_that_are_not_are_changed_and_told_apart() {
        let names = names(vec![tool("1a", false), tool("_1a", false), tool("ä/b", false)]).unwrap();
        assert_eq!(names.sent("_1a"), "_1a");
        assert_eq!(names.sent("1a"), "_1a_2");
        let changed = names.into_changed();
        assert_eq!(changed["_1a_2"], "1a");
        assert_eq!(changed["___b"], "ä/b");
    }

    #[test]
    fn two_tools_of_one_name_are_refused() {
        let error = names(vec![tool("a", false), tool("a", true)]).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("tools.1.name"));
        let error = names(vec![tool("", false)]).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("tools.0.name"));
    }

    proptest! {
        #[test]
        fn every_name_is_taken_and_comes_back(
            own in proptest::collection::btree_map("[a-z0-9_é/.]{1,70}|a{60,90}|x__text|1__text", any::<bool>(), 1..12),
        ) {
            let names = names(own.iter().map(|(name, text)| tool(name, *text)).collect()).unwrap();
            let sent: Vec<String> = own.keys().map(|name| names.sent(name)).collect();
            let changed = names.into_changed();
            let distinct: BTreeSet<&String> = sent.iter().collect();
            prop_assert_eq!(distinct.len(), own.len());
            for ((own, text), sent) in own.iter().zip(&sent) {
                prop_assert!(is_taken_as_is(sent), "{}", sent);
                prop_assert_eq!(changed.get(sent).unwrap_or(sent), own);
                let is_text = changed.contains_key(sent) && sent.ends_with(TEXT_TOOL_SUFFIX);
                prop_assert_eq!(is_text, *text);
            }
        }
    }
}
