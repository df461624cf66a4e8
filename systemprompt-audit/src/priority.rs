//! Work that takes what decisions leave of the processor.

/// Gives this thread, and those it starts from now on, less of the processor than others. A priority
/// that cannot be changed changes nothing else.
#[cfg(target_os = "linux")]
pub(crate) fn step_back() {
    const NICE: i32 = 10;
    // Of a thread, as Linux has it; elsewhere it would be the whole process.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "the priority of a thread cannot be lowered");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn step_back() {}
