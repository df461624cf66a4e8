//! The `systemprompt` command line, for the binary of this crate and for host binaries.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use systemprompt_runtime::App;
//!
//! fn main() -> ExitCode {
//!     // Extensions that are linked into this binary take part in every command.
//!     systemprompt_cli::run(App::builder().require(["my-extension"]))
//! }
//! ```
//!
//! Commands and exit codes are documented in `docs/cli.md`.

mod args;
mod command;
mod failure;
mod output;
mod paper;
mod policy;
mod session;
mod sparkline;
mod timeline;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use systemprompt_runtime::AppBuilder;

use crate::args::{AuditCommand, Cli, Command, KeysCommand, PluginsCommand, UsersCommand};
use crate::command::{
    analytics, audit, audit_key, audit_proof, audit_verify, config, db, govern, keys, plugins,
    providers, routes, scan, secrets, serve, users,
};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// Runs the command that the arguments of this process name.
///
/// Makes its own tokio runtime: do not call it from within one.
#[must_use]
pub fn run(app: AppBuilder) -> ExitCode {
    run_with(app, std::env::args_os())
}

/// Runs the command that `args` name; the first of them is the name of the program.
#[must_use]
pub fn run_with<I>(app: AppBuilder, args: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) if may_repeat_a_secret(&error, &args) => {
            let failure = Failure::usage(
                "an argument is not known, and is not repeated here because it may be a secret. A value is \
                 never an argument: it is read from standard input, or asked for when that is a terminal. See \
                 `systemprompt secrets --help`",
            );
            Output::new(args.iter().any(|arg| arg == "--json")).fail(&failure);
            return failure.code();
        }
        Err(error) => {
            // Help and version go to standard output and are no failure.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let output = Output::new(cli.json);
    match block_on(app, &cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.fail(&failure);
            failure.code()
        }
    }
}

/// Whether the error shows an argument that somebody has taken for the place of a value.
fn may_repeat_a_secret(error: &clap::Error, args: &[OsString]) -> bool {
    use clap::error::ErrorKind;
    let repeats = matches!(
        error.kind(),
        ErrorKind::UnknownArgument
            | ErrorKind::InvalidSubcommand
            | ErrorKind::InvalidValue
            | ErrorKind::ValueValidation
            | ErrorKind::TooManyValues
            | ErrorKind::WrongNumberOfValues
    );
    repeats && args.iter().any(|arg| arg == "secrets")
}

fn block_on(app: AppBuilder, cli: &Cli, output: Output) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::other)?
        .block_on(dispatch(app, cli, output))
}

async fn dispatch(app: AppBuilder, cli: &Cli, output: Output) -> Result<(), Failure> {
    let profile = cli.config.as_path();
    if let Command::Serve(args) = &cli.command {
        return serve::run(app, args, profile, output).await;
    }
    let linked = app.registry().map_err(Failure::config)?;
    let custody_encryption = app.own_custody_encryption().cloned();
    match &cli.command {
        Command::Scan(args) => return scan::run(args, profile, output),
        Command::Config(command) => return config::run(command, profile, linked, output),
        Command::Plugins(PluginsCommand::List) => {
            // The profile may turn some off; without one all are on.
            let registry = match profile.exists() {
                true => session::enabled(&session::config(profile)?, linked)?,
                false => linked,
            };
            return plugins::list(&registry, output);
        }
        Command::Providers(command) => {
            return providers::run(command, profile, linked, custody_encryption, output).await;
        }
        Command::Routes(command) => return routes::run(command, profile, output),
        Command::Db(command) => return db::run(command.clone(), profile, linked, output).await,
        // These only read, or read nothing at all, and work on what they do not own.
        Command::Audit(AuditCommand::Verify(args)) => {
            return audit_verify::run(args, profile, output).await;
        }
        Command::Audit(AuditCommand::Prove(args)) => {
            return audit_proof::prove(args, profile, output).await;
        }
        Command::Audit(AuditCommand::VerifyProof(args)) => {
            return audit_proof::verify(args, output);
        }
        Command::Audit(AuditCommand::RotateKey { overlap }) => {
            return audit_key::rotate(*overlap, profile, output);
        }
        _ => {}
    }
    let session = Session::open(profile, linked).await?;
    match &cli.command {
        Command::Keys(KeysCommand::Create(args)) => keys::create(args, &session, output).await,
        Command::Keys(KeysCommand::List { user }) => {
            keys::list(user.as_deref(), &session, output).await
        }
        Command::Keys(KeysCommand::Revoke(args)) => keys::revoke(args, &session, output).await,
        Command::Users(UsersCommand::Create(args)) => users::create(args, &session, output).await,
        Command::Users(UsersCommand::List) => users::list(&session, output).await,
        Command::Secrets(command) => {
            secrets::run(command, &session, custody_encryption, output).await
        }
        Command::Govern(args) => govern::run(args, &session, output).await,
        Command::Policy(command) => command::policy::run(command, &session, output).await,
        Command::Audit(command) => audit::run(command, &session, output).await,
        Command::Analytics(args) => analytics::run(args, &session, output).await,
        Command::Serve(_)
        | Command::Config(_)
        | Command::Plugins(_)
        | Command::Providers(_)
        | Command::Routes(_)
        | Command::Db(_)
        | Command::Scan(_) => Ok(()),
    }
}
