//! The log of the process, on standard error. For binaries: a library leaves logging to its host.

use systemprompt_core::config::{LogFormat, LoggingSection};
use tracing_subscriber::EnvFilter;

/// Starts writing log lines as `section` says; `RUST_LOG` wins over its level. Does nothing when the
/// process logs already.
pub fn start(section: &LoggingSection) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(section.level.as_str()));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that somebody else has started a log; theirs stays.
    let _ = match section.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
