//! The formats, by what they open. Within a file the more specific rule comes first: where two rules
//! see the same place, the earlier one names it.

mod cloud;
mod code;
mod generic;
mod model;
mod platform;
mod service;

use super::rule::Rule;

pub(super) use generic::{
    AUTHORIZATION, BASIC_AUTH, DISCORD_BOT, GENERIC_PASSWORD, GENERIC_SECRET, PRIVATE_KEY,
    SCAN_BUDGET, URL_CREDENTIALS,
};

/// Every rule.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    [cloud::RULES, code::RULES, model::RULES, platform::RULES, service::RULES, generic::RULES]
        .into_iter()
        .flatten()
}

/// The ids of every rule.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    let repeats = |rule: &&Rule| {
        all().take_while(|other| !std::ptr::eq(*other, *rule)).any(|other| other.id == rule.id)
    };
    all().filter(move |rule| !repeats(rule)).map(|rule| rule.id)
}
