//! The rule files: what is built in, and how a file is read.
//!
//! Where two rules see the same place, the earlier one names it; so within a file the more specific
//! rule comes first, and what no vendor owns comes last.

mod entry;
mod fault;
mod file;

pub(crate) use entry::{CANARY, Entry};
pub use fault::{RuleFault, RuleFaultKind};

use std::sync::LazyLock;

/// The files that are built in, with their names.
const FILES: &[(&str, &str)] = &[
    ("cloud.toml", include_str!("../../../rules/cloud.toml")),
    ("code.toml", include_str!("../../../rules/code.toml")),
    ("model.toml", include_str!("../../../rules/model.toml")),
    ("platform.toml", include_str!("../../../rules/platform.toml")),
    ("service.toml", include_str!("../../../rules/service.toml")),
    ("infrastructure.toml", include_str!("../../../rules/infrastructure.toml")),
    ("delivery.toml", include_str!("../../../rules/delivery.toml")),
    ("data.toml", include_str!("../../../rules/data.toml")),
    ("message.toml", include_str!("../../../rules/message.toml")),
    ("payment.toml", include_str!("../../../rules/payment.toml")),
    ("monitoring.toml", include_str!("../../../rules/monitoring.toml")),
    ("business.toml", include_str!("../../../rules/business.toml")),
    ("identity.toml", include_str!("../../../rules/identity.toml")),
    ("intelligence.toml", include_str!("../../../rules/intelligence.toml")),
    ("purse.toml", include_str!("../../../rules/purse.toml")),
    ("named-a-b.toml", include_str!("../../../rules/named-a-b.toml")),
    ("named-c-d.toml", include_str!("../../../rules/named-c-d.toml")),
    ("named-e-h.toml", include_str!("../../../rules/named-e-h.toml")),
    ("named-i-m.toml", include_str!("../../../rules/named-i-m.toml")),
    ("named-n-q.toml", include_str!("../../../rules/named-n-q.toml")),
    ("named-r-s.toml", include_str!("../../../rules/named-r-s.toml")),
    ("named-t-z.toml", include_str!("../../../rules/named-t-z.toml")),
    ("generic.toml", include_str!("../../../rules/generic.toml")),
];

/// Every rule that is built in, in order.
pub(super) fn built_in() -> Result<&'static [Entry], RuleFault> {
    // Read once: the files are part of the program and cannot change.
    static ENTRIES: LazyLock<Result<Vec<Entry>, RuleFault>> = LazyLock::new(|| {
        let mut entries = Vec::new();
        for (name, text) in FILES {
            entries.extend(file::read(name, text, Entry::check)?);
        }
        Ok(entries)
    });
    ENTRIES.as_deref().map_err(Clone::clone)
}

/// The rules of a file that is not built in. None may take the id of one that is, or of one that was `added`
/// before.
pub(super) fn read(name: &str, text: &str, added: &[Entry]) -> Result<Vec<Entry>, RuleFault> {
    let taken = built_in()?;
    file::read(name, text, |entry| {
        if taken.iter().chain(added).any(|other| other.id == entry.id) {
            return Err(RuleFaultKind::Taken(entry.id.clone()));
        }
        entry.check()?;
        entry.compile()
    })
}
