//! Encoded batches that wait on disk.
//!
//! A segment is one batch: a line that says what it is, then the lines. It is written under another name
//! and renamed, so that a segment that was cut off is never taken for one. Segments are not synced: what
//! a power cut damages is found by its length and read from the log again, because the place of a sink
//! is noted when events have arrived, not when they are here.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::batch::Batch;
use super::stats::{Counters, Places};

/// The version of the form of segments.
const VERSION: u32 = 1;
/// Events that the receiver refused for good.
const REJECTED: &str = "rejected.lines";
/// Longest first line of a segment, in bytes.
const MAX_HEAD: usize = 1024;

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    v: u32,
    /// What the lines are: a segment of another format is of no use.
    form: String,
    origin: String,
    after: i64,
    to: i64,
    bytes: u64,
}

/// A segment that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    path: PathBuf,
    head: Head,
    size: u64,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits.
    Yes,
    /// There is no room.
    Full,
    /// What was not delivered must be read again first.
    ReadAgain,
}

/// The spool of one sink.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    form: String,
    max_bytes: u64,
    state: Mutex<State>,
    counters: Arc<Counters>,
    /// Something was put in.
    pub(super) filled: Notify,
    /// Something was taken out.
    pub(super) emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Segment>,
    delivered: Vec<Segment>,
    bytes: u64,
    rejected_bytes: u64,
    next: u64,
    read_again: bool,
}

impl Spool {
    /// Opens the spool in `folder`, made when it is missing, with what goes on after `noted`.
    pub(super) fn open(
        folder: &Path,
        form: &str,
        max_bytes: u64,
        noted: &Places,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        make_folder(folder)?;
        let rejected_bytes =
            fs::metadata(folder.join(REJECTED)).map(|file| file.len()).unwrap_or_default();
        let mut state = State { rejected_bytes, ..State::default() };
        let mut places = noted.clone();
        let mut sound = true;
        for (index, path) in segments(folder)? {
            state.next = index + 1;
            let segment = read_head(&path, form).filter(|_| sound);
            let place = segment.as_ref().map(|s| {
                let known = places.get(&s.head.origin).copied().unwrap_or(0);
                (known, s.head.after, s.head.to)
            });
            match (segment, place) {
                (Some(segment), Some((known, after, to))) if after == known && to > known => {
                    places.insert(segment.head.origin.clone(), to);
                    state.bytes += segment.size;
                    state.waiting.push_back(segment);
                }
                // It has arrived already.
                (Some(_), Some((known, _, to))) if to <= known => fs::remove_file(&path)?,
                _ => {
                    // Damaged, or something before it is missing: the log has it all.
                    sound = false;
                    fs::remove_file(&path)?;
                }
            }
        }
        if !sound {
            tracing::warn!(folder = %folder.display(), "a part of the export spool is read again");
        }
        let spool = Self {
            folder: folder.to_owned(),
            form: form.to_owned(),
            max_bytes,
            state: Mutex::new(state),
            counters,
            filled: Notify::new(),
            emptied: Notify::new(),
        };
        spool.count(&spool.state());
        Ok(spool)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, state: &State) {
        self.counters.spooled_bytes.store(state.bytes + state.rejected_bytes, Relaxed);
    }

    /// Up to where everything waits here.
    pub(super) fn places(&self) -> Places {
        let state = self.state();
        let all = state.delivered.iter().chain(&state.waiting);
        all.map(|segment| (segment.head.origin.clone(), segment.head.to)).collect()
    }

    /// Puts a batch in.
    pub(super) fn push(&self, batch: &Batch) -> io::Result<Pushed> {
        let mut state = self.state();
        if state.read_again {
            return Ok(Pushed::ReadAgain);
        }
        let size = batch.bytes().len() as u64 + MAX_HEAD as u64;
        let used = state.bytes + state.rejected_bytes;
        // One batch always finds room, or a small cap would be the end.
        let empty = state.waiting.is_empty() && state.delivered.is_empty();
        if used + size > self.max_bytes && !empty {
            return Ok(Pushed::Full);
        }
        let segment = self.write(state.next, batch)?;
        state.next += 1;
        state.bytes += segment.size;
        state.waiting.push_back(segment);
        self.count(&state);
        self.filled.notify_one();
        Ok(Pushed::Yes)
    }

