//! Counts and the tables of them.

use std::collections::BTreeMap;
use std::fmt::Display;

/// Found and tried.
#[derive(Default, Clone, Copy)]
pub(crate) struct Rate(pub(crate) usize, pub(crate) usize);

impl Rate {
    pub(crate) fn count(&mut self, found: bool) {
        self.0 += usize::from(found);
        self.1 += 1;
    }

    pub(crate) fn percent(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let rate = self.0 as f64 / self.1.max(1) as f64;
        rate * 100.0
    }
}

/// Prints the rates that are not above `above`, the worst first.
pub(crate) fn table<K: Ord + Display>(title: &str, rates: &BTreeMap<K, Rate>, above: f64) {
    println!("\n{title}");
    let mut rows: Vec<_> = rates.iter().filter(|(_, rate)| rate.percent() <= above).collect();
    rows.sort_by(|one, other| one.1.percent().total_cmp(&other.1.percent()));
    for (key, rate) in rows {
        println!("{:>6.1} % of {:>5}  {key}", rate.percent(), rate.1);
    }
}
