use super::SopsError;
use super::metadata::Metadata;
use super::node::{Leaf, Node, add};

/// What the names of metadata begin with.
const PREFIX: &str = "sops_";

/// A dotenv file: its lines, and what sops says of itself in those that begin with `sops_`.
pub(super) fn read(text: &str) -> Result<(Vec<Node>, Metadata), SopsError> {
    let (mut entries, mut own) = (Vec::new(), Vec::new());
    for (number, line) in text.split('\n').enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| SopsError::Syntax(format!("line {} is not `NAME=value`", number + 1)))?;
        let leaf = Node::Leaf(Leaf::of(value.replace("\\n", "\n")));
        match name.strip_prefix(PREFIX) {
            Some(name) => add(&mut own, name.to_owned(), leaf)?,
            None => add(&mut entries, name.to_owned(), leaf)?,
        }
    }
    if own.iter().any(|(name, _)| name.starts_with("key_groups__")) {
        return Err(SopsError::KeyGroups);
    }
    let is_age = |name: &str| name.starts_with("age__list_") && name.ends_with("__map_enc");
    let age = own.iter().filter_map(|(name, node)| match node {
        Node::Leaf(leaf) if is_age(name) => Some(leaf.text().to_owned()),
        _ => None,
    });
    let age = age.collect();
    let metadata = Metadata::of(&Node::Map(own), age)?;
    Ok((vec![Node::Map(entries)], metadata))
}
