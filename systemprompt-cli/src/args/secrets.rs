//! The arguments of `secrets`. None of them is a value: what is on a command line is in the history of the
//! shell and in the list of processes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where values come from, for those who looked for an argument.
const VALUES: &str = "The value is read from standard input, without the line break at its end, or asked for when \
                      that is a terminal. There is no argument for it.";

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Take a secret into custody.
    #[command(after_help = VALUES)]
    Set(SetArgs),
    /// List secrets with their versions and grants, without values.
    List {
        /// Only this secret.
        name: Option<String>,
        /// Only of this tenant.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Give a secret a new value; versions before it stay until they are retired.
    #[command(after_help = VALUES)]
    Rotate(SecretArgs),
    /// Delete one version of a secret.
    Retire {
        #[command(flatten)]
        secret: SecretArgs,
        /// The number of the version.
        #[arg(value_name = "VERSION")]
        number: u32,
    },
    /// Let a server have a secret, in one place.
    Grant {
        #[command(flatten)]
        secret: SecretArgs,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Take a grant back, or delete a secret with all its versions and grants.
    Revoke {
        #[command(flatten)]
        secret: SecretArgs,
        /// The grant: the server that had it, with `--host` and `--header`, or `--env`.
        #[arg(long, requires = "place")]
        server: Option<String>,
        #[command(flatten)]
        place: RevokedPlaceArgs,
        /// Delete the secret: nobody can undo it. Without this nothing is deleted.
        #[arg(long, conflicts_with = "server")]
        yes: bool,
    },
    /// Encrypt the data keys of all secrets anew, by the current key encryption key. No value changes.
    Rewrap {
        /// Who does it, for the record.
        #[arg(long, value_name = "WHO", default_value = "command line")]
        by: String,
    },
    /// Take over the values that sops has encrypted in a file, to an age recipient; those in clear are left.
    Import(ImportArgs),
}

/// A secret, and who does something with it.
#[derive(Debug, Args)]
pub(crate) struct SecretArgs {
    /// The secret's name, as `secret://NAME` refers to it.
    pub(crate) name: String,
    /// Whose secret it is.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// Who does it, for the record.
    #[arg(long, value_name = "WHO", default_value = "command line")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    pub(crate) secret: SecretArgs,
    /// What it is for, in words; is listed.
    #[arg(long, default_value = "")]
    pub(crate) description: String,
}

/// A place of a server.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The server that gets it.
    #[arg(long)]
    pub(crate) server: String,
    /// The host that requests go to, with the port when it is not the one of the scheme.
    #[arg(long, requires = "header")]
    pub(crate) host: Option<String>,
    /// The header of these requests.
    #[arg(long, requires = "host")]
    pub(crate) header: Option<String>,
    /// A variable in the environment of the server's process instead.
    #[arg(long, value_name = "VARIABLE", conflicts_with_all = ["host", "header"])]
    pub(crate) env: Option<String>,
    /// An argument of this tool of the server instead.
    #[arg(long, requires = "argument", conflicts_with_all = ["host", "header", "env"])]
    pub(crate) tool: Option<String>,
    /// Where in its arguments, as a JSON Pointer such as `/headers/token`.
    #[arg(long, value_name = "POINTER", requires = "tool")]
    pub(crate) argument: Option<String>,
}

/// The place of a grant to be revoked.
#[derive(Debug, Args)]
#[group(id = "place", multiple = true)]
pub(crate) struct RevokedPlaceArgs {
    /// The host of the grant.
    #[arg(long, requires_all = ["header", "server"])]
    pub(crate) host: Option<String>,
    /// The header of the grant.
    #[arg(long, requires_all = ["host", "server"])]
    pub(crate) header: Option<String>,
    /// The variable of the grant.
    #[arg(long, value_name = "VARIABLE", requires = "server", conflicts_with_all = ["host", "header"])]
    pub(crate) env: Option<String>,
    /// The tool of the grant.
    #[arg(long, requires_all = ["argument", "server"], conflicts_with_all = ["host", "header", "env"])]
    pub(crate) tool: Option<String>,
    /// The argument of the grant.
    #[arg(long, value_name = "POINTER", requires_all = ["tool", "server"])]
    pub(crate) argument: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The encrypted file: YAML, JSON or dotenv, by its ending.
    #[arg(long, value_name = "FILE")]
    pub(crate) sops: PathBuf,
    /// The file with the age identity, as `age-keygen` writes it.
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: PathBuf,
    /// Whose secrets they become.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// Who does it, for the record.
    #[arg(long, value_name = "WHO", default_value = "command line")]
    pub(crate) by: String,
    /// Give secrets that there are already the file's values; without this they are left as they are.
    #[arg(long)]
    pub(crate) rotate: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
