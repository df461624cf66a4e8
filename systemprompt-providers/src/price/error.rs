use std::fmt;

/// A file of prices cannot be used. Holds everything that was found wrong, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFileError {
    pub(super) faults: Vec<PriceFault>,
}

/// One thing wrong in a file of prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFault {
    /// Where, such as `models[3].tiers[0].input`; empty for the file as a whole.
    pub path: String,
    /// The model of the row, where it could be read.
    pub model: Option<String>,
    /// What is wrong.
    pub problem: String,
}

impl PriceFileError {
    /// What is wrong; at least one.
    #[must_use]
    pub fn faults(&self) -> &[PriceFault] {
        &self.faults
    }
}

impl fmt::Display for PriceFault {
    /// `models[3].input (`some-model`): must be ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the file" } else { &self.path };
        match &self.model {
            Some(model) => write!(f, "{path} (`{model}`): {}", self.problem),
            None => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl fmt::Display for PriceFileError {
    /// One fault per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PriceFileError {}
