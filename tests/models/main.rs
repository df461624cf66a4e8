//! The gateway under the official SDKs: `anthropic` and `openai` of Python and JavaScript, with nothing changed
//! but their base URL and key. An application serves on this machine; its providers are scripts that answer
//! byte for byte, or a mock that others wrote. Each test looks at what the SDK made of the answer, what
//! the provider was sent, and what was recorded.
//!
//! `./scripts/test --sdks` installs the SDKs into `.deps`; `SYSTEMPROMPT_TEST_SDKS` names another folder that
//! has them.
//!
//! | caller -> provider | module | scenarios |
//! |---|---|---|
//! | all -> built-in model | `echo` | whole answers, streams and calls of tools through every surface |
//! | same dialect | `bytes` | 1 stream, 2 request, 3 keys, 4 chat and responses, refusals |
//! | Anthropic -> Chat | `to_chat` | 5 text, 6 calls together, 7 empty arguments, 8 9 results, 10 reasoning, 11 foreign signatures, 12 caches, 13 ends, 14 oddities, 15 cuts, 16 errors, server tools |
//! | Anthropic -> Responses | `to_responses` | 17 late arguments, 18 sealed reasoning, 19 incomplete and failed, 20 marks of the cache |
//! | Anthropic, Responses -> Gemini | `to_gemini` | 21 signatures, 22 schemas, 23 ends, 24 thoughts, 25 foreign history, 39 Responses |
//! | Chat, Responses -> Anthropic | `to_anthropic` | 26 system, 27 results, 28 arguments, 29 temperature, 30 forced calls, 31 schemas, 32 signatures, 33 caches, 34 overload, 35 limits, 36 ends, 37 Responses |
//! | any | `faults` | 42 callers that leave, 43 who is asked next, keys that are refused, cuts, probes |
//! | any | `doors` | 44 counts, 45 lists, 46 packed bodies |
//! | any | `policy` | 49 denied calls in every dialect, results of permitted ones |
//! | any | `limits` | 38 answers nobody kept, 40 Kimi, 41 MiniMax, 47 tiers, 50 small pieces |
//! | any | `media` | 48 pictures, by their bytes and by addresses |
//! | all -> all | `aimock` | words and calls, in both lanes |
//!
//! The numbers are those of the recipe of the gateway's tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod aimock;
mod bytes;
mod doors;
mod echo;
mod faults;
mod limits;
mod media;
mod policy;
mod sdk;
mod stand;
mod to_anthropic;
mod to_chat;
mod to_gemini;
mod to_responses;
mod wire;
