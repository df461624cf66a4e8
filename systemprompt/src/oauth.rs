//! Verification of credentials: API keys, and tokens of configured issuers.

#[doc(inline)]
pub use systemprompt_identity::{
    ClaimNames, CredentialVerifier, Gate, GateSettings, GateStats, IdentityStats, IssuerSettings,
    IssuerStats, KeySource, SigningAlgorithm, TokenTypes, TrustedProxies, UnknownAlgorithm,
    VerifierSettings,
};
