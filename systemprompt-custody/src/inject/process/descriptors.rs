use super::ProcessError;

/// Makes sure that a child would inherit nothing but its three pipes.
///
/// Everything that Rust's standard library opens is marked close-on-exec. What is not was opened by other
/// code, or was handed to this process by whoever started it; to mark it afterwards takes code that the
/// compiler cannot check, so the start is refused instead. Other systems than Linux do not tell.
#[cfg(target_os = "linux")]
pub(super) fn check() -> Result<(), ProcessError> {
    use std::fs;

    /// `O_CLOEXEC` as `/proc` shows it, in octal.
    const CLOSE_ON_EXEC: u32 = 0o2_000_000;

    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return Ok(()) };
    for entry in entries.flatten() {
        let Some(descriptor) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that is closed by now is not inherited.
        let Ok(info) = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")) else {
            continue;
        };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|digits| u32::from_str_radix(digits.trim(), 8).ok());
        let inherited = flags.is_none_or(|flags| flags & CLOSE_ON_EXEC == 0);
        if descriptor > 2 && inherited {
            let target = fs::read_link(entry.path());
            let target =
                target.map_or_else(|_| "unknown".to_owned(), |to| to.display().to_string());
            return Err(ProcessError::Inherited { descriptor, target });
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn check() -> Result<(), ProcessError> {
    Ok(())
}
