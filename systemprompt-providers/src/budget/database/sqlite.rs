//! The queries on SQLite. The transaction that writes has the write lock from its start, so nothing
//! more is locked.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::row::{ReservationRow, WindowRow};
use crate::budget::ledger::{Counters, WindowKey};

pub(super) async fn lock_windows(
    conn: &mut SqliteConnection,
    keys: &BTreeSet<WindowKey>,
) -> Result<Vec<WindowRow>, sqlx::Error> {
    windows(conn, keys).await
}

pub(super) async fn windows(
    conn: &mut SqliteConnection,
    keys: &BTreeSet<WindowKey>,
) -> Result<Vec<WindowRow>, sqlx::Error> {
    let mut rows = Vec::with_capacity(keys.len());
    for window in keys {
        let (key, window_s) = (window.key.as_str(), i64::from(window.window_s));
        let row = sqlx::query_as!(
            WindowRow,
            "SELECT cap_key, window_s, starts_at, settled_microdollars, held_microdollars,
                    settled_tokens, held_tokens FROM budget_windows
             WHERE cap_key = ?1 AND window_s = ?2 AND starts_at = ?3",
            key,
            window_s,
            window.starts_at
        );
        rows.extend(row.fetch_optional(&mut *conn).await?);
    }
    Ok(rows)
}

pub(super) async fn put_windows(
    conn: &mut SqliteConnection,
    counters: &Counters,
) -> Result<(), sqlx::Error> {
    for (window, counter) in counters {
        let (key, window_s) = (window.key.as_str(), i64::from(window.window_s));
        let keep_until = window.keep_until();
        sqlx::query!(
            "INSERT INTO budget_windows (cap_key, window_s, starts_at, settled_microdollars,
                                         held_microdollars, settled_tokens, held_tokens, keep_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (cap_key, window_s, starts_at)
             DO UPDATE SET settled_microdollars = excluded.settled_microdollars,
                           held_microdollars = excluded.held_microdollars,
                           settled_tokens = excluded.settled_tokens,
                           held_tokens = excluded.held_tokens",
            key,
            window_s,
            window.starts_at,
            counter.microdollars.settled,
            counter.microdollars.held,
            counter.tokens.settled,
            counter.tokens.held,
            keep_until
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub(super) async fn insert_reservation(
    conn: &mut SqliteConnection,
    row: &ReservationRow,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO budget_reservations (id, state, microdollars, tokens, charges, timeout_us,
                                          deadline, keep_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        row.id,
        row.state,
        row.microdollars,
        row.tokens,
        row.charges,
        row.timeout_us,
        row.deadline,
        row.keep_until
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(super) async fn lock_reservation(
    conn: &mut SqliteConnection,
    id: &[u8],
) -> Result<Option<ReservationRow>, sqlx::Error> {
    sqlx::query_as!(
        ReservationRow,
        "SELECT id, state, microdollars, tokens, charges, timeout_us, deadline, keep_until
         FROM budget_reservations WHERE id = ?1",
        id
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn update_reservation(
    conn: &mut SqliteConnection,
    row: &ReservationRow,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE budget_reservations
         SET state = ?2, microdollars = ?3, tokens = ?4, charges = ?5, deadline = ?6, keep_until = ?7
         WHERE id = ?1",
        row.id,
        row.state,
        row.microdollars,
        row.tokens,
        row.charges,
        row.deadline,
        row.keep_until
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(super) async fn is_any_due(conn: &mut SqliteConnection, now: i64) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM budget_reservations WHERE state = 'open' AND deadline <= ?1)
           AS "due!: bool""#,
        now
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn lock_due(
    conn: &mut SqliteConnection,
    now: i64,
    most: i64,
) -> Result<Vec<ReservationRow>, sqlx::Error> {
    sqlx::query_as!(
        ReservationRow,
        "SELECT id, state, microdollars, tokens, charges, timeout_us, deadline, keep_until
         FROM budget_reservations WHERE state = 'open' AND deadline <= ?1
         ORDER BY deadline LIMIT ?2",
        now,
        most
    )
    .fetch_all(conn)
    .await
}

pub(super) async fn purge_windows(
    conn: &mut SqliteConnection,
    now: i64,
    most: i64,
) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "DELETE FROM budget_windows WHERE rowid IN (
             SELECT rowid FROM budget_windows
             WHERE keep_until <= ?1 AND held_microdollars = 0 AND held_tokens = 0 LIMIT ?2)",
        now,
        most
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

pub(super) async fn purge_reservations(
    conn: &mut SqliteConnection,
    now: i64,
    most: i64,
) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "DELETE FROM budget_reservations WHERE rowid IN (
             SELECT rowid FROM budget_reservations
             WHERE state <> 'open' AND keep_until <= ?1 LIMIT ?2)",
        now,
        most
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
