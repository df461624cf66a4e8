//! Reading the logs onwards.

use futures_util::TryStreamExt as _;
use sqlx::{FromRow as _, PgConnection, Postgres, Row as _};

use super::read::decoded;
use crate::place::Place;
use crate::query::{EventQuery, FirstPlace, LogHead, Onward, OnwardRow, Onwards, StoredEvent};

impl Onwards for PgConnection {
    async fn heads(&mut self) -> Result<Vec<LogHead>, sqlx::Error> {
        sqlx::query_as!(
            LogHead,
            r#"SELECT id AS "log_id!", origin,
                      greatest(size, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0))
                          AS "tail!"
               FROM audit_logs AS l ORDER BY id"#
        )
        .fetch_all(self)
        .await
    }

    async fn firsts(&mut self, from: i64) -> Result<Vec<FirstPlace>, sqlx::Error> {
        sqlx::query_as!(
            FirstPlace,
            r#"SELECT log_id AS "log_id!", min(seq) AS "seq!"
               FROM audit_events WHERE occurred_at >= $1 GROUP BY log_id"#,
            from
        )
        .fetch_all(self)
        .await
    }

    async fn next_place(
        &mut self,
        log_id: i64,
        after: i64,
        last: i64,
    ) -> Result<Option<Place>, sqlx::Error> {
        let mut query = EventQuery::<Postgres>::next_place(log_id, after, last);
        query.build_query_as().fetch_optional(self).await
    }

    async fn onward(
        &mut self,
        wanted: &Onward<'_>,
        each: &mut (dyn FnMut(OnwardRow) -> bool + Send),
    ) -> Result<(), sqlx::Error> {
        let mut query = EventQuery::<Postgres>::onward(wanted);
        let mut rows = query.build().fetch(self);
        while let Some(row) = rows.try_next().await? {
            let row = OnwardRow {
                log_id: row.try_get("log_id")?,
                seq: row.try_get("seq")?,
                origin: row.try_get("origin")?,
                event: StoredEvent::from_row(&row).ok().map(decoded),
            };
            if !each(row) {
                break;
            }
        }
        Ok(())
    }
}
