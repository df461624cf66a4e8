use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::at;
use super::spot::Spot;
use crate::failure::Failure;

/// Findings that are known: they are left out of later scans wherever in their file they have moved to.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    version: Version,
    findings: BTreeSet<Known>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    #[default]
    #[serde(rename = "1")]
    One,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    path: String,
    rule: String,
    fingerprint: String,
}

impl Known {
    fn of(spot: &Spot) -> Self {
        let Spot { path, rule, fingerprint, .. } = spot.clone();
        Self { path, rule, fingerprint }
    }
}

impl Baseline {
    pub(super) fn of(spots: &[Spot]) -> Self {
        Self { version: Version::One, findings: spots.iter().map(Known::of).collect() }
    }

    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let text = std::fs::read(file).map_err(|error| at(file, &error))?;
        serde_json::from_slice(&text)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))
    }

    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(Failure::other)?;
        std::fs::write(file, text + "\n").map_err(|error| at(file, &error))
    }

    pub(super) fn holds(&self, spot: &Spot) -> bool {
        self.findings.contains(&Known::of(spot))
    }
}
