use super::Problems;
use crate::injection::InjectionSettings;

/// What can be told of the section without the rules of injection itself, which the start goes by.
pub(super) fn settings(settings: &InjectionSettings, problems: &mut Problems) {
    let (http, process) = (&settings.http, &settings.process);
    let largest = 1 << 30;
    problems.range("injection.http.max_body_bytes", http.max_body_bytes, 1..=largest);
    problems.range("injection.http.connect_timeout_ms", http.connect_timeout_ms, 1..=600_000);
    problems.range("injection.http.timeout_ms", http.timeout_ms, 1..=3_600_000);
    problems.range("injection.process.time_ms", process.time_ms, 1..=3_600_000);
    problems.range("injection.process.output_bytes", process.output_bytes, 1..=largest);
}
