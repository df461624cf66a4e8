use std::collections::VecDeque;
use std::fmt;

use zeroize::Zeroize as _;

use super::EchoFilter;
use super::automaton::ROOT;

/// Most white space in a row inside a value. More of it ends what may have been the start of one, so
/// that a tool cannot make a stream hold back without bound.
const MAX_GAP: u32 = 64;

/// Filters output that comes in pieces; see [`EchoFilter::stream`].
///
/// It holds back what may be the start of a value, which is at most the longest encoding of one with
/// the white space in it, and usually nothing. A line that has ended is let out unless its last four
/// characters may be such a start, so that programs that answer each other line by line do not wait.
pub struct EchoStream {
    filter: EchoFilter,
    state: u32,
    /// White space since the last other byte.
    gap: u32,
    /// Bytes that came in so far.
    position: u64,
    /// The last of them, not let out yet.
    held: VecDeque<u8>,
    /// Where the bytes stand that the state has read: the start of what may become a value comes first.
    places: VecDeque<u64>,
    /// What was found in or after the held bytes, in order and without overlaps.
    findings: VecDeque<Finding>,
}

/// A run of bytes that one or more values cover.
#[derive(Debug, Clone, Copy)]
struct Finding {
    start: u64,
    end: u64,
    /// The value that begins first, the longest of those.
    value: u32,
    /// Whether the marker was written; only the rest of the run remains to be left out then.
    marked: bool,
}

impl EchoStream {
    pub(super) fn new(filter: EchoFilter) -> Self {
        Self {
            filter,
            state: ROOT,
            gap: 0,
            position: 0,
            held: VecDeque::new(),
            places: VecDeque::new(),
            findings: VecDeque::new(),
        }
    }

    /// Takes the next piece; gives back what can be let out.
    #[must_use]
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let filter = self.filter.clone();
        self.held.reserve(piece.len());
        for &byte in piece {
            self.read(&filter, byte);
        }
        let mut out = Vec::with_capacity(piece.len());
        self.release(self.places.front().copied().unwrap_or(self.position), &mut out);
        out
    }

    /// Gives back the rest: what looked like the start of a value and was none. The stream is then at
    /// the beginning of another output.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held.len());
        self.release(self.position, &mut out);
        self.forget_start();
        out
    }

    fn read(&mut self, filter: &EchoFilter, byte: u8) {
        let at = self.position;
        self.position += 1;
        self.held.push_back(byte);
        if byte.is_ascii_whitespace() {
            self.gap += 1;
            let begun = filter.automaton().node(self.state).depth;
            let line_ends = byte == b'\n' && begun < filter.least_before_line_break();
            if line_ends || self.gap > MAX_GAP {
                self.forget_start();
            }
            return;
        }
        self.gap = 0;
        self.state = filter.automaton().step(self.state, byte);
        let node = filter.automaton().node(self.state);
        self.places.push_back(at);
        if node.found > 0 {
            let first = self.places.len().saturating_sub(node.found as usize);
            let start = self.places.get(first).copied().unwrap_or(at);
            self.note(Finding { start, end: at + 1, value: node.value, marked: false });
        }
        self.state = filter.automaton().least(self.state);
        let begun = filter.automaton().node(self.state).depth;
        while self.places.len() > begun as usize {
            self.places.pop_front();
        }
    }

    fn note(&mut self, mut finding: Finding) {
        while let Some(last) = self.findings.pop_back_if(|last| last.end > finding.start) {
            if last.start < finding.start {
                finding.start = last.start;
                finding.value = last.value;
            }
            finding.end = finding.end.max(last.end);
            finding.marked |= last.marked;
        }
        self.findings.push_back(finding);
    }

    fn forget_start(&mut self) {
        self.state = ROOT;
        self.gap = 0;
        self.places.clear();
    }

    /// Lets out what stands before `end`.
    fn release(&mut self, end: u64, out: &mut Vec<u8>) {
        let mut at = self.position - self.held.len() as u64;
        while at < end {
            let next = match self.findings.front_mut() {
                Some(finding) if finding.start <= at => {
                    if !finding.marked {
                        out.extend_from_slice(self.filter.marker(finding.value));
                        finding.marked = true;
                    }
                    let next = finding.end.min(end);
                    self.held.drain(..length(at, next)).for_each(drop);
                    if next == finding.end {
                        self.findings.pop_front();
                    }
                    next
                }
                finding => {
                    let next = finding.map_or(end, |finding| finding.start.min(end));
                    out.extend(self.held.drain(..length(at, next)));
                    next
                }
            };
            at = next;
        }
    }
}

/// Bytes between two places; both lie in what is held.
fn length(from: u64, to: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}

impl Drop for EchoStream {
    fn drop(&mut self) {
        self.held.make_contiguous().zeroize();
    }
}

impl fmt::Debug for EchoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EchoStream").field("held", &self.held.len()).finish_non_exhaustive()
    }
}
