use super::{MAX_DEPTH, SopsError};

/// A part of a file, in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Leaf(Leaf),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A scalar, as the text that the MAC is over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf(String);

impl Leaf {
    /// A text as it is.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What sops makes of a truth value.
    pub(super) fn truth(truth: bool) -> Self {
        Self(if truth { "True" } else { "False" }.to_owned())
    }

    /// What sops makes of a number with a fraction or an exponent: the shortest digits that mean it, without
    /// an exponent, as they are written here, too.
    pub(super) fn number(number: f64) -> Self {
        Self(number.to_string())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl Node {
    /// The value at a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, it)| it),
            _ => None,
        }
    }

    /// The text at a key of a map.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Leaf(leaf) => Some(leaf.text()),
            _ => None,
        }
    }

    /// The items at a key of a map.
    pub(super) fn items(&self, key: &str) -> &[Node] {
        match self.get(key) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }
}

/// Adds an entry to a map; a second one of the name would mean another thing to another reader.
pub(super) fn add(
    entries: &mut Vec<(String, Node)>,
    key: String,
    node: Node,
) -> Result<(), SopsError> {
    if entries.iter().any(|(name, _)| *name == key) {
        return Err(SopsError::Syntax(format!("the key `{}` is there twice", shown(&key))));
    }
    entries.push((key, node));
    Ok(())
}

/// As much of a key as an error repeats.
fn shown(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Refuses what is nested too deep.
pub(super) fn check_depth(depth: usize) -> Result<(), SopsError> {
    match depth {
        0..=MAX_DEPTH => Ok(()),
        _ => Err(SopsError::Syntax(format!("it is nested deeper than {MAX_DEPTH} levels"))),
    }
}
