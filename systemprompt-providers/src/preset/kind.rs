//! What is known of each kind of provider.

use systemprompt_core::config::ProviderKind;
use systemprompt_core::llm::Dialect;

use crate::dialect::{ProviderFlags, UsageMode};

/// What is known of a kind of provider.
pub(super) struct Known {
    /// Whose prices its models have; the provider's own name where it is not known.
    pub(super) vendor: Option<&'static str>,
    /// Where it is.
    pub(super) base_url: Option<&'static str>,
    /// What stands between the base URL and the version on each wire, the best wire first.
    pub(super) wires: &'static [(Dialect, &'static str)],
}

/// The table. The places are those of the vendors' documentation; Moonshot, Qwen and MiniMax have others
/// for China, which `base_url` takes.
pub(super) const fn known(kind: ProviderKind) -> Known {
    match kind {
        ProviderKind::Anthropic => Known {
            vendor: Some("anthropic"),
            base_url: Some("https://api.anthropic.com"),
            wires: &[(Dialect::Anthropic, "")],
        },
        ProviderKind::Openai => Known {
            vendor: Some("openai"),
            base_url: Some("https://api.openai.com"),
            wires: &[(Dialect::Responses, ""), (Dialect::Chat, "")],
        },
        ProviderKind::OpenaiChat => {
            Known { vendor: None, base_url: None, wires: &[(Dialect::Chat, "")] }
        }
        ProviderKind::Gemini => Known {
            vendor: Some("gemini"),
            base_url: Some("https://generativelanguage.googleapis.com"),
            wires: &[(Dialect::Gemini, "")],
        },
        ProviderKind::Moonshot => Known {
            vendor: Some("moonshot"),
            base_url: Some("https://api.moonshot.ai"),
            wires: &[
                (Dialect::Anthropic, "/anthropic"),
                (Dialect::Chat, ""),
                (Dialect::Responses, ""),
            ],
        },
        ProviderKind::Qwen => Known {
            vendor: Some("qwen"),
            base_url: Some("https://dashscope-intl.aliyuncs.com"),
            wires: &[(Dialect::Anthropic, "/apps/anthropic"), (Dialect::Chat, "/compatible-mode")],
        },
        ProviderKind::Minimax => Known {
            vendor: Some("minimax"),
            base_url: Some("https://api.minimax.io"),
            wires: &[(Dialect::Anthropic, "/anthropic"), (Dialect::Chat, "")],
        },
        ProviderKind::Echo | ProviderKind::Custom | ProviderKind::ByExtension => {
            Known { vendor: None, base_url: None, wires: &[] }
        }
    }
}

/// How a kind differs from the maker of a dialect.
pub(super) fn flags(kind: ProviderKind, dialect: Dialect) -> ProviderFlags {
    let own = ProviderFlags::default();
    match (kind, dialect) {
        // The others know neither the life of a cache mark nor what is in beta, and the version that
        // they were made for.
        (ProviderKind::Moonshot | ProviderKind::Qwen, Dialect::Anthropic) => {
            ProviderFlags { counts_tokens: false, usage_mode: UsageMode::LastEvent, ..compatible() }
        }
        (ProviderKind::Minimax, Dialect::Anthropic) => ProviderFlags {
            counts_tokens: false,
            heeds_top_k: false,
            heeds_stop: false,
            ..compatible()
        },
        // Whether this one counts is found out when it is asked.
        (ProviderKind::Custom, Dialect::Anthropic) => compatible(),
        (ProviderKind::Moonshot, Dialect::Responses) => {
            ProviderFlags { counts_tokens: false, ..own }
        }
        // OpenAI itself has no field for reasoning in what it is sent back.
        (ProviderKind::Openai, Dialect::Chat) => ProviderFlags { replay_reasoning: false, ..own },
        // Servers took `max_tokens` before there was another name for it.
        (ProviderKind::OpenaiChat | ProviderKind::Custom | ProviderKind::Qwen, Dialect::Chat) => {
            ProviderFlags { max_completion_tokens: false, ..own }
        }
        _ => own,
    }
}

fn compatible() -> ProviderFlags {
    ProviderFlags {
        cache_ttl: false,
        betas: Some(Vec::new()),
        version: Some("2023-06-01".to_owned()),
        ..ProviderFlags::default()
    }
}

/// The header that carries a key where the configuration names none.
pub(super) const fn key_header(kind: ProviderKind, dialect: Dialect) -> Option<&'static str> {
    match (kind, dialect) {
        (ProviderKind::Anthropic | ProviderKind::Custom, Dialect::Anthropic) => Some("x-api-key"),
        (_, Dialect::Gemini) => Some("x-goog-api-key"),
        _ => None,
    }
}
