//! The audit log: durable before anything is answered, and what can be asked of it.

#[doc(inline)]
pub use systemprompt_audit::{
    AuditLog, AuditOptions, AuditReader, AuditStats, ChangeLog, Cursor, CursorError, EventFilter,
    EventRecord, FilterError, FivePointTrace, Followed, FollowedEvent, Follower, FoundBodies,
    InstantError, LATENCY_BOUNDS_US, LatencyHistogram, LogHeads, LogPosition, Named, NumberRange,
    OpenError, OpenPermit, Origin, OriginError, Page, PageSize, Point, PositionError, QueryError,
    ReadLimits, ReadScope, StoreError, TracePoints, TracedCall, UnreadableBodies, append_in,
    append_sealed_in, parse_instant, schema,
};

/// The queries as an axum router.
pub mod http {
    #[doc(inline)]
    pub use systemprompt_audit::http::{
        AuditStreams, ROUTES, StreamLimits, router, router_with_streams,
    };
}

/// The log in the formats of SIEMs, and the sinks that take it there.
#[cfg(feature = "export")]
pub mod export {
    #[doc(inline)]
    pub use systemprompt_audit::export::{
        Destination, EncodeError, Encoder, ExportError, Exporter, FileSettings, Format,
        FormatError, HttpSettings, OnceError, OnceFilter, SettingsError, SinkSettings, SinkStats,
        StartAt, SyslogAddress, host_name, write_once,
    };
    #[doc(inline)]
    pub use systemprompt_core::secret::Secret;
}

/// Checkpoints: what the log is, signed, in the database and outside of it.
pub mod checkpoint {
    #[doc(inline)]
    pub use systemprompt_audit::checkpoint::{
        CheckpointOptions, CheckpointPlace, CheckpointRecord, FilePlace, GrowingLog, ParsedRecord,
        PlaceError, SigningKey, SigningKeys, StdoutPlace, Witness,
    };
}

/// The Merkle tree of a log.
pub mod merkle {
    #[doc(inline)]
    pub use systemprompt_audit::merkle::{
        Hash, Nodes, ProofError, TILE_WIDTH, Tile, TileRange, Tree, consistency, hash_children,
        hash_leaf, inclusion, root_at, tiles_of_consistency, tiles_of_inclusion, tiles_of_root,
        verify_consistency, verify_inclusion,
    };
}

/// Signed notes, their keys, and checkpoints as notes.
pub mod note {
    #[doc(inline)]
    pub use systemprompt_audit::note::{
        Checkpoint, CheckpointError, Cosignature, Ed25519Signer, KeyError, NoteError,
        NoteSignature, PublicKey, SeedError, SignedNote, Signer, VerifierKey, WitnessKey,
    };
}

/// The proof that one event is in a log.
pub mod proof {
    #[doc(inline)]
    pub use systemprompt_audit::proof::{
        EventProof, ProofFault, ProveError, ProvenEvent, WhichEvent, WhichEventError, prove,
    };
}

/// Verification of a whole database.
pub mod verify {
    #[doc(inline)]
    pub use systemprompt_audit::verify::{
        AuditSource, Finding, FindingKind, LogReport, Outside, OutsideError, Progress, Report,
        SourceError, Verdict, VerifyOptions, verify,
    };
}

/// The persons that events are about: their keys, and how they are erased.
pub mod subject {
    #[doc(inline)]
    pub use systemprompt_audit::subject::{
        EraseError, Erased, Erasure, RewrapError, Rewrapped, SubjectKeys, erase_subject,
        pseudonyms_of, rewrap_keys,
    };
    #[doc(inline)]
    pub use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError, LocalKey};
}

/// How long events are kept.
pub mod retention {
    #[doc(inline)]
    pub use systemprompt_audit::retention::{
        PruneError, PrunePlan, Pruned, Retention, plan, prune,
    };
}
