//! The model gateway: clients of models call it as they call their provider, and every request is decided,
//! priced, capped and recorded on its way.
//!
//! An [application](crate::runtime) mounts it by the section [`models`](crate::config::ModelsSection) of its
//! profile. Its parts can be used on their own: a dialect to read a request or a stream with, a table of
//! prices, budgets.
//!
//! ```
//! use systemprompt::llm::Usage;
//! use systemprompt::ai::price::{PriceTable, cost};
//!
//! let prices = PriceTable::embedded();
//! let row = prices.row("anthropic", "claude-sonnet-4-5-20250929").ok_or("no price")?;
//! let usage = Usage { input: 1_000, output: 100, ..Usage::default() };
//! let cost = cost(&usage, row).ok_or("too much")?;
//! assert_eq!(cost.to_string(), "$0.004500");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(inline)]
pub use systemprompt_providers::schema;

/// One codec per wire: what a front reads and writes, what an upstream is sent and says.
pub mod dialect {
    #[doc(inline)]
    pub use systemprompt_providers::dialect::anthropic::{AnthropicFront, AnthropicUpstream};
    #[doc(inline)]
    pub use systemprompt_providers::dialect::chat::{ChatFront, ChatUpstream};
    #[doc(inline)]
    pub use systemprompt_providers::dialect::gemini::GeminiUpstream;
    #[doc(inline)]
    pub use systemprompt_providers::dialect::responses::{ResponsesFront, ResponsesUpstream};
    #[doc(inline)]
    pub use systemprompt_providers::dialect::{
        Capabilities, Front, ProviderFlags, Reply, Source, StreamDecoder, StreamEncoder, Target,
        Upstream, UpstreamRequest, UsageMode, forces_a_tool,
    };
}

/// Which provider and model a request goes to.
pub mod route {
    #[doc(inline)]
    pub use systemprompt_providers::preset::{Endpoint, KeyHeader, Provider};
    #[doc(inline)]
    pub use systemprompt_providers::route::{
        Chosen, ChosenTarget, Explanation, ListedModel, NoRoute, NoRouteReason, RouteError,
        RouteExplanation, RouteOutcome, RouteQuery, RouteTable,
    };
}

/// What requests cost, in integer microdollars.
pub mod price {
    #[doc(inline)]
    pub use systemprompt_providers::price::{
        Peak, PriceFault, PriceFileError, PriceRow, PriceTable, PriceTier, Rates, cost, cost_at,
        numerator, undated, worst_case,
    };
}

/// Caps that are reserved before a request and settled after it.
pub mod budget {
    #[cfg(feature = "postgres")]
    #[doc(inline)]
    pub use systemprompt_providers::budget::PostgresBudgetStore;
    #[cfg(feature = "sqlite")]
    #[doc(inline)]
    pub use systemprompt_providers::budget::SqliteBudgetStore;
    #[doc(inline)]
    pub use systemprompt_providers::budget::{
        BudgetDimension, BudgetRule, BudgetRuleError, BudgetRuleProblem, BudgetRules,
        BudgetSubject, MemoryBudgetStore,
    };
}

/// What happens between a request of a caller and the answer of a provider.
pub mod gateway {
    #[doc(inline)]
    pub use systemprompt_providers::gateway::{
        BodyRules, CacheStats, GatewayError, GatewayParts, ModelGateway, ProviderSecrets,
    };

    /// The doors that clients of models call, as an axum router.
    pub mod http {
        #[doc(inline)]
        pub use systemprompt_providers::gateway::http::{ModelDoors, ROUTES, router};
    }
}

/// Connections to providers: timeouts, retries, circuit breakers, guarded addresses.
pub mod upstream {
    #[doc(inline)]
    pub use systemprompt_providers::upstream::{
        Attempt, AttemptOutcome, BreakerSettings, BreakerState, Credential, FailureShare,
        RetrySettings, SettingsError, UpstreamAnswer, UpstreamBody, UpstreamCall, UpstreamClient,
        UpstreamError, UpstreamErrorKind, UpstreamHealth, UpstreamSettings, Waited,
    };
}

/// Whether a provider answers, asked by an operator.
pub mod probe {
    #[doc(inline)]
    pub use systemprompt_providers::probe::{Probe, ProbeQuestion, ProbeReport};
}

/// Server-sent events: a splitter that keeps the bytes of each frame, and a writer.
pub mod sse {
    #[doc(inline)]
    pub use systemprompt_providers::sse::{
        Frame, FrameSplitter, FrameTooLong, write_comment, write_frame,
    };
}

/// A model that is built in, and answers with what it is told.
pub mod echo {
    #[doc(inline)]
    pub use systemprompt_providers::echo::{MODEL, answer, estimate_tokens, events};
}

/// A provider for tests, which answers byte for byte what a script says.
#[cfg(feature = "test-utils")]
pub mod scripted {
    #[doc(inline)]
    pub use systemprompt_providers::scripted::{
        Departure, Framing, Script, ScriptedUpstream, SeenRequest, Step, sse,
    };
}
