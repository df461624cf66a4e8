//! How events are found.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::read::decoded;
use super::text;
use crate::place::{Place, Window};
use crate::query::{Dialect, EventQuery, Events, Hit, Lead, Sought};

impl Dialect for Postgres {
    const JOIN: &'static str = " JOIN";
    const FIND: &'static str = "strpos";
    const ACTORS: &'static str = "json_array_elements_text(e.actor_chain::json) AS a (value)";

    fn lower(column: &str) -> String {
        // Of the letters of other alphabets nothing is said, whatever the database's own locale.
        format!("lower({column} COLLATE \"C\")")
    }

    fn stored(text: &str) -> String {
        text::stored(text)
    }

    fn source(query: &mut QueryBuilder<Self>, _: &Lead<'_>) {
        query.push("FROM audit_events AS e");
    }
}

impl Events for PgConnection {
    async fn hits(&mut self, sought: &Sought<'_>) -> Result<Vec<Hit>, sqlx::Error> {
        let mut query = EventQuery::<Postgres>::hits(sought);
        let hits: Vec<Hit> = query.build_query_as().fetch_all(self).await?;
        Ok(hits.into_iter().map(|hit| Hit { event: decoded(hit.event), ..hit }).collect())
    }

    async fn end_of(
        &mut self,
        lead: &Lead<'_>,
        window: Window,
        count: usize,
    ) -> Result<Option<Place>, sqlx::Error> {
        let mut query = EventQuery::<Postgres>::end_of(lead, window, count);
        query.build_query_as().fetch_optional(self).await
    }
}
