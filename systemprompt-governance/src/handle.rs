//! Handles: what stands in a text for a secret that some tools get back.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use sha2::Sha256;
use systemprompt_core::call::{Node, ToolRef};
use systemprompt_core::id::{TenantId, UserId};
use systemprompt_core::principal::Principal;
use zeroize::Zeroizing;

use crate::policy::secrets::Bind;

/// What every handle begins with.
const PREFIX: &str = "secret://h/";

/// Hex digits behind the prefix.
const DIGITS: usize = 32;

/// How long a handle works after it was last handed out.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Most handles that are remembered; the oldest go first.
const MOST: usize = 10_000;

/// Longest value that a handle stands for, in bytes.
const MAX_VALUE: usize = 16 * 1024;

/// Most bytes of values that are remembered.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The values behind the handles of this process. They are in memory only, and wiped when forgotten.
pub(crate) struct Handles {
    key: [u8; 16],
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    values: HashMap<String, Value>,
    /// The handles by the time they were last handed out.
    order: BTreeMap<u64, String>,
    next: u64,
    bytes: usize,
}

struct Value {
    text: Zeroizing<String>,
    tenant: TenantId,
    user: UserId,
    bind: Bind,
    origin: Option<ToolRef>,
    until: Duration,
    place: u64,
}

/// What a handle was found to stand for in the arguments of a call.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Restored {
    /// The document with the values; `None` when no handle was replaced.
    pub(crate) root: Option<Node>,
    /// Handles that were left alone: unknown, somebody else's, or of other tools.
    pub(crate) left: usize,
}

impl Handles {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self { key, held: Mutex::default() }
    }

    /// The handle that stands for `value`, which belongs to the principal: the same for the same value, so
    /// that a conversation that is sent again reads as before. `None` for a value that is too long.
    pub(crate) fn mint(
        &self,
        value: &str,
        principal: &Principal,
        (bind, origin): (&Bind, Option<&ToolRef>),
        now: Duration,
    ) -> Option<String> {
        if value.len() > MAX_VALUE {
            return None;
        }
        let claims = principal.claims();
        let handle = self.name(value, principal, bind, origin)?;
        let value = Value {
            text: Zeroizing::new(value.to_owned()),
            tenant: claims.tenant.clone(),
            user: claims.user.clone(),
            bind: bind.clone(),
            origin: origin.cloned(),
            until: now.saturating_add(LIFETIME),
            place: 0,
        };
        self.held.lock().keep(handle.clone(), value, now);
        Some(handle)
    }

    /// Puts values back where the document names their handles, as far as `tool` and the principal may have
    /// them.
    pub(crate) fn restore(
        &self,
        root: &Node,
        principal: &Principal,
        tool: &ToolRef,
        now: Duration,
    ) -> Restored {
        let mut restored = Restored::default();
        let held = self.held.lock();
        let mut replaced = false;
        let copy = copy(root, &mut |handle| {
            let value = held.values.get(handle).filter(|value| value.goes_to(principal, tool, now));
            replaced |= value.is_some();
            restored.left += usize::from(value.is_none());
            value.map(|value| value.text.as_str())
        });
        restored.root = replaced.then_some(copy);
        restored
    }

    fn name(
        &self,
        value: &str,
        principal: &Principal,
        bind: &Bind,
        origin: Option<&ToolRef>,
    ) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        let claims = principal.claims();
        let origin = origin.map_or("", ToolRef::qualified);
        let bind = format!("{bind:?}");
        for part in [claims.tenant.as_str(), claims.user.as_str(), origin, &bind, value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let tag = hex::encode(mac.finalize().into_bytes());
        Some(format!("{PREFIX}{}", tag.get(..DIGITS)?))
    }
}

impl Value {
    fn goes_to(&self, principal: &Principal, tool: &ToolRef, now: Duration) -> bool {
        let claims = principal.claims();
        now <= self.until
            && self.tenant == claims.tenant
            && self.user == claims.user
            && self.bind.covers(self.origin.as_ref(), tool)
    }
}

