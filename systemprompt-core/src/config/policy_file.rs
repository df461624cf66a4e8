use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::load::{self, Read};
use super::yaml::{Node, Value};
use super::{ConfigError, Diagnostic, Environment, LoadedProfile, SourceMap};
use crate::policy::{PolicyDocument, PolicyFault};

/// The key of the policy in a profile.
const KEY: &str = "governance";

/// A policy from a file of its own, and where its parts were written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoadedPolicy {
    /// The policy.
    pub document: PolicyDocument,
    /// The file, as diagnostics name it.
    pub file: PathBuf,
    sources: SourceMap,
    /// Whether it stands below the key `governance`.
    below: bool,
}

/// A file with the section alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    governance: PolicyDocument,
}

/// Reads the policy in the file `path`: what stands below `governance` in a profile, alone or with that
/// key above it, or a whole profile.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with it, as far as that can be told without compiling
/// the policy.
pub fn load_policy(
    path: impl AsRef<Path>,
    environment: &Environment,
) -> Result<LoadedPolicy, ConfigError> {
    let path = path.as_ref();
    let text = load::read_file(path).map_err(|problem| load::whole_file(path, problem))?;
    parse_policy(&text, path, environment)
}

/// Parses the text of a policy. Pure: nothing is read. `file` is what diagnostics name.
///
/// # Errors
/// As [`load_policy`].
pub fn parse_policy(
    text: &str,
    file: impl Into<PathBuf>,
    environment: &Environment,
) -> Result<LoadedPolicy, ConfigError> {
    let file = file.into();
    let read = Read::of(text, &file, environment)?;
    let keys = keys(&read.root);
    if keys.is_empty() {
        let problem = "holds no policy; an empty one would deny everything".to_owned();
        return Err(load::whole_file(&file, problem));
    }
    if keys.contains(&"profile") {
        let LoadedProfile { profile, sources, file } = load::parse(text, file, environment)?;
        return Ok(LoadedPolicy { document: profile.governance, file, sources, below: true });
    }
    let below = keys.contains(&KEY);
    let (document, sources) = match below {
        true => read.finish::<Section>(&file).map(|(section, map)| (section.governance, map))?,
        false => read.finish::<PolicyDocument>(&file)?,
    };
    Ok(LoadedPolicy { document, file, sources, below })
}

fn keys(root: &Node) -> Vec<&str> {
    match &root.value {
        Value::Map(entries) => entries.iter().map(|entry| entry.key.as_str()).collect(),
        _ => Vec::new(),
    }
}

impl LoadedPolicy {
    /// Says where the faults of the policy were written.
    #[must_use]
    pub fn error(&self, faults: &[PolicyFault]) -> ConfigError {
        let diagnose = |fault: &PolicyFault| {
            let path = match (self.below, fault.path.as_str()) {
                (false, path) => path.to_owned(),
                (true, "") => KEY.to_owned(),
                (true, path) => format!("{KEY}.{path}"),
            };
            let problem = self.sources.hide(&path, &fault.problem);
            let place = if path.is_empty() { "the policy".to_owned() } else { format!("`{path}`") };
            Diagnostic {
                file: self.file.clone(),
                position: self.sources.locate(&path),
                message: format!("{place}: {problem}"),
                path,
            }
        };
        ConfigError::new(faults.iter().map(diagnose).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "rules:\n  - id: all\n    tools: ['*']\n";

    fn parse(text: &str) -> Result<LoadedPolicy, ConfigError> {
        parse_policy(text, "candidate.yaml", &Environment::empty())
    }

    #[test]
    fn a_policy_stands_alone_below_its_key_or_in_a_profile() {
        let indented = RULES.replace('\n', "\n  ");
        let below = format!("governance:\n  {indented}");
        let whole = format!("profile: test\n{below}");
        for (text, line) in [(RULES, 2), (&below, 3), (&whole, 4)] {
            let policy = parse(text).unwrap();
            assert_eq!(policy.document.rules[0].id, "all", "{text}");
            let fault =
                PolicyFault { path: "rules[0].id".to_owned(), problem: "is odd".to_owned() };
            let error = policy.error(&[fault]).to_string();
            assert!(error.starts_with(&format!("candidate.yaml:{line}:")), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            ("rules: []\nlimts: []\n", "candidate.yaml:2:1: unknown key `limts`"),
            ("governance:\n  rulez: []\n", "candidate.yaml:2:3: unknown key `rulez`"),
            ("governance: {}\nserver: {}\n", "candidate.yaml:2:1: unknown key `server`"),
            ("profile: x\nserver: {prot: 1}\n", "candidate.yaml:2:"),
            ("rules: [\n", "candidate.yaml:"),
            ("", "candidate.yaml: holds no policy"),
            ("# nothing\n", "candidate.yaml: holds no policy"),
            ("- a\n", "candidate.yaml: holds no policy"),
            ("scopes: ['${NOWHERE}']\n", "candidate.yaml:1:"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
        let error = load_policy("/nowhere/candidate.yaml", &Environment::empty()).unwrap_err();
        assert!(error.to_string().contains("candidate.yaml: cannot be read"), "{error}");
    }
}
