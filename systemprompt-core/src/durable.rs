//! Files that are still there after a power cut.

use std::io;
use std::path::Path;

/// Makes the names in the folder of `path` durable: a file that was synced is lost with its name (POSIX
/// `fsync`). Does nothing where folders cannot be synced.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_file_is_synced_whether_or_not_the_file_is_there() {
        let folder = std::env::temp_dir();
        sync_folder(&folder.join("nothing")).unwrap();
        sync_folder(Path::new("nothing")).unwrap();
        #[cfg(unix)]
        assert!(sync_folder(&folder.join("no-folder-of-this-name/nothing")).is_err());
    }
}
