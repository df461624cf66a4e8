//! `scan`: the secret scanner over files, folders and standard input.

mod baseline;
mod progress;
mod reader;
mod report;
mod sarif;
mod spot;
mod walk;

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use systemprompt_governance::secret::{Confidence, Scanner};

use self::baseline::Baseline;
use self::reader::Reader;
use self::report::Report;
use self::walk::Walk;
use crate::args::{ConfidenceArg, ScanArgs, ScanFormatArg};
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::session;

/// Exit code when something was found.
const FOUND: u8 = 1;

/// Fewest bytes of a key for fingerprints.
const MIN_KEY_BYTES: usize = 16;

pub(crate) fn run(args: &ScanArgs, profile: &Path, output: Output) -> Result<(), Failure> {
    let key = key(args, profile)?;
    let known = match &args.baseline {
        Some(_) if key.is_none() => return Err(keyless("--baseline")),
        Some(file) => Some(Baseline::read(file)?),
        None => None,
    };
    if args.write_baseline.is_some() && key.is_none() {
        return Err(keyless("--write-baseline"));
    }
    let scanner = scanner(args, key)?;
    let reader = Reader::new(&scanner, args.input, &args.field, &args.id, least(args));
    let walk = Walk { ignore: !args.no_ignore, threads: args.threads };
    let start = Instant::now();
    let mut scanned = walk.scan(&args.paths, &reader, output)?;
    scanned.spots.sort();
    if let Some(file) = &args.write_baseline {
        Baseline::of(&scanned.spots).write(file)?;
        return Ok(());
    }
    if let Some(known) = known {
        scanned.spots.retain(|spot| !known.holds(spot));
    }
    let format = match (args.format, output.is_json()) {
        (Some(format), _) => format,
        (None, true) => ScanFormatArg::Json,
        (None, false) => ScanFormatArg::Human,
    };
    let report = Report { scanned: &scanned, took: start.elapsed() };
    let text = report.render(format)?;
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(Failure::other)?;
    if format != ScanFormatArg::Json {
        report.say_what_was_left_out();
    }
    if let Some(unread) = scanned.unread.first() {
        let message = format!("{}: {}", unread.path, unread.reason);
        return Err(Failure::new(FailureKind::Usage, message));
    }
    match scanned.spots.len() {
        0 => Ok(()),
        1 => Err(Failure::new(FailureKind::Found(FOUND), "1 secret")),
        count => Err(Failure::new(FailureKind::Found(FOUND), format!("{count} secrets"))),
    }
}

fn keyless(option: &str) -> Failure {
    Failure::usage(format!(
        "`{option}` compares fingerprints, which need a key: give `--key-file`, or a profile"
    ))
}

fn least(args: &ScanArgs) -> Confidence {
    match args.min_confidence {
        ConfidenceArg::Medium => Confidence::Medium,
        ConfidenceArg::High => Confidence::High,
        ConfidenceArg::Certain => Confidence::Certain,
    }
}

/// The key of the fingerprints, if there is one that lasts.
fn key(args: &ScanArgs, profile: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let Some(file) = &args.key_file else {
        if !profile.exists() {
            return Ok(None);
        }
        let config = session::config(profile)?;
        return Ok(Some(config.fingerprint_key().expose().as_bytes().to_vec()));
    };
    let key = std::fs::read(file).map_err(|error| at(file, &error))?;
    if key.len() < MIN_KEY_BYTES {
        let bytes = key.len();
        return Err(Failure::usage(format!(
            "`{}` has {bytes} bytes, a key has {MIN_KEY_BYTES} or more",
            file.display()
        )));
    }
    Ok(Some(key))
}

fn scanner(args: &ScanArgs, key: Option<Vec<u8>>) -> Result<Scanner, Failure> {
    let key = key.unwrap_or_else(|| rand::random::<[u8; 32]>().to_vec());
    let mut builder =
        Scanner::builder().fingerprint_key(&key).disable(args.disable.iter().map(String::as_str));
    for file in &args.rules {
        let text = std::fs::read_to_string(file).map_err(|error| at(file, &error))?;
        builder = builder.rules(file.display().to_string(), text);
    }
    builder.build().map_err(|error| Failure::usage(error.to_string()))
}

fn at(file: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("`{}`: {error}", file.display()))
}
