//! Closes the process to others of the same user, as the profile says.

use systemprompt_core::bootstrap::Config;
use systemprompt_custody::inject::{Hardening, harden_process};

/// Called by what serves until the process is told to end: it changes the whole process.
pub(crate) fn harden(config: &Config) {
    if !config.profile().custody.harden_process {
        tracing::warn!(
            "`custody.harden_process` is off: processes of the same user, tool servers among them, can read \
             the memory and the environment of this one"
        );
        return;
    }
    match harden_process() {
        Hardening::Applied | Hardening::Unsupported => {}
        Hardening::RunsAsRoot => tracing::warn!(
            "this process runs as root: what it starts as root can read its memory and its environment"
        ),
        Hardening::Refused(why) => tracing::warn!(
            "processes of the same user can read the memory and the environment of this one: {why}"
        ),
        other => tracing::warn!("the process may not be closed to others: {other:?}"),
    }
}
