//! How events are found.

use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use crate::place::{Place, Window};
use crate::query::{Dialect, EventQuery, Events, Hit, Lead, Sought};

impl Dialect for Sqlite {
    // Not the other way round.
    const JOIN: &'static str = " CROSS JOIN";
    const FIND: &'static str = "instr";
    const ACTORS: &'static str = "json_each(e.actor_chain) AS a";

    fn lower(column: &str) -> String {
        format!("lower({column})")
    }

    fn stored(text: &str) -> String {
        text.to_owned()
    }

    fn source(query: &mut QueryBuilder<Self>, lead: &Lead<'_>) {
        match lead {
            Lead::Time => {
                query.push("FROM audit_events AS e INDEXED BY audit_events_time");
            }
            Lead::Trace(_) => {
                query.push("FROM audit_events AS e INDEXED BY audit_events_trace");
            }
            Lead::Log(..) => {
                query.push("FROM audit_events AS e INDEXED BY audit_events_position");
            }
            Lead::Id(_) => {
                query.push("FROM audit_events AS e INDEXED BY audit_events_id");
            }
            Lead::Column(..) => {
                query.push("FROM audit_events AS e");
            }
            Lead::Places(places) => {
                query.push("FROM json_each(").push_bind((*places).to_owned());
                query.push(
                    ") AS w CROSS JOIN audit_events AS e INDEXED BY audit_events_position \
                     ON e.log_id = w.value ->> 0 AND e.seq = w.value ->> 1",
                );
            }
        }
    }
}

impl Events for SqliteConnection {
    async fn hits(&mut self, sought: &Sought<'_>) -> Result<Vec<Hit>, sqlx::Error> {
        EventQuery::<Sqlite>::hits(sought).build_query_as().fetch_all(self).await
    }

    async fn end_of(
        &mut self,
        lead: &Lead<'_>,
        window: Window,
        count: usize,
    ) -> Result<Option<Place>, sqlx::Error> {
        let mut query = EventQuery::<Sqlite>::end_of(lead, window, count);
        query.build_query_as().fetch_optional(self).await
    }
}
