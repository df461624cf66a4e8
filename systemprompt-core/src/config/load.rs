use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::database_url::literal_password;
use super::yaml::{self, Found, Node};
use super::{ConfigError, Diagnostic, Environment, Profile, SourceMap};
use crate::policy::PolicyFault;

/// A profile and where its parts were written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoadedProfile {
    /// The settings.
    pub profile: Profile,
    /// Where they were written.
    pub sources: SourceMap,
    /// The file, as diagnostics name it.
    pub file: PathBuf,
}

/// Reads, fills in, checks and resolves the profile in the file `path`. Its relative paths come back
/// relative to the file's folder.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with it.
pub fn load(
    path: impl AsRef<Path>,
    environment: &Environment,
) -> Result<LoadedProfile, ConfigError> {
    let path = path.as_ref();
    let text = read_file(path).map_err(|problem| whole_file(path, problem))?;
    let mut loaded = parse(&text, path, environment)?;
    loaded.profile.resolve_paths(path.parent().unwrap_or(Path::new("")));
    Ok(loaded)
}

/// Parses the text of a profile. Pure: nothing is read, and relative paths stay as they are. `file` is
/// what diagnostics name.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with it.
pub fn parse(
    text: &str,
    file: impl Into<PathBuf>,
    environment: &Environment,
) -> Result<LoadedProfile, ConfigError> {
    let file = file.into();
    let (profile, sources) = Read::of(text, &file, environment)?.finish(&file)?;
    let loaded = LoadedProfile { profile, sources, file };
    loaded.check()?;
    Ok(loaded)
}

/// A document whose variables were filled in, before it is taken for something.
pub(super) struct Read {
    pub(super) root: Node,
    found: Vec<Found>,
    left_out: HashSet<usize>,
}

impl Read {
    pub(super) fn of(
        text: &str,
        file: &Path,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        if text.len() > yaml::MAX_BYTES {
            return Err(whole_file(file, too_long()));
        }
        let (mut root, mut found) = yaml::read(text).map_err(|found| fail(vec![found], file))?;
        let mut left_out = HashSet::new();
        for (id, unfilled) in yaml::interpolate(&mut root, environment) {
            left_out.insert(id);
            found.push(unfilled);
        }
        Ok(Self { root, found, left_out })
    }

    /// The document as a `T`.
    pub(super) fn finish<T: DeserializeOwned>(
        self,
        file: &Path,
    ) -> Result<(T, SourceMap), ConfigError> {
        let Self { root, mut found, left_out } = self;
        let (read, misread) = yaml::deserialize::<T>(&root, left_out);
        found.extend(misread);
        match read {
            Some(read) if found.is_empty() => Ok((read, SourceMap::of(&root))),
            _ => Err(fail(found, file)),
        }
    }
}

fn fail(found: Vec<Found>, file: &Path) -> ConfigError {
    ConfigError::new(found.into_iter().map(|found| diagnose(found, file)).collect())
}

impl LoadedProfile {
    /// A profile that was made in code, without a file.
    #[must_use]
    pub fn in_memory(profile: Profile) -> Self {
        Self { profile, sources: SourceMap::default(), file: PathBuf::from("<profile>") }
    }

    /// Checks ranges, names and addresses, which types alone cannot express.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = self.profile.problems();
        if self.profile.database.url.has_password() && self.has_literal_password() {
            let problem = "a password is never written into the profile; fill it in from a variable, \
                           as in `postgres://user:${DB_PASSWORD}@host/database`, or refer to it with \
                           `database.password`";
            problems.push(("database.url".to_owned(), problem.to_owned()));
        }
        if problems.is_empty() {
            return Ok(());
        }
        let diagnose = |(path, problem): (String, String)| self.diagnostic(path, &problem);
        Err(ConfigError::new(problems.into_iter().map(diagnose).collect()))
    }

    /// Whether the database's password stands in the file itself. A profile that was made in code has
    /// no file.
    fn has_literal_password(&self) -> bool {
        match self.sources.written("database.url") {
            Some(written) => literal_password(written),
            None => self.sources.find("database.url").is_some(),
        }
    }

    /// Says where a problem at `path` (`server.hosts[0]`) was written. What was filled in from variables
    /// is left out of the message.
    #[must_use]
    pub fn diagnostic(&self, path: impl Into<String>, problem: &str) -> Diagnostic {
        let path = path.into();
        let problem = self.sources.hide(&path, problem);
        let place = if path.is_empty() { "the profile".to_owned() } else { format!("`{path}`") };
        Diagnostic {
            file: self.file.clone(),
            position: self.sources.locate(&path),
            message: format!("{place}: {problem}"),
            path,
        }
    }

    /// Says where the faults of the `governance` section were written.
    #[must_use]
    pub fn policy_error(&self, faults: &[PolicyFault]) -> ConfigError {
        let diagnose = |fault: &PolicyFault| {
            let joint = if fault.path.is_empty() { "" } else { "." };
            self.diagnostic(format!("governance{joint}{}", fault.path), &fault.problem)
        };
        ConfigError::new(faults.iter().map(diagnose).collect())
    }
}

fn diagnose(found: Found, file: &Path) -> Diagnostic {
    let Found { position, path, message } = found;
    Diagnostic { file: file.to_owned(), position: Some(position), path, message }
}

pub(super) fn whole_file(file: &Path, message: String) -> ConfigError {
    Diagnostic { file: file.to_owned(), position: None, path: String::new(), message }.into()
}

fn too_long() -> String {
    format!("the profile is longer than {} bytes", yaml::MAX_BYTES)
}

pub(super) fn read_file(path: &Path) -> Result<String, String> {
    let limit = yaml::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > yaml::MAX_BYTES {
        return Err(too_long());
    }
    String::from_utf8(bytes)
        .map_err(|error| format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}