impl Held {
    fn keep(&mut self, handle: String, mut value: Value, now: Duration) {
        self.forget(&handle);
        value.place = self.next;
        self.next += 1;
        self.bytes += value.text.len();
        self.order.insert(value.place, handle.clone());
        self.values.insert(handle, value);
        while let Some((_, oldest)) = self.order.first_key_value() {
            let stale = self.values.get(oldest).is_none_or(|value| value.until < now);
            if !stale && self.values.len() <= MOST && self.bytes <= MOST_BYTES {
                break;
            }
            let oldest = oldest.clone();
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, handle: &str) {
        if let Some(value) = self.values.remove(handle) {
            self.bytes = self.bytes.saturating_sub(value.text.len());
            self.order.remove(&value.place);
        }
    }
}

/// Whether the text of a document may name a handle; escapes only hide the slashes.
pub(crate) fn may_name_one(raw: &[u8]) -> bool {
    memchr::memmem::find(raw, b"secret:").is_some() || memchr::memmem::find(raw, b"\\u00").is_some()
}

/// The document with the value of each handle in the place of the handle. Keys are left alone.
fn copy<'v>(node: &Node, value: &mut dyn FnMut(&str) -> Option<&'v str>) -> Node {
    match node {
        Node::Null | Node::Bool(_) | Node::Number(_) => node.clone(),
        Node::String(text) => Node::String(replaced(text, value)),
        Node::Array(items) => Node::Array(items.iter().map(|item| copy(item, value)).collect()),
        Node::Object(members) => {
            let members = members.iter().map(|(key, node)| (key.clone(), copy(node, value)));
            Node::Object(members.collect())
        }
    }
}

fn replaced<'v>(text: &str, value: &mut dyn FnMut(&str) -> Option<&'v str>) -> Box<str> {
    let (mut copied, mut end) = (String::new(), 0);
    for (start, _) in text.match_indices(PREFIX) {
        let after = start + PREFIX.len() + DIGITS;
        let handle = text.get(start..after).filter(|handle| is_handle(handle));
        if let Some(value) = handle.and_then(&mut *value) {
            copied.push_str(text.get(end..start).unwrap_or_default());
            copied.push_str(value);
            end = after;
        }
    }
    copied.push_str(text.get(end..).unwrap_or_default());
    copied.into()
}

fn is_handle(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|digits| {
        digits.len() == DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use systemprompt_core::id::{Audience, TokenId};
    use systemprompt_core::principal::PrincipalClaims;

    use super::*;

    fn caller() -> Principal {
        Principal::assert_authenticated(PrincipalClaims {
            tenant: "acme".parse().unwrap(),
            user: "ursula".parse().unwrap(),
            roles: Default::default(),
            scopes: Default::default(),
            department: None,
            audience: Audience::api(),
            credential: TokenId::generate(),
            actors: Vec::new(),
        })
        .unwrap()
    }

    fn restored(handles: &Handles, handle: &str, now: u64) -> bool {
        let tool = ToolRef::parse(None, "Read").unwrap();
        let node = Node::String(handle.into());
        handles.restore(&node, &caller(), &tool, Duration::from_secs(now)).root.is_some()
    }

    #[test]
    fn memory_is_bounded_in_number_and_bytes() {
        let tool = ToolRef::parse(None, "Read").unwrap();
        let handles = Handles::new([1; 16]);
        let mint = |value: &str| {
            handles.mint(value, &caller(), (Bind::ORIGIN, Some(&tool)), Duration::ZERO)
        };
        let first = mint("the first").unwrap();
        assert!(restored(&handles, &first, 0));
        for number in 0..MOST {
            mint(&format!("value {number}")).unwrap();
        }
        assert_eq!(handles.held.lock().values.len(), MOST);
        assert!(!restored(&handles, &first, 0));
        for number in 0..MOST_BYTES / MAX_VALUE + 10 {
            mint(&format!("{number:>0$}", MAX_VALUE)).unwrap();
        }
        let held = handles.held.lock();
        assert!(held.bytes <= MOST_BYTES && held.values.len() == held.order.len());
        drop(held);
        assert!(mint(&"x".repeat(MAX_VALUE + 1)).is_none());
    }

    #[test]
    fn a_handle_that_is_handed_out_again_lives_on() {
        let tool = ToolRef::parse(None, "Read").unwrap();
        let handles = Handles::new([1; 16]);
        let mint = |now| {
            let now = Duration::from_secs(now);
            handles.mint("value", &caller(), (Bind::ORIGIN, Some(&tool)), now).unwrap()
        };
        let handle = mint(0);
        assert!(restored(&handles, &handle, 86_400) && !restored(&handles, &handle, 86_401));
        assert_eq!(mint(80_000), handle);
        assert!(restored(&handles, &handle, 100_000));
    }
}
