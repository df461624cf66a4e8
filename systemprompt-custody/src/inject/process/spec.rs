use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ProcessError;
use crate::inject::placeholder;

/// Which program is started: a section of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSettings {
    /// The program, by its absolute path.
    pub program: PathBuf,
    /// Its arguments, word by word; no shell reads them.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The folder it works in.
    pub directory: PathBuf,
    /// The user it runs as; the one of this process when absent.
    #[serde(default)]
    pub user: Option<ProcessUser>,
}

/// A user of the operating system, by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessUser {
    /// The user.
    pub uid: u32,
    /// The group; the process is in no other.
    pub gid: u32,
}

/// A program that may be started, as the configuration says and in no other way.
///
/// Nothing that starts a process takes a program or its arguments but in this form, and there is one way
/// to make it: whoever reads a call can find no place to put a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSpec(ProcessSettings);

impl ProcessSpec {
    /// Asserts that the settings come from the configuration. Every use of this constructor is a place
    /// where a program becomes runnable.
    ///
    /// # Errors
    /// [`ProcessError`] when the program or the folder is not there, is not named by an absolute path, may
    /// be replaced by anyone, or an argument holds a secret.
    pub fn assert_configured(settings: ProcessSettings) -> Result<Self, ProcessError> {
        let program = settings.program.display().to_string();
        if !settings.program.is_absolute() {
            return Err(ProcessError::NotAbsolute(program));
        }
        check_program(&settings.program)
            .map_err(|problem| ProcessError::Program { program: program.clone(), problem })?;
        if !settings.directory.is_absolute() || !settings.directory.is_dir() {
            return Err(ProcessError::Directory(settings.directory.display().to_string()));
        }
        if settings.user.is_some() && cfg!(not(unix)) {
            return Err(ProcessError::NoUsers);
        }
        for (number, argument) in (1..).zip(&settings.arguments) {
            let program = program.clone();
            if placeholder::occurs_in(argument) {
                return Err(ProcessError::SecretArgument { program, number });
            }
            if argument.contains('\0') {
                return Err(ProcessError::ZeroByte { program, number });
            }
        }
        Ok(Self(settings))
    }

    /// What was configured.
    #[must_use]
    pub fn settings(&self) -> &ProcessSettings {
        &self.0
    }
}

fn check_program(path: &Path) -> Result<(), &'static str> {
    let metadata = fs::metadata(path).map_err(|_| "there is no such file")?;
    if !metadata.is_file() {
        return Err("it is no file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = metadata.permissions().mode();
        if mode & 0o111 == 0 {
            return Err("it is not executable");
        }
        if mode & 0o002 != 0 {
            return Err("anyone may write to it");
        }
    }
    Ok(())
}
