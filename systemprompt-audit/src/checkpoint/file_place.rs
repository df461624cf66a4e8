use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use systemprompt_core::durable::sync_folder;

use super::{CheckpointPlace, CheckpointRecord, ParsedRecord, PlaceError};
use crate::note::Checkpoint;

/// How much of a file's end is looked at for the newest checkpoint, in bytes.
const END: u64 = 256 * 1024;

/// A file that only grows, with one record of JSON in each line. The first is the verifier key; nothing
/// that is in it is ever written again.
#[derive(Debug, Clone)]
pub struct FilePlace {
    path: PathBuf,
}

impl FilePlace {
    /// The file at `path`; made with the first checkpoint, for its owner alone.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl CheckpointPlace for FilePlace {
    fn name(&self) -> String {
        format!("file {}", self.path.display())
    }

    async fn put(&self, record: &CheckpointRecord) -> Result<(), PlaceError> {
        let (path, record) = (self.path.clone(), record.clone());
        let put = tokio::task::spawn_blocking(move || append(&path, &record));
        Ok(put.await.map_err(io::Error::other)??)
    }

    async fn last(&self, origin: &str) -> Result<Option<Checkpoint>, PlaceError> {
        let (path, origin) = (self.path.clone(), origin.to_owned());
        let last = tokio::task::spawn_blocking(move || last(&path, &origin));
        Ok(last.await.map_err(io::Error::other)??)
    }
}

fn append(path: &Path, record: &CheckpointRecord) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let new = file.metadata()?.len() == 0;
    let mut text = if new { record.key_line() } else { String::new() };
    if !new && !ends_line(&mut file)? {
        // What a crash has cut short stays, in a line of its own.
        text.push('\n');
    }
    text.push_str(&record.to_line());
    // In one piece, so that several processes can write to one file.
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    if new { sync_folder(path) } else { Ok(()) }
}

fn ends_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn last(path: &Path, origin: &str) -> io::Result<Option<Checkpoint>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    let end = String::from_utf8_lossy(&end);
    // One that was cosigned late comes after newer ones.
    let of = |line| match ParsedRecord::parse(line)? {
        ParsedRecord::Checkpoint(checkpoint, _) if checkpoint.origin == origin => Some(checkpoint),
        _ => None,
    };
    Ok(end.lines().filter_map(of).max_by_key(|checkpoint| checkpoint.size))
}
