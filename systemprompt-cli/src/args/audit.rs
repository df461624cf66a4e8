//! The arguments of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use systemprompt_core::config::{KeepFor, KeepSize};

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
    /// Show what a model was asked and what it answered, where that is recorded.
    Body {
        /// The request, by its id in the details of its `ai_request` event.
        id: String,
    },
    /// Write a part of the log out in a format that others read.
    Export(ExportArgs),
    /// Print the newest events; with `-f` go on as they come.
    Tail(TailArgs),
    /// Compute everything anew and hold it against what was signed. Exit code 0 only if all is well;
    /// each kind of finding has a code of its own.
    Verify(VerifyArgs),
    /// Write the proof that an event is in its log: a file that needs only the public key.
    Prove(ProveArgs),
    /// Check such a proof, without any database.
    VerifyProof(VerifyProofArgs),
    /// Erase a person: destroy the keys of what the log says about it. Verification stays as it is.
    Erase(EraseArgs),
    /// Remove events that have been kept long enough, as the profile or the options say.
    Prune(PruneArgs),
    /// Encrypt the keys of all persons anew, by the current key encryption key of the profile.
    Rewrap,
    /// Make a new key that signs the log from the next start on; for a while both sign.
    RotateKey {
        /// For how many hours both sign.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8760))]
        overlap: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// The user.
    #[arg(long, value_name = "USER")]
    pub(crate) subject: String,
    /// Only of this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Who wants it, for the record; not the person itself.
    #[arg(long, value_name = "WHO", default_value = "command line")]
    pub(crate) by: String,
    /// Do it: nobody can undo it. Without this nothing is erased.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Remove what is older than this, such as `400d`; without it as the profile says.
    #[arg(long, value_name = "TIME")]
    pub(crate) age: Option<KeepFor>,
    /// Remove the oldest until about this much is left, such as `10GiB`; without it as the profile says.
    #[arg(long, value_name = "SIZE")]
    pub(crate) size: Option<KeepSize>,
    /// Who wants it, for the record.
    #[arg(long, value_name = "WHO", default_value = "command line")]
    pub(crate) by: String,
    /// Only say what would be removed.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The database, `sqlite://` and a plain path or `postgres://`; without it the one of the profile. It is
    /// only read.
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
    /// The public key of a witness, or a file with some: how far the log is cosigned is said, too; without it
    /// the witnesses of the profile. May be given more than once.
    #[arg(long = "witness", value_name = "VKEY|FILE")]
    pub(crate) witnesses: Vec<String>,
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
    /// The public key of a witness, or a file with some, all of whom must have cosigned what the event is
    /// proven by.
    #[arg(long = "witness", value_name = "VKEY|FILE")]
    pub(crate) witnesses: Vec<String>,
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
pub(crate) struct TailArgs {
    /// How many events to begin with; 20 without it, and with `--from` all since then.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) lines: Option<u32>,
    /// Go on until interrupted, also when the server is started again meanwhile.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only this kind, such as `decision`, `outcome`, `ai_request` or `policy_loaded`.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Go on where an earlier page ended.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

/// What an event must be.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
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
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum VerdictArg {
    Allow,
    Deny,
    Pending,
}
