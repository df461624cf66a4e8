use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::durable::sync_folder;

/// Makes a key of 32 random bytes, in hex, that only its owner may read. A key that is there already
/// is left alone. Of several processes that start at once, one wins, and no one sees half a key.
pub(super) fn create_if_missing(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let draft = path.with_extension(format!("{:016x}", rand::random::<u64>()));
    let result = write_key(&draft).and_then(|()| publish(&draft, path));
    let _ = fs::remove_file(&draft);
    result?;
    sync_folder(path)
}

fn write_key(path: &Path) -> io::Result<()> {
    let key = Zeroizing::new(rand::random::<[u8; 32]>());
    let text = Zeroizing::new(hex::encode(*key));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// A link fails where a rename would replace what is there.
fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error)
            if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) =>
        {
            // A file system without links.
            fs::rename(draft, path)
        }
        result => result,
    }
}
