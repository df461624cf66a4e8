use serde::Serialize;
use serde_json::Value;

/// A secret and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Spot {
    /// The file as it was given or found; `-` for standard input.
    pub(super) path: String,
    /// The line it begins in, from 1.
    pub(super) line: usize,
    /// Its first byte in that line, from 1, where that can be told.
    #[serde(skip)]
    pub(super) column: usize,
    /// The id of the JSON line.
    pub(super) id: Option<Id>,
    pub(super) rule: String,
    pub(super) vendor: String,
    pub(super) confidence: String,
    /// The reading of the text in which it was seen.
    pub(super) view: String,
    pub(super) fingerprint: String,
}

/// The id of a JSON line: what the line has there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Id(pub(super) Value);

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.to_string().cmp(&other.0.to_string())
    }
}

/// A file that was not scanned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Unread {
    pub(super) path: String,
    pub(super) reason: String,
}

/// What a scan has seen.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) spots: Vec<Spot>,
    pub(super) files: usize,
    pub(super) bytes: u64,
    /// Files that are no text.
    pub(super) binary: usize,
    /// Files and lines that could not be read.
    pub(super) unread: Vec<Unread>,
}

impl Scanned {
    pub(super) fn add(&mut self, other: Self) {
        self.spots.extend(other.spots);
        self.files += other.files;
        self.bytes += other.bytes;
        self.binary += other.binary;
        self.unread.extend(other.unread);
    }
}
