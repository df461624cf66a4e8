use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use systemprompt_core::durable;

use crate::StartError;

/// Makes a folder for its owner alone; one that is there is left as it is.
pub(super) fn make_folder(folder: &Path) -> Result<(), StartError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed(folder, "the folder cannot be made"))
}

/// Writes a file for its owner alone, whole or not at all.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), StartError> {
    let draft = path.with_added_extension("new");
    write_draft(&draft, content)
        .and_then(|()| fs::rename(&draft, path))
        .map_err(failed(path, "it cannot be written"))?;
    sync_folder(path)
}

fn write_draft(draft: &Path, content: &[u8]) -> io::Result<()> {
    if draft.exists() {
        // A leftover may have another owner's mode.
        fs::remove_file(draft)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes the names in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), StartError> {
    durable::sync_folder(path).map_err(failed(path, "its folder cannot be written"))
}

/// The error of doing something with `path`.
pub(super) fn failed(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> StartError {
    let path = path.to_owned();
    move |source| StartError::File { path, doing, source }
}
