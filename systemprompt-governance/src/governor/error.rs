use systemprompt_core::policy::PolicyFault;

/// Why a governor could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A part without which nothing can be decided.
    #[error("the governor needs a {0}")]
    Missing(&'static str),
    /// The policy does not hold.
    #[error(transparent)]
    Policy(#[from] ReloadError),
    /// A host check's id that is empty, taken by a built-in check, or used twice.
    #[error("the check id `{id}` {problem}")]
    CheckId {
        /// The id.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Everything that is wrong with a policy document. The policy that was in force stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadError(pub Vec<PolicyFault>);

impl std::error::Error for ReloadError {}

impl std::fmt::Display for ReloadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the policy does not hold")?;
        for (at, fault) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { "; " })?;
            fault.fmt(f)?;
        }
        Ok(())
    }
}
