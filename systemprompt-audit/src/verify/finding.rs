use std::fmt;

use serde::Serialize;

/// Which of the two questions a finding answers with no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Do rows, tree and signatures agree?
    Integrity,
    /// Is everything there?
    Completeness,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $code:literal $exit:literal $verdict:ident;)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum FindingKind { $($(#[$doc])* $kind,)* }

        impl FindingKind {
            /// All kinds, the gravest first.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The kind's stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// The exit code of `audit verify` when this is the gravest finding.
            #[must_use]
            pub fn exit_code(self) -> u8 {
                match self { $(Self::$kind => $exit,)* }
            }

            /// Which verdict it belongs to.
            #[must_use]
            pub fn verdict(self) -> Verdict {
                match self { $(Self::$kind => Verdict::$verdict,)* }
            }
        }
    };
}

kinds! {
    /// A row is not the one whose hash is in the tree.
    RowChanged "row_changed" 10 Integrity;
    /// Rows are not those over which a checkpoint was signed, and their hashes were changed with them.
    HistoryChanged "history_changed" 11 Integrity;
    /// Two histories of one log were signed.
    Forked "forked" 12 Integrity;
    /// A checkpoint is not signed by a key that may sign it.
    BadSignature "bad_signature" 13 Integrity;
    /// A stored checkpoint does not say what its signed note says, or cannot be read.
    CheckpointChanged "checkpoint_changed" 14 Integrity;
    /// A stored part of the tree is missing or was changed.
    TreeChanged "tree_changed" 15 Integrity;
    /// A row that the log's writer has not written.
    ForeignRow "foreign_row" 16 Integrity;
    /// The table is not the one that was installed.
    TableChanged "table_changed" 17 Integrity;
    /// Rows are missing between others.
    RowMissing "row_missing" 20 Completeness;
    /// Rows are missing at the end.
    TailMissing "tail_missing" 21 Completeness;
    /// An outcome whose permit was never granted.
    OutcomeWithoutPermit "outcome_without_permit" 22 Completeness;
    /// A second outcome for one permit.
    OutcomeTwice "outcome_twice" 23 Completeness;
    /// A permit is long past its time, and nobody has closed it.
    PermitLeftOpen "permit_left_open" 24 Completeness;
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The log; `None` when it belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The first row, by its `seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The last row where they are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_seq: Option<i64>,
    /// The id of the event that stands there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// A sentence without its end.
    pub detail: String,
}

impl Finding {
    pub(super) fn new(kind: FindingKind, origin: &str, detail: impl Into<String>) -> Self {
        let origin = Some(origin.to_owned());
        Self { kind, origin, seq: None, to_seq: None, event: None, detail: detail.into() }
    }

    pub(super) fn at(mut self, seq: i64) -> Self {
        self.seq = Some(seq);
        self
    }

    pub(super) fn rows(mut self, from: i64, to: i64) -> Self {
        (self.seq, self.to_seq) = (Some(from), (to > from).then_some(to));
        self
    }

    pub(super) fn event(mut self, id: &[u8]) -> Self {
        self.event = Some(event_id(id));
        self
    }
}

/// The id of an event as it is written everywhere, or the bytes in hex when they are none.
pub(super) fn event_id(id: &[u8]) -> String {
    match <[u8; 16]>::try_from(id) {
        Ok(id) => systemprompt_core::id::EventId::from_bytes(id).to_string(),
        Err(_) => hex::encode(id),
    }
}
