/// What [`harden_process`] could do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hardening {
    /// Other processes of the same user can no longer read the memory and the environment of this one.
    Applied,
    /// The same, but children run as root, which may read them all the same. Run the children as another
    /// user ([`ProcessUser`](super::ProcessUser)), or this process.
    RunsAsRoot,
    /// The system did not allow it.
    Refused(std::io::ErrorKind),
    /// This system has no such setting.
    Unsupported,
}

/// Keeps other processes of the same user out of this one. For programs, early in `main`: it changes the
/// whole process, so no library calls it.
///
/// A child runs as the user of its parent and could read `/proc/<parent>/environ` and
/// `/proc/<parent>/mem` on Linux, or attach a debugger, however empty its own environment is. This marks
/// the process as not dumpable (`PR_SET_DUMPABLE`, prctl(2)), which refuses all of that to whoever does
/// not have `CAP_SYS_PTRACE`; the children themselves are not affected. Core files are no longer
/// written and debuggers no longer attach without that capability.
#[must_use = "what was not applied is worth a warning"]
pub fn harden_process() -> Hardening {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior};

        match set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            Ok(()) if geteuid().is_root() => Hardening::RunsAsRoot,
            Ok(()) => Hardening::Applied,
            Err(error) => Hardening::Refused(error.kind()),
        }
    }
    #[cfg(not(target_os = "linux"))]
    Hardening::Unsupported
}
