//! `audit verify`.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use systemprompt_audit::note::{KeyError, WitnessKey};
use systemprompt_audit::verify::{
    AuditSource, Finding, LogReport, Outside, Progress, Report, VerifyOptions, verify,
};
use systemprompt_core::bootstrap::ProfileBootstrap;
use systemprompt_core::config::{CheckpointTarget, Environment, Profile};
use systemprompt_core::database::DatabaseOptions;

use crate::args::VerifyArgs;
use crate::failure::{Failure, FailureKind};
use crate::output::{Output, plain};

pub(crate) async fn run(args: &VerifyArgs, profile: &Path, output: Output) -> Result<(), Failure> {
    let place = Place::of(args.database.as_deref(), profile)?;
    let outside = args.checkpoints.clone().or(place.checkpoints);
    // Before the database: a checkpoint is written after its events.
    let outside = outside.map(|path| Outside::read(&path)).transpose();
    let options = VerifyOptions {
        keys: keys("--key", &args.keys)?,
        witnesses: match args.witnesses.as_slice() {
            [] => place.witnesses,
            texts => keys("--witness", texts)?,
        },
        outside: outside.map_err(Failure::other)?,
        since_checkpoint: args.since_checkpoint,
    };
    let mut source = AuditSource::open_with(&place.database).await.map_err(Failure::database)?;
    let mut bar = Bar::new(output);
    let report = verify(&mut source, &options, &mut |progress| bar.show(progress)).await;
    bar.clear();
    let report = report.map_err(Failure::database)?;
    if output.is_json() {
        output.value(&report)?;
    } else {
        output.text(&text(&report, &options))?;
    }
    match report.gravest() {
        None => Ok(()),
        Some(kind) => {
            let count: u64 = report.counts.values().sum();
            let noun = if count == 1 { "finding" } else { "findings" };
            let message = format!("{count} {noun}, the gravest of them `{kind}`");
            Err(Failure::new(FailureKind::Found(kind.exit_code()), message))
        }
    }
}

/// What is read when the command line does not say.
pub(crate) struct Place {
    pub(crate) database: DatabaseOptions,
    checkpoints: Option<PathBuf>,
    witnesses: Vec<WitnessKey>,
}

impl Place {
    /// The database `named`, else what the profile names. Nothing is made that is not there.
    pub(crate) fn of(named: Option<&str>, profile: &Path) -> Result<Self, Failure> {
        if let Some(url) = named {
            let database = DatabaseOptions::new(url);
            return Ok(Self { database, checkpoints: None, witnesses: Vec::new() });
        }
        let loaded = ProfileBootstrap::load(profile, Environment::from_process());
        let loaded = loaded.map_err(Failure::config)?;
        let settings = &loaded.profile().database;
        let mut database = DatabaseOptions::new(settings.url.expose());
        // No other secret of the profile is needed here, and an auditor may not have it.
        if let Some(password) = &settings.password {
            let found = password.resolve(&Environment::from_process());
            database.password = Some(Arc::new(found.map_err(Failure::config)?.value));
        }
        // Beside the database, or beside the profile when that is on a server.
        let beside = settings.url.path().unwrap_or(profile);
        let checkpoints = checkpoints(loaded.profile(), beside).filter(|path| path.exists());
        Ok(Self { database, checkpoints, witnesses: witnesses(loaded.profile())? })
    }
}

fn witnesses(profile: &Profile) -> Result<Vec<WitnessKey>, Failure> {
    let mut texts = Vec::new();
    for target in profile.audit.checkpoints.iter().flatten() {
        if let CheckpointTarget::Witness(witness) = target {
            texts.push(witness.key.clone());
        }
    }
    keys("audit.checkpoints", &texts)
}

fn checkpoints(profile: &Profile, beside: &Path) -> Option<PathBuf> {
    match &profile.audit.checkpoints {
        None => Some(beside.with_file_name("checkpoints.log")),
        Some(targets) => targets.iter().find_map(|target| match target {
            CheckpointTarget::File(path) => Some(path.clone()),
            _ => None,
        }),
    }
}

/// The keys that `texts`, of the option `option`, are, or that are in the files they name, one a line.
pub(crate) fn keys<K: FromStr<Err = KeyError>>(
    option: &str,
    texts: &[String],
) -> Result<Vec<K>, Failure> {
    let mut keys = Vec::new();
    for text in texts {
        let shown = plain(text);
        match text.parse() {
            Ok(key) => {
                keys.push(key);
                continue;
            }
            Err(error @ (KeyError::Witness | KeyError::NoWitness)) => {
                return Err(Failure::usage(format!("{option}: `{shown}`: {error}")));
            }
            Err(_) => {}
        }
        let file = fs::read_to_string(text).map_err(|error| {
            Failure::usage(format!(
                "{option}: `{shown}` is neither a verifier key nor a file: {error}"
            ))
        })?;
        for line in file.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let key = line.parse().map_err(|error| {
                Failure::usage(format!("{option}: `{shown}` holds something else: {error}"))
            })?;
            keys.push(key);
        }
    }
    Ok(keys)
}

fn text(report: &Report, options: &VerifyOptions) -> String {
    let mut text = String::new();
    for log in &report.logs {
        text.push_str(&log_line(log));
        if report.witnesses > 0 {
            text.push_str(&cosigned_line(log));
        }
    }
    let word = |good: bool| if good { "ok" } else { "NOT OK" };
    text.push_str(&format!(
        "\nintegrity      {}\ncompleteness   {}\npermits        {} open, {} abandoned\n",
        word(report.integrity),
        word(report.completeness),
        report.open_permits,
        report.abandoned_permits,
    ));
    text.push_str(&trust(report, options));
    if !report.findings.is_empty() {
        text.push('\n');
    }
    for finding in &report.findings {
        text.push_str(&finding_line(finding));
    }
    let (kept, all) = (report.findings.len() as u64, report.counts.values().sum::<u64>());
    if all > kept {
        text.push_str(&format!("and {} more\n", all - kept));
    }
    text
}

