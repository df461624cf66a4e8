//! Where batches go.

mod file;
mod http;
mod splunk_ack;
mod stdout;
mod syslog;
mod tls;

use std::io;
use std::ops::Range;
use std::time::Duration;

pub(super) use file::FileSink;
pub(super) use http::HttpSink;
pub(super) use stdout::StdoutSink;
pub(super) use syslog::SyslogSink;

use super::batch::Batch;

/// What became of an attempt.
#[derive(Debug)]
pub(super) enum Attempt {
    /// Everything has arrived.
    Arrived,
    /// It was taken, and will have arrived when the receiver acknowledges this number.
    Taken(u64),
    /// It did not work and may later; not before `after`, if the receiver said so.
    Later { after: Option<Duration>, problem: String },
    /// More than the receiver takes at once.
    TooLarge,
    /// The receiver does not want this.
    Refused { problem: String },
}

impl Attempt {
    fn later(problem: impl ToString) -> Self {
        Self::Later { after: None, problem: problem.to_string() }
    }
}

/// Why a receiver does not say what has arrived.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    /// Not to be asked again before, if it said so.
    pub(super) after: Option<Duration>,
    pub(super) problem: String,
    /// Whether it does so for nobody.
    disabled: bool,
}

impl Unconfirmed {
    fn new(problem: String) -> Self {
        Self { after: None, problem, disabled: false }
    }
}

/// A sink on this machine: writing needs no patience.
pub(super) enum LocalSink {
    File(FileSink),
    Stdout(StdoutSink),
}

impl LocalSink {
    /// Writes all lines, or says why not. What was written of them before an error is taken back where
    /// that is possible.
    pub(super) fn write(&mut self, batch: &Batch) -> io::Result<()> {
        match self {
            Self::File(sink) => sink.write(batch),
            Self::Stdout(sink) => sink.write(batch),
        }
    }

    /// Makes what was written last.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match self {
            Self::File(sink) => sink.sync(),
            Self::Stdout(_) => Ok(()),
        }
    }
}

/// A sink behind a network or a socket.
pub(super) enum RemoteSink {
    Http(HttpSink),
    Syslog(SyslogSink),
}

impl RemoteSink {
    /// Tries to deliver some lines.
    pub(super) async fn send(&mut self, batch: &Batch, lines: Range<usize>) -> Attempt {
        match self {
            Self::Http(sink) => sink.send(batch, lines).await,
            Self::Syslog(sink) => sink.send(batch, lines).await,
        }
    }

    /// Those of `numbers` that are acknowledged.
    pub(super) async fn confirm(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Unconfirmed> {
        match self {
            Self::Http(sink) => sink.confirm(numbers).await,
            Self::Syslog(_) => Ok(Vec::new()),
        }
    }

    /// Forgets what was taken and not acknowledged.
    pub(super) fn forget(&mut self) {
        if let Self::Http(sink) = self {
            sink.forget();
        }
    }
}
