use serde::Serialize;
use systemprompt_core::clock::Timestamp;

use super::Cursor;

/// How many rows a page may have: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The largest page.
    pub const MAX: Self = Self(1000);

    /// A page of `rows`; `None` unless that is 1 to 1,000.
    #[must_use]
    pub fn new(rows: u16) -> Option<Self> {
        (1..=1000).contains(&rows).then_some(Self(rows))
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(self) -> u16 {
        self.0
    }
}

impl Default for PageSize {
    /// 100 rows.
    fn default() -> Self {
        Self(100)
    }
}

/// One page of rows.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page starts, if there are more rows or may be.
    pub next_cursor: Option<Cursor>,
    /// How far back was looked, when a page has read as many rows as it may before it was full: there
    /// is nothing else as new as this. `next_cursor` goes on from there.
    pub scanned_to: Option<Timestamp>,
}