fn log_line(log: &LogReport) -> String {
    let unsigned = log.last_seq.saturating_sub(log.signed_to).max(0);
    let tail = match unsigned {
        0 => "all of them signed".to_owned(),
        some => format!("signed up to {}, {some} not signed yet", log.signed_to),
    };
    let LogReport { origin, rows, checkpoints, pruned_to, .. } = log;
    let pruned = match pruned_to {
        0 => String::new(),
        to => format!(", pruned up to {to}"),
    };
    format!("log {}: {rows} rows, {checkpoints} checkpoints, {tail}{pruned}\n", plain(origin))
}

fn cosigned_line(log: &LogReport) -> String {
    let LogReport { cosigned, cosigned_to, last_seq, .. } = log;
    let Some(at) = &log.cosigned_at else {
        return "  no checkpoint of it that a witness has cosigned\n".to_owned();
    };
    let tail = match last_seq.saturating_sub(*cosigned_to).max(0) {
        0 => String::new(),
        some => format!(", {some} not cosigned yet"),
    };
    format!("  {cosigned} checkpoints cosigned, the last at {at} up to {cosigned_to}{tail}\n")
}

fn trust(report: &Report, options: &VerifyOptions) -> String {
    let key = match (options.keys.first(), options.outside.as_ref()) {
        (Some(key), _) => format!("checked with the key {key}"),
        (None, Some(Outside { key: Some(key), .. })) => {
            format!("checked with the key {key} of the checkpoints outside")
        }
        _ => {
            "UNPROVEN: checked with the log's own key; bring one along with --key or --checkpoints"
                .to_owned()
        }
    };
    let outside = match report.outside_checkpoints {
        0 => "no checkpoint from outside, so that a tail that was cut off may go unseen".to_owned(),
        some => format!("{some} checkpoints from outside"),
    };
    let damaged = match report.outside_damaged {
        0 => String::new(),
        1 => "warning        1 record outside cannot be read and was left out\n".to_owned(),
        some => format!("warning        {some} records outside cannot be read and were left out\n"),
    };
    format!("signatures     {key}\n               {outside}\n{damaged}")
}

fn finding_line(finding: &Finding) -> String {
    let mut place = finding.origin.as_deref().map(plain).unwrap_or_default();
    if let Some(seq) = finding.seq {
        place.push_str(&format!(" seq {seq}"));
    }
    if let Some(to) = finding.to_seq {
        place.push_str(&format!(" to {to}"));
    }
    if let Some(event) = &finding.event {
        place.push_str(&format!(" event {}", plain(event)));
    }
    format!("{:<22} {}: {}\n", finding.kind.as_str(), place.trim_start(), plain(&finding.detail))
}

/// A bar on the terminal, with rate and time left.
struct Bar {
    shown: bool,
    start: Instant,
    last: Option<Instant>,
}

impl Bar {
    fn new(output: Output) -> Self {
        let shown = io::stderr().is_terminal() && !output.is_json();
        Self { shown, start: Instant::now(), last: None }
    }

    fn show(&mut self, progress: Progress) {
        let now = Instant::now();
        let soon = self.last.is_some_and(|last| now - last < Duration::from_millis(100));
        if !self.shown || soon {
            return;
        }
        self.last = Some(now);
        // Nobody to tell when standard error is gone.
        let _ = write!(io::stderr(), "\r{}\x1b[K", line(progress, now - self.start));
    }

    fn clear(&self) {
        if self.last.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// `[#####     ] 50 %  1000 of 2000 rows  500/s  2 s left`.
fn line(progress: Progress, elapsed: Duration) -> String {
    const WIDTH: u64 = 30;
    let Progress { done, total } = progress;
    let part = |of: u64| (done.min(total) * of).checked_div(total).unwrap_or(of);
    let filled = usize::try_from(part(WIDTH)).unwrap_or_default();
    let bar = format!("{:<30}", "#".repeat(filled));
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1_000_000) / micros;
    let left = total.saturating_sub(done).checked_div(rate);
    let left = left.map_or_else(|| "?".to_owned(), |left| left.to_string());
    format!("[{bar}] {} %  {done} of {total} rows  {rate}/s  {left} s left", part(100))
}

#[cfg(test)]
mod tests {
    use systemprompt_audit::note::VerifierKey;

    use super::*;

    #[test]
    fn the_bar_tells_rate_and_time_left() {
        let at =
            |done, total, seconds| line(Progress { done, total }, Duration::from_secs(seconds));
        assert_eq!(
            at(500_000, 2_000_000, 2),
            "[#######                       ] 25 %  500000 of 2000000 rows  250000/s  6 s left"
        );
        assert!(at(0, 10, 0).ends_with("? s left"));
        assert!(at(10, 10, 1).contains("100 %"));
        assert!(at(0, 0, 1).contains("100 %"));
    }

    #[test]
    fn a_key_is_given_as_such_or_in_a_file() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.pub");
        fs::write(&file, format!("{key}\n")).unwrap();
        let file = file.to_string_lossy().into_owned();
        let read: Vec<VerifierKey> = keys("--key", &[key.to_owned(), file]).unwrap();
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), [key, key]);
        assert!(keys::<VerifierKey>("--key", &["neither".to_owned()]).is_err());
        // A key of a log is none of a witness.
        let error = keys::<WitnessKey>("--witness", &[key.to_owned()]).unwrap_err();
        assert!(error.to_string().contains("0x04"), "{error}");
    }
}
