use std::fmt::{Display, Write as _};
use std::time::Duration;

/// A page in the Prometheus text exposition format, version 0.0.4.
#[derive(Debug, Default)]
pub(crate) struct Exposition(String);

/// The kinds of metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

impl Exposition {
    /// The media type of the page.
    pub(crate) const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// An empty page.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The page.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// Begins a family of samples.
    pub(crate) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        Family { page: self, name }
    }

    /// A counter without labels.
    pub(crate) fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, Kind::Counter, help).sample(&[], value);
    }

    /// A gauge without labels.
    pub(crate) fn gauge(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, Kind::Gauge, help).sample(&[], value);
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// The samples of one metric.
#[derive(Debug)]
pub(crate) struct Family<'p> {
    page: &'p mut Exposition,
    name: &'static str,
}

impl Family<'_> {
    /// One sample.
    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let name = self.name;
        self.page.line(format_args!("{name}{} {value}", Labels(labels)));
    }

    /// The samples of a histogram in seconds: upper bounds with the count of what is at most that long,
    /// cumulative and ascending, then the count and sum of all.
    pub(crate) fn histogram(
        &mut self,
        buckets: impl IntoIterator<Item = (Duration, u64)>,
        count: u64,
        sum: Duration,
    ) {
        let name = self.name;
        for (bound, seen) in buckets {
            let bound = bound.as_secs_f64();
            self.page.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {seen}"));
        }
        self.page.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.page.line(format_args!("{name}_sum {}", sum.as_secs_f64()));
        self.page.line(format_args!("{name}_count {count}"));
    }
}

struct Labels<'l>(&'l [(&'l str, &'l str)]);

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (name, value)) in self.0.iter().enumerate() {
            f.write_char(if at == 0 { '{' } else { ',' })?;
            write!(f, "{name}=\"")?;
            for character in value.chars() {
                match character {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    other => f.write_char(other)?,
                }
            }
            f.write_char('"')?;
        }
        if self.0.is_empty() { Ok(()) } else { f.write_char('}') }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_as_the_format_says() {
        let mut page = Exposition::new();
        let mut family = page.family("calls_total", Kind::Counter, "Calls.");
        family.sample(&[("door", "hook"), ("odd", "a\"b\\c\nd")], 3);
        page.gauge("open", "Open.", 1);
        page.family("took_seconds", Kind::Histogram, "Took.").histogram(
            [(Duration::from_micros(50), 1), (Duration::from_millis(1), 2)],
            3,
            Duration::from_millis(1500),
        );
        let expected = "\
# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{door=\"hook\",odd=\"a\\\"b\\\\c\\nd\"} 3
# HELP open Open.
# TYPE open gauge
open 1
# HELP took_seconds Took.
# TYPE took_seconds histogram
took_seconds_bucket{le=\"0.00005\"} 1
took_seconds_bucket{le=\"0.001\"} 2
took_seconds_bucket{le=\"+Inf\"} 3
took_seconds_sum 1.5
took_seconds_count 3
";
        assert_eq!(page.into_text(), expected);
    }
}
