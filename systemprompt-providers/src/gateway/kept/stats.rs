/// What a cache of answers has done since the start, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Requests that were answered from it.
    pub hits: u64,
    /// Requests that were looked up in it and were not.
    pub misses: u64,
    /// Answers in it, those that are too old and have not been missed yet included.
    pub answers: u64,
    /// Bytes that they take.
    pub bytes: u64,
}
