//! Names of tools and ids of calls in the form that OpenAI takes.

use std::collections::{BTreeMap, HashMap, HashSet};

use systemprompt_core::llm::{BlockKind, Message, ModelRequest, ToolChoice};

/// The most characters of a tool's name (`^[A-Za-z0-9_-]{1,64}$`).
const NAME: usize = 64;
/// The most characters of a call's id.
const ID: usize = 40;

/// The names of the tools of one request, as they are sent. A name that is taken as it stands is kept; any
/// other gets one that is made from it alone, so that it is the same in every request of a conversation.
pub(super) struct ToolNames {
    sent: HashMap<String, String>,
}

impl ToolNames {
    /// The names of the tools, calls and choices of `request`.
    pub(super) fn of(request: &ModelRequest) -> Self {
        let (mut sent, mut taken) = (HashMap::new(), HashSet::new());
        let (fit, unfit): (Vec<&str>, Vec<&str>) = names(request).partition(|name| fits(name));
        for name in fit {
            taken.insert(name.to_owned());
        }
        for name in unfit {
            if !sent.contains_key(name) {
                let made = unique(&mut taken, |salt| fitted(name, salt));
                sent.insert(name.to_owned(), made);
            }
        }
        Self { sent }
    }

    /// The name as it is sent.
    pub(super) fn sent<'a>(&'a self, name: &'a str) -> &'a str {
        self.sent.get(name).map_or(name, String::as_str)
    }

    /// The names that were changed: as sent, and as the caller named them.
    pub(super) fn into_changed(self) -> BTreeMap<String, String> {
        self.sent.into_iter().map(|(name, sent)| (sent, name)).collect()
    }
}

/// The ids of the calls of one request, as they are sent.
#[derive(Default)]
pub(super) struct CallIds {
    sent: HashMap<String, String>,
    taken: HashSet<String>,
}

impl CallIds {
    /// The ids of the calls of `request`; those that can stay are known first, so that none made here
    /// meets one of them.
    pub(super) fn of(request: &ModelRequest) -> Self {
        let mut ids = Self::default();
        for id in calls(&request.messages).filter(|id| id_fits(id)) {
            ids.taken.insert(id.to_owned());
        }
        ids
    }

    /// The id as it is sent: the same for a call and its result.
    pub(super) fn sent(&mut self, id: &str) -> String {
        if id_fits(id) {
            return id.to_owned();
        }
        if let Some(sent) = self.sent.get(id) {
            return sent.clone();
        }
        let made = unique(&mut self.taken, |salt| format!("call_{:032x}", hash(id, salt)));
        self.sent.insert(id.to_owned(), made.clone());
        made
    }
}

fn names(request: &ModelRequest) -> impl Iterator<Item = &str> {
    let chosen: &[String] = match &request.tool_choice {
        Some(ToolChoice::Named(name)) => std::slice::from_ref(name),
        Some(ToolChoice::Among { names, .. }) => names,
        _ => &[],
    };
    let used = blocks(&request.messages).filter_map(|kind| match kind {
        BlockKind::ToolUse { name, .. } => Some(name.as_str()),
        _ => None,
    });
    request
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .chain(chosen.iter().map(String::as_str))
        .chain(used)
}

fn calls(messages: &[Message]) -> impl Iterator<Item = &str> {
    blocks(messages).filter_map(|kind| match kind {
        BlockKind::ToolUse { id, .. } => Some(id.as_str()),
        BlockKind::ToolResult { tool_use_id, .. } => Some(tool_use_id.as_str()),
        _ => None,
    })
}

fn blocks(messages: &[Message]) -> impl Iterator<Item = &BlockKind> {
    messages.iter().flat_map(|message| &message.content).map(|block| &block.kind)
}

fn unique(taken: &mut HashSet<String>, make: impl Fn(u64) -> String) -> String {
    let mut salt = 0;
    loop {
        let made = make(salt);
        if taken.insert(made.clone()) {
            return made;
        }
        salt += 1;
    }
}

fn fits(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && name.bytes().all(is_name_byte)
}

fn id_fits(id: &str) -> bool {
    (1..=ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The name with other characters as `_`, cut, and with eight digits that tell it from its neighbours.
fn fitted(name: &str, salt: u64) -> String {
    let kept: String = name
        .chars()
        .take(NAME - 9)
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    // The upper half: the lower bits of this hash depend on the lower bits of the text alone.
    format!("{kept}_{:08x}", (hash(name, salt) >> 64) as u32)
}

/// FNV-1a of 128 bits: not to keep secrets, only to be the same everywhere.
pub(super) fn hash(text: &str, salt: u64) -> u128 {
    const PRIME: u128 = (1 << 88) + 0x13b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let bytes = text.bytes().chain(salt.to_le_bytes().into_iter().take(usize::from(salt > 0) * 8));
    bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use systemprompt_core::llm::{Block, Dialect, Role, Tool, ToolInput, ToolKind};

    fn tool(name: &str) -> Tool {
        Tool {
            kind: ToolKind::Text { format: None },
            name: name.to_owned(),
            description: None,
            cache: None,
        }
    }

    #[test]
    fn names_that_fit_stay_and_others_come_back() {
        let long = "x".repeat(100);
        let mut request = ModelRequest::new(Dialect::Anthropic, "m");
        request.tools =
            ["read", "mcp:files.read", "mcp:files/read", "größe", &long].map(tool).into();
        let names = ToolNames::of(&request);
        let sent: Vec<String> =
            request.tools.iter().map(|tool| names.sent(&tool.name).to_owned()).collect();
        assert_eq!(sent[0], "read");
        assert!(sent.iter().all(|name| fits(name)), "{sent:?}");
        assert_eq!(sent.iter().collect::<HashSet<_>>().len(), 5);
        let changed = names.into_changed();
        for (tool, sent) in request.tools.iter().zip(&sent).skip(1) {
            assert_eq!(changed[sent], tool.name);
        }
        assert_eq!(changed.len(), 4);
    }

    #[test]
    fn a_made_name_never_meets_a_real_one() {
        let made = fitted("a b", 0);
        let mut request = ModelRequest::new(Dialect::Anthropic, "m");
        request.tools = [made.as_str(), "a b"].map(tool).into();
        let names = ToolNames::of(&request);
        assert_eq!(names.sent(&made), made);
        assert_ne!(names.sent("a b"), made);
    }

    #[test]
    fn ids_fit_and_stay_the_same() {
        let long = format!("toolu_{}", "9".repeat(60));
        let call = Block::new(BlockKind::ToolUse {
            id: long.clone(),
            name: "f".into(),
            input: ToolInput::Json("{}".into()),
            state: None,
        });
        let mut request = ModelRequest::new(Dialect::Anthropic, "m");
        request.messages = vec![Message { role: Role::Assistant, content: vec![call] }];
        let mut ids = CallIds::of(&request);
        let sent = ids.sent(&long);
        assert!(id_fits(&sent), "{sent}");
        assert_eq!(ids.sent(&long), sent);
        assert_eq!(ids.sent("call_1"), "call_1");
        assert_ne!(ids.sent(""), "");
    }
}
