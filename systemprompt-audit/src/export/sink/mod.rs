//! Where batches go.

mod file;
mod http;
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
}