    fn write(&self, index: u64, batch: &Batch) -> io::Result<Segment> {
        let head = Head {
            v: VERSION,
            form: self.form.clone(),
            origin: batch.origin.clone(),
            after: batch.after,
            to: batch.to,
            bytes: batch.bytes().len() as u64,
        };
        let mut line = serde_json::to_vec(&head)?;
        line.push(b'\n');
        let draft = self.folder.join("draft");
        let mut file = private(OpenOptions::new().write(true).create(true).truncate(true), &draft)?;
        file.write_all(&line)?;
        file.write_all(batch.bytes())?;
        let path = self.folder.join(format!("{index:016x}.segment"));
        fs::rename(&draft, &path)?;
        let size = line.len() as u64 + head.bytes;
        Ok(Segment { path, head, size })
    }

    /// The segment after `index` others that are to be delivered.
    pub(super) fn nth(&self, index: usize) -> Option<Segment> {
        self.state().waiting.get(index).cloned()
    }

    /// Whether what was not delivered must be read again; until then nothing is taken.
    pub(super) fn wants_again(&self) -> bool {
        self.state().read_again
    }

    /// From now on it is read again.
    pub(super) fn reads_again(&self) {
        self.state().read_again = false;
    }

    /// Whether nothing waits to be delivered.
    pub(super) fn is_empty(&self) -> bool {
        self.state().waiting.is_empty()
    }

    /// The batch in a segment; `None` when it is damaged, and then it and all after it are gone and will
    /// be read again.
    pub(super) fn read(&self, segment: &Segment) -> io::Result<Option<Batch>> {
        if let Some(batch) = read_batch(segment)? {
            return Ok(Some(batch));
        }
        let mut state = self.state();
        for segment in std::mem::take(&mut state.waiting) {
            state.bytes = state.bytes.saturating_sub(segment.size);
            remove(&segment.path)?;
        }
        state.read_again = true;
        self.count(&state);
        self.emptied.notify_one();
        Ok(None)
    }

    /// The first segment has arrived. It stays until that is noted.
    pub(super) fn delivered(&self) {
        let mut state = self.state();
        if let Some(segment) = state.waiting.pop_front() {
            state.delivered.push(segment);
        }
        self.emptied.notify_one();
    }

    /// What has arrived and is not noted yet.
    pub(super) fn to_note(&self) -> Places {
        let state = self.state();
        state.delivered.iter().map(|s| (s.head.origin.clone(), s.head.to)).collect()
    }

    /// `places` were noted: what arrived up to there is not needed any more.
    pub(super) fn noted(&self, places: &Places) -> io::Result<()> {
        let mut state = self.state();
        for segment in std::mem::take(&mut state.delivered) {
            if places.get(&segment.head.origin).is_some_and(|to| *to >= segment.head.to) {
                state.bytes = state.bytes.saturating_sub(segment.size);
                remove(&segment.path)?;
            } else {
                state.delivered.push(segment);
            }
        }
        self.count(&state);
        self.emptied.notify_one();
        Ok(())
    }

    /// Keeps lines that the receiver refuses for good. `false` when there is no room for them either.
    pub(super) fn set_aside<'l>(&self, lines: impl Iterator<Item = &'l [u8]>) -> io::Result<bool> {
        let mut text = Vec::new();
        for line in lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        let mut state = self.state();
        if state.bytes + state.rejected_bytes + text.len() as u64 > self.max_bytes {
            return Ok(false);
        }
        let path = self.folder.join(REJECTED);
        let mut file = private(OpenOptions::new().append(true).create(true), &path)?;
        file.write_all(&text)?;
        file.sync_data()?;
        state.rejected_bytes += text.len() as u64;
        self.count(&state);
        Ok(true)
    }
}

/// The segments in a folder by their number; leftovers of writing are removed.
fn segments(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == "draft" {
            remove(&path)?;
        } else if let Some(index) = name.strip_suffix(".segment")
            && let Ok(index) = u64::from_str_radix(index, 16)
        {
            found.push((index, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn read_head(path: &Path, form: &str) -> Option<Segment> {
    let file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let mut start = Vec::new();
    file.take(MAX_HEAD as u64).read_to_end(&mut start).ok()?;
    let line = start.split_inclusive(|byte| *byte == b'\n').next()?;
    let head: Head = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    let whole = head.v == VERSION && head.form == form && size == line.len() as u64 + head.bytes;
    whole.then(|| Segment { path: path.to_owned(), head, size })
}

fn read_batch(segment: &Segment) -> io::Result<Option<Batch>> {
    let bytes = match fs::read(&segment.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let head = &segment.head;
    let start = bytes.len().checked_sub(usize::try_from(head.bytes).unwrap_or(usize::MAX));
    let Some(lines) = start.and_then(|start| bytes.get(start..)) else { return Ok(None) };
    if bytes.len() as u64 != segment.size {
        return Ok(None);
    }
    Ok(Batch::of_lines(&head.origin, head.after, head.to, lines.to_vec()))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes a folder for its owner alone.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file that is made for its owner alone.
pub(super) fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}
