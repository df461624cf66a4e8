use super::SopsError;
use super::node::Node;

/// What sops says of a file in it.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The data key, encrypted to each age recipient.
    pub(super) age: Vec<String>,
    /// The MAC, encrypted like a value, and what it is bound to.
    pub(super) mac: String,
    pub(super) lastmodified: String,
    /// Whether values in clear are not part of the MAC.
    pub(super) mac_only_encrypted: bool,
}

impl Metadata {
    pub(super) fn of(node: &Node, age: Vec<String>) -> Result<Self, SopsError> {
        let text = |key| node.text(key).map(ToOwned::to_owned).ok_or(SopsError::NotSops(key));
        Ok(Self {
            mac: text("mac")?,
            lastmodified: text("lastmodified")?,
            mac_only_encrypted: node
                .text("mac_only_encrypted")
                .is_some_and(|text| text.eq_ignore_ascii_case("true")),
            age,
        })
    }
}

/// Takes the member `sops` out of each document. All of them hold the same; the first counts.
pub(super) fn split(documents: Vec<Node>) -> Result<(Vec<Node>, Metadata), SopsError> {
    let mut metadata = None;
    let mut rest = Vec::new();
    for document in documents {
        let Node::Map(entries) = document else {
            return Err(SopsError::Syntax("a document is no mapping".to_owned()));
        };
        let (own, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(key, _)| key == "sops");
        if let (None, Some((_, own))) = (&metadata, own.into_iter().next()) {
            if !own.items("key_groups").is_empty() {
                return Err(SopsError::KeyGroups);
            }
            let enc = |item: &Node| item.text("enc").map(ToOwned::to_owned);
            let age = own.items("age").iter().filter_map(enc).collect();
            metadata = Some(Metadata::of(&own, age)?);
        }
        rest.push(Node::Map(entries));
    }
    Ok((rest, metadata.ok_or(SopsError::NotSops("sops"))?))
}
