use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::progress::Progress;
use super::reader::Reader;
use super::spot::{Scanned, Unread};
use crate::failure::Failure;
use crate::output::Output;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 512 * 1024 * 1024;

/// How folders are gone through.
pub(super) struct Walk {
    /// Respect `.gitignore`.
    pub(super) ignore: bool,
    /// How many threads; 0 for as many as there are processors.
    pub(super) threads: usize,
}

impl Walk {
    /// Scans everything in and under `paths`.
    pub(super) fn scan(
        &self,
        paths: &[PathBuf],
        reader: &Reader<'_>,
        output: Output,
    ) -> Result<Scanned, Failure> {
        let mut scanned = Scanned::default();
        let (input, paths): (Vec<_>, Vec<_>) =
            paths.iter().partition(|path| path.as_os_str() == "-");
        if !input.is_empty() {
            let mut content = Vec::new();
            std::io::stdin().lock().read_to_end(&mut content).map_err(Failure::other)?;
            scanned.add(reader.scan("-", &content));
        }
        if let Some(missing) = paths.iter().find(|path| !path.exists()) {
            return Err(Failure::usage(format!("`{}` does not exist", missing.display())));
        }
        if let Some((first, rest)) = paths.split_first() {
            scanned.add(self.folders(first, rest, reader, output));
        }
        Ok(scanned)
    }

    fn folders(
        &self,
        first: &Path,
        rest: &[&PathBuf],
        reader: &Reader<'_>,
        output: Output,
    ) -> Scanned {
        let mut builder = WalkBuilder::new(first);
        for path in rest {
            builder.add(path);
        }
        builder
            .standard_filters(self.ignore)
            .require_git(false)
            .hidden(false)
            .threads(self.threads)
            .filter_entry(|entry| entry.file_name() != ".git");
        let all = Mutex::new(Scanned::default());
        let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let progress = Progress::start(output);
        builder.build_parallel().run(|| {
            Box::new(|entry| {
                let scanned = match entry {
                    Ok(entry) => file(&entry, reader),
                    Err(error) => Some(unread(String::from("walk"), error.to_string())),
                };
                if let Some(scanned) = scanned {
                    let files = files.fetch_add(1, Ordering::Relaxed) + 1;
                    let bytes = bytes.fetch_add(scanned.bytes, Ordering::Relaxed) + scanned.bytes;
                    progress.show(files, bytes);
                    // A thread that panicked has left whole findings behind.
                    all.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).add(scanned);
                }
                WalkState::Continue
            })
        });
        progress.clear();
        all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Scans the file of `entry`; `None` for folders and links.
fn file(entry: &DirEntry, reader: &Reader<'_>) -> Option<Scanned> {
    if !entry.file_type()?.is_file() {
        return None;
    }
    let path = entry.path();
    let name = path.strip_prefix("./").unwrap_or(path).display().to_string();
    match entry.metadata() {
        Ok(metadata) if metadata.len() > MAX_FILE => {
            return Some(unread(name, format!("longer than {MAX_FILE} bytes")));
        }
        Ok(_) => {}
        Err(error) => return Some(unread(name, error.to_string())),
    }
    Some(match std::fs::read(path) {
        Ok(content) => reader.scan(&name, &content),
        Err(error) => unread(name, error.to_string()),
    })
}

fn unread(path: String, reason: String) -> Scanned {
    Scanned { unread: vec![Unread { path, reason }], ..Scanned::default() }
}
