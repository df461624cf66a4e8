//! What the index takes from an event.

use super::term::{Facet, Term, is_rare};
use crate::column::{Column, Columns, Field};

/// What events are found by, and where it stands.
const FACETS: [(Facet, Column); 9] = [
    (Facet::Kind, Column::Kind),
    (Facet::Tenant, Column::TenantId),
    (Facet::User, Column::UserId),
    (Facet::Agent, Column::AgentId),
    (Facet::Session, Column::SessionId),
    (Facet::Call, Column::CallId),
    (Facet::Tool, Column::Tool),
    (Facet::Decision, Column::Decision),
    (Facet::Reason, Column::ReasonCode),
];

/// No term is negative.
const NONE: i64 = -1;

/// An event, as far as the index goes.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(super) seq: i64,
    /// Of an event whose id somebody has changed, nothing.
    pub(super) id: [u8; 16],
    pub(super) occurred_at: i64,
    /// [`NONE`] where it has no such property.
    terms: [i64; FACETS.len()],
}

impl Entry {
    /// The event `row` at place `seq`.
    pub(crate) fn of(seq: i64, row: &impl Columns) -> Self {
        let id = match row.field(Column::Id) {
            Field::Bytes(id) => id.try_into().unwrap_or_default(),
            _ => [0; 16],
        };
        let occurred_at = match row.field(Column::OccurredAt) {
            Field::Integer(micros) => micros,
            _ => 0,
        };
        let terms = FACETS.map(|(facet, column)| match row.field(column) {
            Field::Text(kind) if facet == Facet::Kind && !is_rare(kind) => NONE,
            Field::Text(text) => Term::of(facet, text).get(),
            _ => NONE,
        });
        Self { seq, id, occurred_at, terms }
    }

    pub(super) fn terms(&self) -> impl Iterator<Item = Term> {
        self.terms.iter().filter(|number| **number != NONE).copied().map(Term::numbered)
    }
}
