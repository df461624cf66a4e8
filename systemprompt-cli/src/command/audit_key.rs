//! `audit rotate-key`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use systemprompt_audit::checkpoint::SigningKey;
use systemprompt_core::clock::SystemClock;
use systemprompt_core::secret::Secret;
use systemprompt_runtime::previous_key;

use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::session;

/// Makes a new key in the data folder. The one before it signs beside it for `overlap` hours, so that
/// whoever trusts it learns to trust the new one.
pub(crate) fn rotate(overlap: u32, profile: &Path, output: Output) -> Result<(), Failure> {
    let config = session::config(profile)?;
    if config.profile().audit.signing_key.is_some() {
        return Err(Failure::new(
            FailureKind::Config,
            "the key that signs the log is not kept in the data folder but where \
             `audit.signing_key` says; make a new one there",
        ));
    }
    let folder = config.data_folder();
    let (path, previous) = (folder.join("audit.key"), previous_key(folder));
    let now = SystemClock::shared().now();
    if let Ok(text) = fs::read_to_string(&previous)
        && let Some(until) = text.lines().nth(1).and_then(|until| until.parse().ok())
        && now < until
    {
        let message = format!("the last rotation goes on until {until}; wait for it");
        return Err(Failure::new(FailureKind::Other, message));
    }
    let until = now.after(Duration::from_secs(u64::from(overlap) * 3600));
    let seed = Secret::new(hex(&rand::random::<[u8; 32]>()));
    SigningKey::parse(&seed).map_err(Failure::other)?;
    let old = config.audit_key().expose();
    let written = write_private(&previous, &format!("{old}\n{until}\n"))
        .and_then(|()| write_private(&path, &format!("{}\n", seed.expose())));
    written.map_err(Failure::other)?;
    if output.is_json() {
        return output.value(&json!({ "both_sign_until": until.to_string() }));
    }
    output.text(&format!(
        "a new key signs the log from the next start of the server on; both sign until {until}\n"
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file for its owner alone, whole or not at all.
fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let draft = path.with_added_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, path)
}
