//! The command line as clap reads it.

mod audit;
mod models;
mod policy;
mod scan;
mod secrets;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::audit::{
    AuditCommand, EraseArgs, EventsArgs, ExportArgs, FilterArgs, ProveArgs, PruneArgs, SearchArgs,
    TailArgs, VerdictArg, VerifyArgs, VerifyProofArgs,
};

pub(crate) use self::models::{
    ExplainArgs, PricesArgs, ProviderTestArgs, ProvidersCommand, RoutesCommand,
};
pub(crate) use self::policy::{FailOn, PolicyCommand, ReplayArgs, ShadowArgs};
pub(crate) use self::scan::{ConfidenceArg, InputArg, ScanArgs, ScanFormatArg};
pub(crate) use self::secrets::{
    ImportArgs, PlaceArgs, RevokedPlaceArgs, SecretArgs, SecretsCommand, SetArgs,
};

/// The governance layer between AI agents and everything they touch.
#[derive(Debug, Parser)]
#[command(name = "systemprompt", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The profile to read.
    #[arg(
        long,
        global = true,
        env = "SYSTEMPROMPT_CONFIG",
        default_value = "systemprompt-data/profile.yaml",
        value_name = "FILE"
    )]
    pub(crate) config: PathBuf,
    /// Print JSON for programs instead of tables for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server.
    Serve(ServeArgs),
    /// Check and show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Create and list users.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Keep secrets for the servers, and say which server gets which.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Look after the database.
    #[command(subcommand)]
    Db(DbCommand),
    /// Show the providers of models, try them, and say what models cost.
    #[command(subcommand)]
    Providers(ProvidersCommand),
    /// Say where requests for a model go.
    #[command(subcommand)]
    Routes(RoutesCommand),
    /// Decide one tool call.
    Govern(GovernArgs),
    /// Look for secrets in files, folders and standard input.
    Scan(ScanArgs),
    /// Try other policies on what was decided.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Read the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Say what was used, what it cost and what was denied.
    Analytics(AnalyticsArgs),
    /// Show the extensions compiled into this binary.
    #[command(subcommand)]
    Plugins(PluginsCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Listen here instead of at `server.addr`.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) addr: Option<std::net::SocketAddr>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the profile and the policy in it; exit code 3 when something is wrong.
    Check,
    /// Show the profile as it takes effect, defaults included. Never shows a secret.
    Show,
    /// Print the JSON Schema of the profile.
    Schema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Create an API key and print it once, alone, on standard output.
    Create(KeyCreateArgs),
    /// List keys, without their secrets.
    List {
        /// Only keys of this user.
        #[arg(long)]
        user: Option<String>,
    },
    /// Revoke a key by its id, or a token by its `jti`. Takes effect within one second everywhere.
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreateArgs {
    /// The user the key belongs to.
    #[arg(long)]
    pub(crate) user: String,
    /// The user's tenant.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// A name for people.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A scope of the key; may be given more than once.
    #[arg(long = "scope", required = true)]
    pub(crate) scopes: Vec<String>,
    /// Days until the key expires; without it the key does not expire.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) expires_in: Option<u32>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RevokeTarget {
    /// The id of the key (the part between `sp_live_` and the next `_`).
    pub(crate) key: Option<String>,
    /// The `jti` of a token instead.
    #[arg(long)]
    pub(crate) jti: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    pub(crate) target: RevokeTarget,
    /// The issuer of the token; without it the `jti` is revoked for every issuer.
    #[arg(long, requires = "jti")]
    pub(crate) issuer: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Create a user.
    Create(UserCreateArgs),
    /// List users.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct UserCreateArgs {
    /// The user's id.
    pub(crate) id: String,
    /// The tenant; created when it does not exist.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// The user's e-mail address.
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// A role of the user; may be given more than once.
    #[arg(long = "role")]
    pub(crate) roles: Vec<String>,
    /// The user's department.
    #[arg(long)]
    pub(crate) department: Option<String>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum DbCommand {
    /// Show what is installed, what is missing and what has drifted.
    Status,
    /// Install what is missing.
    Migrate {
        /// Show what would be installed, and install nothing.
        #[arg(long)]
        plan: bool,
    },
    /// Undo the last migrations of an owner, those that can be undone.
    Rollback {
        /// The owner, as `db status` names it.
        owner: String,
        /// How many migrations.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        steps: u16,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GovernArgs {
    /// The tool; without it the call is read from standard input as JSON
    /// (`{"tool": ..., "arguments": ...}`, as for `POST /api/v1/govern`).
    #[arg(long)]
    pub(crate) tool: Option<String>,
    /// The tool's server.
    #[arg(long, requires = "tool")]
    pub(crate) server: Option<String>,
    /// The arguments as JSON; `-` reads them from standard input.
    #[arg(long, requires = "tool", default_value = "{}")]
    pub(crate) arguments: String,
    /// The agent.
    #[arg(long, requires = "tool")]
    pub(crate) agent: Option<String>,
    /// The session.
    #[arg(long, requires = "tool")]
    pub(crate) session: Option<String>,
    /// A file that holds the caller's API key alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    /// Decide without recording and without charging a limit.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AnalyticsArgs {
    /// What sums are taken over.
    pub(crate) subject: SubjectArg,
    /// What they are grouped by, with commas between: provider, model, agent, user, department, tool,
    /// tenant, reason, hour, day, month.
    #[arg(long, value_name = "WHAT,..")]
    pub(crate) by: Option<String>,
    /// Not before this instant: RFC 3339, or a time before now such as `2h` or `7d`.
    #[arg(long, visible_alias = "since", value_name = "TIME", default_value = "30d")]
    pub(crate) from: String,
    /// Before this instant.
    #[arg(long, visible_alias = "until", value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Only this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Most rows.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// In which form.
    #[arg(long)]
    pub(crate) format: Option<FormatArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SubjectArg {
    /// What requests to models cost.
    Costs,
    /// How tools were called, what was denied and how long they ran.
    Tools,
    /// What agents did, and what that cost.
    Agents,
    /// How models were asked.
    Requests,
    /// All of it.
    Overview,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets; texts that one would take for a formula get an apostrophe in front.
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginsCommand {
    /// List extensions in the order they start.
    List,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_key_or_a_jti_is_revoked_but_not_both() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        assert!(parse("systemprompt keys revoke abc").is_ok());
        assert!(parse("systemprompt keys revoke --jti x").is_ok());
        assert!(parse("systemprompt keys revoke --jti x --issuer https://i").is_ok());
        assert!(parse("systemprompt keys revoke").is_err());
        assert!(parse("systemprompt keys revoke abc --jti x --issuer i").is_err());
    }
}
