use std::collections::HashSet;
use std::fmt;

/// What of a request or an answer could not be carried over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LossReport {
    losses: Vec<Loss>,
    /// The same, for long requests that lose a lot.
    noted: HashSet<Loss>,
}

/// One thing that could not be carried over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Loss {
    /// Where, as a path in the caller's dialect, such as `messages.3.content.0.cache_control`.
    pub field: String,
    /// What became of it.
    pub what: LossKind,
}

/// What became of a part that could not be carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossKind {
    /// A hint whose absence changes no meaning (a cache mark, a tier of service).
    Hint,
    /// Left out.
    Dropped,
    /// Carried in a poorer form: a picture as a text that says so, thoughts as text.
    Degraded,
    /// A number moved into the range that the upstream takes.
    Clamped,
}

impl LossKind {
    /// The word in the header and the audit row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Dropped => "dropped",
            Self::Degraded => "degraded",
            Self::Clamped => "clamped",
        }
    }
}

impl LossReport {
    /// Notes a loss; the same one twice is one.
    pub fn note(&mut self, field: impl Into<String>, what: LossKind) {
        let loss = Loss { field: field.into(), what };
        if self.noted.insert(loss.clone()) {
            self.losses.push(loss);
        }
    }

    /// Takes over what another report says.
    pub fn append(&mut self, other: Self) {
        for loss in other.losses {
            self.note(loss.field, loss.what);
        }
    }

    /// The losses in the order they were noted.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Whether everything was carried over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.losses.is_empty()
    }
}

impl fmt::Display for LossReport {
    /// The value of `x-systemprompt-loss`: `<field>=<what>,...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, loss) in self.losses.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{}={}", loss.field, loss.what.as_str())?;
        }
        Ok(())
    }
}
