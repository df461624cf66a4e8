/// Marks every open file and connection of this process but the first three as close-on-exec, so that a
/// child gets its three pipes and nothing else.
///
/// What Rust's standard library opens is marked from the start. What other code opened, and what this
/// process was handed by whoever started it (a shell or a supervisor that was careless), is not.
pub(super) fn keep_from_children() {
    #[cfg(unix)]
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
}
