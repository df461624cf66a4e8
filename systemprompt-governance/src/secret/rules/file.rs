use serde::Deserialize;
use toml::Spanned;

use super::entry::Entry;
use super::fault::{RuleFault, RuleFaultKind};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Entry>>,
}

/// The rules of a file, each of which passes `check`.
pub(super) fn read(
    name: &str,
    text: &str,
    check: impl Fn(&Entry) -> Result<(), RuleFaultKind>,
) -> Result<Vec<Entry>, RuleFault> {
    let fault = |at: usize, kind| {
        let before = text.get(..at).unwrap_or(text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        RuleFault { file: name.into(), line, kind }
    };
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        fault(at, RuleFaultKind::Syntax(error.message().to_owned()))
    })?;
    for entry in &file.rule {
        check(entry.as_ref()).map_err(|kind| fault(entry.span().start, kind))?;
    }
    Ok(file.rule.into_iter().map(Spanned::into_inner).collect())
}
