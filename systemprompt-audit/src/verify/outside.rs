use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::checkpoint::ParsedRecord;
use crate::note::{Checkpoint, SignedNote, VerifierKey};

/// Longest line of a file of checkpoints, in bytes.
const LINE: u64 = 1 << 20;

/// How far back a checkpoint may be that comes again.
const RECENT: usize = 64;

/// Checkpoints from outside of the database.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The key in the first record.
    pub key: Option<VerifierKey>,
    /// By log, in the order of their sizes.
    pub(super) checkpoints: BTreeMap<String, Vec<(Checkpoint, SignedNote)>>,
    /// Lines that are no record.
    pub damaged: u64,
}

/// A file of checkpoints that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutsideError {
    /// It cannot be read.
    #[error("the file `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no checkpoint in it.
    #[error("there is no checkpoint in `{}`", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
    },
}

impl Outside {
    /// Reads a file: lines of JSON as [`FilePlace`](crate::checkpoint::FilePlace) writes them, or one
    /// signed note.
    ///
    /// # Errors
    /// [`OutsideError`] when it cannot be read or holds no checkpoint.
    pub fn read(path: &Path) -> Result<Self, OutsideError> {
        let unreadable = |source| OutsideError::Unreadable { path: path.to_owned(), source };
        let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
        let (mut outside, mut bare) = (Self::default(), Vec::new());
        let mut line = Vec::new();
        let mut first = true;
        while reader.by_ref().take(LINE).read_until(b'\n', &mut line).map_err(unreadable)? > 0 {
            let text = String::from_utf8_lossy(&line);
            match ParsedRecord::parse(&text) {
                Some(ParsedRecord::Key(key)) if first => outside.key = Some(key),
                Some(ParsedRecord::Key(_)) => {}
                Some(ParsedRecord::Checkpoint(checkpoint, note)) => outside.add(checkpoint, note),
                None if text.starts_with('{') => outside.damaged += 1,
                None if (bare.len() as u64) < LINE => bare.extend_from_slice(&line),
                None => outside.damaged += 1,
            }
            first = false;
            line.clear();
        }
        let lines = bare.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let lines = lines.count() as u64;
        if let Ok(note) = String::from_utf8_lossy(&bare).parse::<SignedNote>()
            && let Ok(checkpoint) = note.text().parse()
        {
            outside.add(checkpoint, note);
        } else {
            outside.damaged += lines;
        }
        let key_alone = outside.key.is_some() && outside.damaged == 0;
        if outside.checkpoints.is_empty() && !key_alone {
            return Err(OutsideError::Nothing { path: path.to_owned() });
        }
        outside.checkpoints.values_mut().for_each(|of| of.sort_by_key(|(point, _)| point.size));
        Ok(outside)
    }

    /// A checkpoint that comes again, as one does that was cosigned, adds its signatures.
    fn add(&mut self, checkpoint: Checkpoint, note: SignedNote) {
        let of = self.checkpoints.entry(checkpoint.origin.clone()).or_default();
        let recent = of.iter_mut().rev().take(RECENT);
        if let Some((_, there)) = recent.into_iter().find(|(_, there)| there.text() == note.text())
            && let Ok(both) = there.clone().with(note.signatures())
        {
            *there = both;
            return;
        }
        of.push((checkpoint, note));
    }

    /// The logs that there are checkpoints of.
    pub(super) fn origins(&self) -> impl Iterator<Item = &String> {
        self.checkpoints.keys()
    }

    /// How many checkpoints there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.checkpoints.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.checkpoints.is_empty()
    }
}
