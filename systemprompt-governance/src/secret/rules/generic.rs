//! What no single vendor owns: keys, headers, addresses, and values given away by their name.

use super::Rule;

pub(in crate::secret) const PRIVATE_KEY: &str = "private-key";
pub(in crate::secret) const URL_CREDENTIALS: &str = "url-credentials";
pub(in crate::secret) const AUTHORIZATION: &str = "authorization-header";
pub(in crate::secret) const BASIC_AUTH: &str = "basic-auth";
pub(in crate::secret) const GENERIC_SECRET: &str = "generic-secret";
pub(in crate::secret) const GENERIC_PASSWORD: &str = "generic-password";
pub(in crate::secret) const SCAN_BUDGET: &str = "scan-budget";
pub(in crate::secret) const DISCORD_BOT: &str = "discord-bot-token";

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "json-web-token",
        "generic",
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    ),
    Rule::new(
        "age-secret-key",
        "age",
        &["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"],
        r"AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{40,}",
    ),
    Rule::structure(PRIVATE_KEY, "generic"),
    Rule::structure(URL_CREDENTIALS, "generic"),
    Rule::structure(AUTHORIZATION, "generic"),
    Rule::structure(BASIC_AUTH, "generic"),
    Rule::structure(DISCORD_BOT, "Discord"),
    Rule::structure(GENERIC_SECRET, "generic"),
    Rule::structure(GENERIC_PASSWORD, "generic"),
    Rule::structure(SCAN_BUDGET, "generic"),
];
