use systemprompt_core::policy::PolicyFault;

/// Collects what is wrong with a document.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<PolicyFault>);

impl Faults {
    pub(crate) fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(PolicyFault { path: path.into(), problem: problem.into() });
    }

    /// Notes a reference to something that does not exist, with the nearest spelling that does.
    pub(crate) fn unknown<'k>(
        &mut self,
        path: impl Into<String>,
        kind: &str,
        text: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let problem = match nearest(text, known) {
            Some(spelling) => format!("unknown {kind} `{text}`; did you mean `{spelling}`?"),
            None => format!("unknown {kind} `{text}`"),
        };
        self.add(path, problem);
    }

    /// `Err` if anything was noted, or if there is no value.
    pub(crate) fn into_result<T>(self, value: Option<T>) -> Result<T, Vec<PolicyFault>> {
        value.filter(|_| self.0.is_empty()).ok_or(self.0)
    }
}

/// The known spelling with the fewest typing mistakes, if they are few for its length.
fn nearest<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|spelling| (strsim::osa_distance(text, spelling), spelling))
        .filter(|(mistakes, spelling)| *mistakes <= 1 + spelling.len().min(text.len()) / 4)
        .min()
        .map(|(_, spelling)| spelling)
}

/// Whether a text may serve as the id of a rule, list or limit, which is shown in reasons and metrics.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
}

/// Notes ids that are unusable or used twice.
pub(crate) fn check_ids<'d>(
    faults: &mut Faults,
    list: &str,
    kind: &str,
    ids: impl Iterator<Item = &'d str>,
) {
    let mut seen = std::collections::BTreeMap::new();
    for (at, id) in ids.enumerate() {
        let path = format!("{list}[{at}].id");
        if !is_id(id) {
            faults.add(
                &path,
                format!(
                    "a {kind} id is 1 to 64 letters, digits and `_-.:`, not `{}`",
                    id.escape_debug()
                ),
            );
        }
        if let Some(first) = seen.get(id) {
            faults.add(&path, format!("the {kind} id `{id}` is used by {list}[{first}] already"));
        } else {
            seen.insert(id, at);
        }
    }
}
