use serde::{Deserialize, Serialize};

/// Which bodies of requests to models are recorded.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RecordBodies {
    /// None: digests alone.
    #[default]
    None,
    /// What is asked.
    Requests,
    /// What is answered.
    Answers,
    /// Both.
    All,
}

impl RecordBodies {
    /// Whether what is asked is recorded.
    #[must_use]
    pub const fn requests(self) -> bool {
        matches!(self, Self::Requests | Self::All)
    }

    /// Whether what is answered is recorded.
    #[must_use]
    pub const fn answers(self) -> bool {
        matches!(self, Self::Answers | Self::All)
    }
}
