//! How it is known that a grant was made by whoever has the key.

use super::VersionKey;
use crate::store::{GrantFacts, GrantKey};

impl VersionKey {
    /// What shows that the grant covers the version: AES-256-GCM of nothing at all, of which the grant is the
    /// associated data.
    pub(crate) fn tag(&self, version: u32, grant: &GrantFacts<'_>) -> Option<Vec<u8>> {
        self.0.seal(&context(version, grant), b"")
    }

    /// Whether `tag` was made by [`tag`](Self::tag) of the same version and grant.
    pub(crate) fn is_tag(&self, version: u32, grant: &GrantFacts<'_>, tag: &[u8]) -> bool {
        let opened = self.0.open(&context(version, grant), tag.to_vec());
        opened.is_some_and(|nothing| nothing.is_empty())
    }
}

/// Everything that a grant says, each part with its length before it: rows may hold whatever somebody has
/// written there.
fn context(version: u32, grant: &GrantFacts<'_>) -> Vec<u8> {
    let GrantFacts { id, key, created_at, created_by } = *grant;
    let GrantKey { tenant, name, server, sink, target, field } = key;
    let mut context = b"systemprompt-custody-grant-1\0".to_vec();
    context.extend_from_slice(&version.to_be_bytes());
    context.extend_from_slice(&created_at.to_be_bytes());
    context.push(target.is_some().into());
    let target = target.unwrap_or_default();
    for part in [tenant, name, server, sink, target, field, id, created_by] {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        context.extend_from_slice(&length.to_be_bytes());
        context.extend_from_slice(part.as_bytes());
    }
    context
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use systemprompt_core::encryption::{Cipher, data_key};

    use super::super::Of;
    use super::*;

    fn facts(parts: &[String; 7], target: bool, created_at: i64) -> GrantFacts<'_> {
        let [tenant, name, server, sink, field, id, created_by] = parts;
        let target = target.then_some("t");
        let key = GrantKey { tenant, name, server, sink, target, field };
        GrantFacts { id, key, created_at, created_by }
    }

    proptest! {
        #[test]
        fn a_tag_is_of_one_grant_one_version_and_one_key(
            parts in prop::array::uniform7("[a-c\0]{0,3}"),
            others in prop::array::uniform7("[a-c\0]{0,3}"),
            target in any::<bool>(),
            version in 1..3u32,
        ) {
            let key = VersionKey(Cipher::new(&data_key()).unwrap());
            let grant = facts(&parts, target, 7);
            let tag = key.tag(version, &grant).unwrap();
            prop_assert!(key.is_tag(version, &grant, &tag));
            prop_assert!(!key.is_tag(version + 1, &grant, &tag));
            prop_assert!(!key.is_tag(version, &facts(&parts, !target, 7), &tag));
            prop_assert!(!key.is_tag(version, &facts(&parts, target, 8), &tag));
            prop_assert_eq!(key.is_tag(version, &facts(&others, target, 7), &tag), parts == others);
            prop_assert!(!key.is_tag(version, &grant, &tag[1..]));
            prop_assert!(!key.is_tag(version, &grant, b""));
            let another = VersionKey(Cipher::new(&data_key()).unwrap());
            prop_assert!(!another.is_tag(version, &grant, &tag));
        }
    }

    /// A ciphertext of the same key is no tag, though both are made with it.
    #[test]
    fn a_value_is_no_tag() {
        let key = VersionKey(Cipher::new(&data_key()).unwrap());
        let parts = [""; 7].map(str::to_owned);
        let of = Of { tenant: "", name: "", version: 1 };
        let value = key.0.seal(&of.context(), b"").unwrap();
        assert!(!key.is_tag(1, &facts(&parts, false, 0), &value));
    }
}
