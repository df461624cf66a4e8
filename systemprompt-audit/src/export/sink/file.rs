use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::export::batch::Batch;
use crate::export::settings::FileSettings;
use crate::export::spool::{make_folder, private};

/// How much of a file is looked at for the end of its last whole line, at a time.
const LOOK_BACK: u64 = 64 * 1024;

/// A file that is rotated by size.
#[derive(Debug)]
pub(in crate::export) struct FileSink {
    settings: FileSettings,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// How long the file is as far as it holds whole lines.
    length: u64,
}

impl FileSink {
    pub(in crate::export) fn new(settings: FileSettings) -> Self {
        Self { settings, open: None }
    }

    /// Appends all lines, rotating between them where it is time.
    pub(in crate::export) fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let result = self.try_write(batch);
        if result.is_err() {
            // A line that was cut off is taken back when the file is opened again.
            self.open = None;
        }
        result
    }

    fn try_write(&mut self, batch: &Batch) -> io::Result<()> {
        let mut start = 0;
        while start < batch.len() {
            let rotate_bytes = self.settings.rotate_bytes;
            let open = self.current()?;
            let room = rotate_bytes.saturating_sub(open.length);
            let mut end = start;
            while end < batch.len() && batch.size(&(start..end + 1)) as u64 <= room {
                end += 1;
            }
            if end == start {
                if open.length > 0 {
                    self.rotate()?;
                    continue;
                }
                // Longer than a whole file: it gets one of its own.
                end = start + 1;
            }
            let text = batch.text(&(start..end));
            open.file.write_all(text)?;
            open.length += text.len() as u64;
            start = end;
        }
        Ok(())
    }

    /// Makes what was written last through a power cut.
    pub(in crate::export) fn sync(&mut self) -> io::Result<()> {
        match &self.open {
            Some(open) if self.settings.sync => open.file.sync_data(),
            _ => Ok(()),
        }
    }

    /// The file, opened again when someone else has moved it away.
    fn current(&mut self) -> io::Result<&mut Open> {
        if self.open.as_ref().is_some_and(|open| !is_at(&open.file, &self.settings.path)) {
            self.sync()?;
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => open_whole(&self.settings.path)?,
        };
        Ok(self.open.insert(open))
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.sync()?;
        self.open = None;
        let path = &self.settings.path;
        if self.settings.keep == 0 {
            return fs::remove_file(path);
        }
        for number in (1..self.settings.keep).rev() {
            match fs::rename(numbered(path, number), numbered(path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(path, numbered(path, 1))
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Opens a file for appending, and takes a last line that was cut off away: it will be written again.
fn open_whole(path: &Path) -> io::Result<Open> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let mut file = private(OpenOptions::new().read(true).append(true).create(true), path)?;
    let length = file.metadata()?.len();
    let mut whole = length;
    while whole > 0 {
        let start = whole.saturating_sub(LOOK_BACK);
        let mut part = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&file).take(whole - start).read_to_end(&mut part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            whole = start + at as u64 + 1;
            break;
        }
        whole = start;
    }
    if whole < length {
        file.set_len(whole)?;
    }
    Ok(Open { file, length: whole })
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata().map(identity), fs::metadata(path).map(identity)) {
        (Ok(open), Ok(there)) => open == there,
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: &[&str]) -> Batch {
        let mut batch = Batch::new("server@x", 0);
        for line in lines {
            let push = |out: &mut Vec<u8>| {
                out.extend_from_slice(line.as_bytes());
                Ok::<_, ()>(())
            };
            batch.push(push).unwrap();
        }
        batch
    }

    fn sink(folder: &Path, rotate_bytes: u64, keep: u32) -> FileSink {
        let path = folder.join("audit.log");
        FileSink::new(FileSettings { path, rotate_bytes, keep, sync: true })
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap_or_default()
    }

    #[test]
    fn it_is_rotated_between_lines_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = sink(folder.path(), 8, 2);
        sink.write(&batch(&["aaa", "bbb", "ccc"])).unwrap();
        assert_eq!(read(folder.path(), "audit.log"), "ccc\n");
        assert_eq!(read(folder.path(), "audit.log.1"), "aaa\nbbb\n");
        sink.write(&batch(&["ddd", "longer than any file", "eee"])).unwrap();
        assert_eq!(read(folder.path(), "audit.log"), "eee\n");
        assert_eq!(read(folder.path(), "audit.log.1"), "longer than any file\n");
        assert_eq!(read(folder.path(), "audit.log.2"), "ccc\nddd\n");
        assert!(!folder.path().join("audit.log.3").exists());
    }

    #[test]
    fn a_line_that_was_cut_off_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("audit.log"), "whole\ncut o").unwrap();
        sink(folder.path(), 1000, 2).write(&batch(&["next"])).unwrap();
        assert_eq!(read(folder.path(), "audit.log"), "whole\nnext\n");
        fs::write(folder.path().join("audit.log"), "x".repeat(200_000)).unwrap();
        sink(folder.path(), 1_000_000, 2).write(&batch(&["next"])).unwrap();
        assert_eq!(read(folder.path(), "audit.log"), "next\n");
    }

    #[cfg(unix)]
    #[test]
    fn it_is_private_and_follows_a_rotation_by_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mut sink = sink(folder.path(), 1000, 2);
        sink.write(&batch(&["one"])).unwrap();
        let path = folder.path().join("audit.log");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::rename(&path, folder.path().join("moved")).unwrap();
        sink.write(&batch(&["two"])).unwrap();
        assert_eq!(read(folder.path(), "audit.log"), "two\n");
    }
}
