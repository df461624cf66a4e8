/// A budget that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("budget {} (`{}`): {problem}", .position + 1, .name.escape_debug())]
pub struct BudgetRuleError {
    /// Its position in the list, from zero.
    pub position: usize,
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub problem: BudgetRuleProblem,
}

/// What is wrong with a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetRuleProblem {
    /// Its name is empty, too long or holds control characters.
    #[error("`name` must be 1 to 64 bytes without control characters")]
    Name,
    /// A budget before it has its name.
    #[error("`name` is that of another budget")]
    Duplicate,
    /// Its key names a dimension twice.
    #[error("`key` names something twice")]
    Key,
    /// It limits nothing.
    #[error("`limit_microdollars` or `limit_tokens` is missing")]
    NoLimit,
    /// A limit that is too large.
    #[error("`{0}` must be 0 to 9223372036854775807")]
    Limit(&'static str),
    /// Its window is zero or too long.
    #[error("`window_s` must be 1 to 4294967295")]
    Window,
}
