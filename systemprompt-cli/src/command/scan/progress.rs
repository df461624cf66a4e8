use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::output::Output;

/// A line on the terminal that says how far a scan is.
pub(super) struct Progress {
    shown: bool,
    start: Instant,
    last: Mutex<Option<Instant>>,
}

impl Progress {
    pub(super) fn start(output: Output) -> Self {
        let shown = io::stderr().is_terminal() && !output.is_json();
        Self { shown, start: Instant::now(), last: Mutex::new(None) }
    }

    /// Shows what was done, at most ten times a second.
    pub(super) fn show(&self, files: u64, bytes: u64) {
        if !self.shown {
            return;
        }
        // Whoever holds it is showing.
        let Ok(mut last) = self.last.try_lock() else { return };
        let now = Instant::now();
        if last.is_some_and(|last| now - last < Duration::from_millis(100)) {
            return;
        }
        *last = Some(now);
        // Nobody to tell when standard error is gone.
        let _ = write!(io::stderr(), "\r{}\x1b[K", line(files, bytes, now - self.start));
    }

    pub(super) fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// `1200 files  35.0 MB  70.0 MB/s`.
fn line(files: u64, bytes: u64, elapsed: Duration) -> String {
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
    let rate = bytes.saturating_mul(1_000_000) / micros;
    format!("{files} files  {}  {}/s", megabytes(bytes), megabytes(rate))
}

/// `35.0 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_files_size_and_rate() {
        assert_eq!(line(3, 5_250_000, Duration::from_secs(2)), "3 files  5.2 MB  2.6 MB/s");
        assert_eq!(line(0, 0, Duration::ZERO), "0 files  0.0 MB  0.0 MB/s");
    }
}
