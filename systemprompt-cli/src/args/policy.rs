//! The arguments of `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Decide recorded decisions again by another policy, and say what would change.
    Replay(ReplayArgs),
    /// Say what the shadow policies of the profile would have decided differently.
    Shadow(ShadowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The other policy: what stands below `governance` in a profile, alone or with that key above it, or a
    /// whole profile.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Decisions from this instant on: RFC 3339, or a time before now such as `2h` or `7d`.
    #[arg(long, visible_alias = "from", value_name = "TIME", default_value = "7d")]
    pub(crate) since: String,
    /// Decisions before this instant.
    #[arg(long, visible_alias = "to", value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Exit code 30 when a decision changes this way.
    #[arg(long, value_name = "WAY")]
    pub(crate) fail_on: Option<FailOn>,
    /// Exit code 31 when a decision cannot be made again.
    #[arg(long)]
    pub(crate) fail_on_undecided: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// What was allowed would be denied.
    AllowToDeny,
    /// What was denied would be allowed.
    DenyToAllow,
    /// Either.
    Any,
}

#[derive(Debug, Args)]
pub(crate) struct ShadowArgs {
    /// Only this shadow, by its id.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Decisions from this instant on: RFC 3339, or a time before now such as `2h` or `7d`.
    #[arg(long, visible_alias = "from", value_name = "TIME", default_value = "7d")]
    pub(crate) since: String,
    /// Decisions before this instant.
    #[arg(long, visible_alias = "to", value_name = "TIME")]
    pub(crate) until: Option<String>,
}
