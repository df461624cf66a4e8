use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::Path;

use systemprompt_audit::export::{Encoder, Format, OnceError, OnceFilter, host_name, write_once};
use systemprompt_audit::parse_instant;
use systemprompt_core::clock::Timestamp;

use crate::args::ExportArgs;
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::session::Session;

pub(crate) async fn run(
    args: &ExportArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let format: Format =
        args.format.parse().map_err(|error| Failure::usage(format!("--format: {error}")))?;
    let now = session.clock.now();
    let filter = OnceFilter {
        from: instant("--from", args.from.as_deref(), now)?,
        to: instant("--to", args.to.as_deref(), now)?,
        origin: args.origin.clone(),
    };
    let host = session.config.profile().export.host.clone();
    let encoder = Encoder::new(format, host.unwrap_or_else(host_name));
    let database = &session.database;
    let written = if args.output == Path::new("-") {
        let mut out = BufWriter::new(io::stdout());
        write_once(database, &encoder, &filter, &mut out).await
    } else {
        let mut out = BufWriter::new(create(&args.output)?);
        let written = write_once(database, &encoder, &filter, &mut out).await;
        written.and_then(|count| Ok(out.get_ref().sync_all().map(|()| count)?))
    };
    match written {
        Ok(count) => {
            output.note(&format!("{count} events"));
            Ok(())
        }
        // The reader has seen enough (`| head`).
        Err(OnceError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(OnceError::Origin(origin)) => {
            Err(Failure::not_found(format!("there is no log `{origin}`")))
        }
        Err(error @ (OnceError::Query(_) | OnceError::Unreadable { .. })) => {
            Err(Failure::database(error))
        }
        Err(error) => Err(Failure::other(error)),
    }
}

fn instant(name: &str, text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let parsed = text.map(|text| parse_instant(text, now)).transpose();
    parsed.map_err(|error| Failure::usage(format!("{name}: {error}")))
}

/// A new file for its owner alone; one that is there is left alone.
fn create(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|error| Failure::new(FailureKind::Other, format!("`{}`: {error}", path.display())))
}
