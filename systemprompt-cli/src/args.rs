//! The command line as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Look after the database.
    #[command(subcommand)]
    Db(DbCommand),
    /// Decide one tool call.
    Govern(GovernArgs),
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

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum DbCommand {
    /// Show what is installed, what is missing and what has drifted.
    Status,
    /// Install what is missing.
    Migrate,
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

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List decisions, newest first.
    Decisions(SearchArgs),
    /// List events of every kind, newest first.
    Events(EventsArgs),
    /// Draw what happened to a call, from who asked to what came out.
    Trace {
        /// A trace, call or session id, or the beginning of one.
        id: String,
        /// The id is that of a call.
        #[arg(long, conflicts_with = "session")]
        call: bool,
        /// The id is that of a session.
        #[arg(long)]
        session: bool,
    },
    /// Write a part of the log out in a format that others read.
    Export(ExportArgs),
    /// Print the newest events; with `-f` go on as they come.
    Tail {
        /// How many events to begin with.
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: u32,
        /// Go on until interrupted.
        #[arg(short, long)]
        follow: bool,
    },
    /// Compute everything anew and hold it against what was signed. Exit code 0 only if all is well;
    /// each kind of finding has a code of its own.
    Verify(VerifyArgs),
    /// Write the proof that an event is in its log: a file that needs only the public key.
    Prove(ProveArgs),
    /// Check such a proof, without any database.
    VerifyProof(VerifyProofArgs),
    /// Make a new key that signs the log from the next start on; for a while both sign.
    RotateKey {
        /// For how many hours both sign.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8760))]
        overlap: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The database, `sqlite://` and a plain path; without it the one of the profile. It is only read.
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Checkpoints that were kept outside of the database; without it, and without `--database`, the
    /// file that the profile names.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoints: Option<PathBuf>,
    /// A public key to trust, or a file with some; without it the one in the first record of the
    /// checkpoints, else the log's own. May be given more than once.
    #[arg(long = "key", value_name = "VKEY|FILE")]
    pub(crate) keys: Vec<String>,
    /// Begin after the checkpoint of this many events, and believe what it covers.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) since_checkpoint: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    /// The event, by its id or as `origin:seq`.
    pub(crate) event: String,
    /// The database; without it the one of the profile. It is only read.
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// The file to write, `-` for standard output; without it a file named after the event, here.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show all columns of the event, personal data too. Without it they stay commitments.
    #[arg(long)]
    pub(crate) disclose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyProofArgs {
    /// The proof.
    pub(crate) file: PathBuf,
    /// The public key, or a file with some.
    #[arg(long = "key", value_name = "VKEY|FILE", required = true)]
    pub(crate) keys: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// `json_lines`, `ocsf`, `ecs`, `cef`, `splunk_hec`, `datadog`, `sumo` or `otlp_logs`.
    #[arg(long, default_value = "json_lines")]
    pub(crate) format: String,
    /// Not before this instant: RFC 3339, or a time before now such as `2h` or `7d`.
    #[arg(long, visible_alias = "since", value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Before this instant.
    #[arg(long, visible_alias = "until", value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Only the log of this name.
    #[arg(long)]
    pub(crate) origin: Option<String>,
    /// The file to make, for its owner alone; `-` is the standard output.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Only this kind, such as `decision`, `outcome`, `ai_request` or `policy_loaded`.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Only this user.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Only this agent.
    #[arg(long)]
    pub(crate) agent: Option<String>,
    /// Only this tool; `mcp__server__tool` names its server too.
    #[arg(long)]
    pub(crate) tool: Option<String>,
    /// Only this session.
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// Only this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Only this department.
    #[arg(long)]
    pub(crate) department: Option<String>,
    /// Only this trace.
    #[arg(long)]
    pub(crate) trace: Option<String>,
    /// Only this verdict.
    #[arg(long)]
    pub(crate) decision: Option<VerdictArg>,
    /// Only denials for this reason, by its code.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Only where any other column has this value: `context_id=..`, `door=hook`, `status=failed`,
    /// `duration_ms_min=500` and so on; may be given more than once.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub(crate) columns: Vec<String>,
    /// Only with this text in the reason, its data, the error or the details.
    #[arg(short = 'q', long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Not before this instant: RFC 3339, or a time before now such as `2h` or `7d`.
    #[arg(long, visible_alias = "since", value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Before this instant.
    #[arg(long, visible_alias = "until", value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Go on where an earlier page ended.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum VerdictArg {
    Allow,
    Deny,
    Pending,
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
