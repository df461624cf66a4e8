use std::collections::BTreeMap;

use systemprompt_core::call::ToolRef;

/// Two tools that a model, or a person, would take for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The one that was listed first.
    pub first: ToolRef,
    /// The one that could be taken for it.
    pub second: ToolRef,
}

/// The tools whose own names differ in nothing but case and separators from that of a tool listed before, of
/// another server or of the same.
#[must_use]
pub fn clashes<'t>(tools: impl IntoIterator<Item = &'t ToolRef>) -> Vec<Clash> {
    let mut seen: BTreeMap<String, &ToolRef> = BTreeMap::new();
    let mut clashes = Vec::new();
    for tool in tools {
        let name = skeleton(tool.name().as_str());
        match seen.get(&name) {
            Some(first) => {
                clashes.push(Clash { first: (*first).clone(), second: tool.clone() });
            }
            None => {
                seen.insert(name, tool);
            }
        }
    }
    clashes
}

/// What is left of a name for somebody who reads quickly. Names are ASCII, so that look-alikes of other
/// scripts do not come this far.
fn skeleton(name: &str) -> String {
    let alike = |byte: u8| match byte.to_ascii_lowercase() {
        b'0' => 'o',
        b'1' | b'i' => 'l',
        other => char::from(other),
    };
    name.bytes().filter(u8::is_ascii_alphanumeric).map(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_read_alike_clash_across_servers() {
        let tool = |server, name| ToolRef::parse(Some(server), name).unwrap();
        let tools = [
            tool("git", "send_email"),
            tool("mail", "send_email"),
            tool("evil", "Send-Emai1"),
            tool("mail", "send_mail"),
        ];
        let found = clashes(&tools);
        let seconds: Vec<_> = found.iter().map(|clash| clash.second.qualified()).collect();
        assert_eq!(seconds, ["mcp__mail__send_email", "mcp__evil__Send-Emai1"]);
        assert!(found.iter().all(|clash| clash.first == tools[0]));
    }
}
