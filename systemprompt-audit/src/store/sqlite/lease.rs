//! One writer for each log: an exclusive lock on a file that is named after the origin.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use systemprompt_core::clock::Timestamp;

use crate::{OpenError, Origin};

/// How often a lease that is held is asked for again, and how long after.
const RETRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(20);

/// Most bytes of a lease file that are shown.
const SHOWN: u64 = 200;

/// Held as long as it lives; the operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lease {
    _file: File,
}

impl Lease {
    /// Takes the lease on `origin` beside `database`.
    ///
    /// The file stays when the lease ends: removing it would let two processes lock two files of the
    /// same name.
    pub(crate) fn take(
        database: &Path,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let path = path(database, origin);
        let fail = |source| OpenError::Lease { path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Held { origin: origin.clone(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        // A lease that cannot say who holds it is a lease all the same, but a full disk is better
        // noticed now than at the first decision.
        file.set_len(0).map_err(fail)?;
        write!(file, "process {} since {now}", std::process::id()).map_err(fail)?;
        file.flush().map_err(fail)?;
        Ok(Self { _file: file })
    }
}

impl Lease {
    /// Takes the lease. Another server's sweep may be looking at it just now, so one refusal is not
    /// final.
    pub(crate) async fn retake(
        database: &Path,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        for _ in 0..RETRIES {
            match Self::take(database, origin, now) {
                Err(OpenError::Held { .. }) => tokio::time::sleep(PAUSE).await,
                result => return result,
            }
        }
        Self::take(database, origin, now)
    }

    /// Whether nobody holds the lease on `origin`. Looks without waiting and leaves no trace, but who
    /// tries to take the lease in that moment is refused; see [`retake`](Self::retake).
    pub(crate) fn is_free(database: &Path, origin: &Origin) -> bool {
        match File::open(path(database, origin)) {
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }
}

fn path(database: &Path, origin: &Origin) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(format!(".{origin}.lock"));
    PathBuf::from(name)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(SHOWN).read_to_string(&mut text));
    if read.is_err() || text.is_empty() { "another process".to_owned() } else { text }
}
