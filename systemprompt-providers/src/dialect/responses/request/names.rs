use std::collections::{BTreeMap, HashMap, HashSet};

use systemprompt_core::llm::{BlockKind, ModelRequest, ToolChoice, ToolKind};

/// The most characters of a tool's name and of the id of a call.
const LONGEST: usize = 64;

/// What tools and calls are called on the wire, where that is not what the caller calls them.
#[derive(Debug, Default)]
pub(super) struct Names {
    tools: HashMap<String, String>,
    calls: HashMap<String, String>,
}

impl Names {
    /// Finds what must be renamed in `request`. The same request gives the same names, for the sake of the
    /// provider's cache.
    pub(super) fn of(request: &ModelRequest) -> Self {
        let (tools, calls) = all(request);
        Self {
            tools: renamed(&tools, tool_fits, "tool"),
            calls: renamed(&calls, call_fits, "call"),
        }
    }

    /// What a tool is sent as.
    pub(super) fn tool<'a>(&'a self, own: &'a str) -> &'a str {
        self.tools.get(own).map_or(own, String::as_str)
    }

    /// What a call is sent as.
    pub(super) fn call<'a>(&'a self, own: &'a str) -> &'a str {
        self.calls.get(own).map_or(own, String::as_str)
    }

    /// The tools that were renamed: as sent, and as the caller named them.
    pub(super) fn into_sent(self) -> BTreeMap<String, String> {
        self.tools.into_iter().map(|(own, sent)| (sent, own)).collect()
    }
}

/// The names of tools, and the ids of calls.
fn all(request: &ModelRequest) -> (Vec<&str>, Vec<&str>) {
    let mut tools = Vec::new();
    let mut calls = Vec::new();
    for tool in &request.tools {
        if !matches!(tool.kind, ToolKind::Server { .. }) {
            tools.push(tool.name.as_str());
        }
    }
    for block in request.messages.iter().flat_map(|message| &message.content) {
        match &block.kind {
            BlockKind::ToolUse { id, name, .. } => {
                tools.push(name);
                calls.push(id.as_str());
            }
            BlockKind::ToolResult { tool_use_id, .. } => calls.push(tool_use_id),
            _ => {}
        }
    }
    let server = |name: &str| {
        request
            .tools
            .iter()
            .any(|tool| tool.name == name && matches!(tool.kind, ToolKind::Server { .. }))
    };
    match &request.tool_choice {
        Some(ToolChoice::Named(name)) if !server(name) => tools.push(name),
        Some(ToolChoice::Among { names, .. }) => {
            tools.extend(names.iter().map(String::as_str).filter(|name| !server(name)));
        }
        _ => {}
    }
    (tools, calls)
}

/// `^[A-Za-z0-9_-]{1,64}$`.
fn tool_fits(name: &str) -> bool {
    call_fits(name) && name.bytes().all(of_a_name)
}

fn call_fits(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST
}

const fn of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// New names for those that do not fit, none of which is the name of another.
fn renamed(names: &[&str], fits: fn(&str) -> bool, fallback: &str) -> HashMap<String, String> {
    let mut taken: HashSet<String> =
        names.iter().filter(|name| fits(name)).map(|name| (*name).to_owned()).collect();
    let mut renamed = HashMap::new();
    for name in names.iter().filter(|name| !fits(name)) {
        if renamed.contains_key(*name) {
            continue;
        }
        let plain: String = name
            .chars()
            .map(|char| {
                u8::try_from(char).ok().filter(|byte| of_a_name(*byte)).map_or('_', char::from)
            })
            .collect();
        let plain = if plain.is_empty() { fallback.to_owned() } else { plain };
        // A cut name says by a hash what was cut.
        let mut new = if plain.len() <= LONGEST { plain.clone() } else { hashed(&plain, name, 0) };
        let mut salt = 1;
        while !taken.insert(new.clone()) {
            new = hashed(&plain, name, salt);
            salt += 1;
        }
        renamed.insert((*name).to_owned(), new);
    }
    renamed
}

/// The beginning of `plain` and a hash of `name`. `plain` is ASCII.
fn hashed(plain: &str, name: &str, salt: u64) -> String {
    let hash = fnv(name.as_bytes(), salt);
    let begin: String = plain.chars().take(LONGEST - 17).collect();
    format!("{begin}_{hash:016x}")
}

/// FNV-1a, 64 bits: short, the same everywhere, and no secret depends on it.
fn fnv(bytes: &[u8], salt: u64) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    salt.to_le_bytes().iter().chain(bytes).fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_fit_stay() {
        assert!(renamed(&["a", "b-c_9"], tool_fits, "tool").is_empty());
        assert!(renamed(&["functions.read:0", "toolu_01"], call_fits, "call").is_empty());
    }

    #[test]
    fn a_new_name_is_no_other_tool() {
        let new = renamed(&["fs.read", "fs_read", "fs:read"], tool_fits, "tool");
        let names: HashSet<&str> = new.values().map(String::as_str).chain(["fs_read"]).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|name| tool_fits(name)));
    }

    proptest! {
        #[test]
        fn new_names_fit_and_are_told_apart(names in proptest::collection::hash_set(".{0,80}", 0..8)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let new = renamed(&names, tool_fits, "tool");
            let sent: HashSet<&str> =
                names.iter().map(|name| new.get(*name).map_or(*name, String::as_str)).collect();
            prop_assert_eq!(sent.len(), names.len());
            prop_assert!(sent.iter().all(|name| tool_fits(name)));
        }
    }
}
