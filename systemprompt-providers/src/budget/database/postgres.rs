//! The queries on PostgreSQL.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::row::{ReservationRow, WindowRow};
use crate::budget::ledger::{Counters, WindowKey};

/// The primary keys of windows, as arrays.
#[derive(Default)]
struct Columns {
    keys: Vec<String>,
    windows_s: Vec<i64>,
    starts_at: Vec<i64>,
}

impl Columns {
    fn of<'w>(windows: impl IntoIterator<Item = &'w WindowKey>) -> Self {
        let mut columns = Self::default();
        for window in windows {
            columns.keys.push(window.key.as_str().to_owned());
            columns.windows_s.push(window.window_s.into());
            columns.starts_at.push(window.starts_at);
        }
        columns
    }
}

/// Makes the rows that are missing and locks all of them, in the order of their keys: rows that do not
/// exist cannot be locked, and two statements would lock in two orders.
pub(super) async fn lock_windows(
    conn: &mut PgConnection,
    windows: &BTreeSet<WindowKey>,
) -> Result<Vec<WindowRow>, sqlx::Error> {
    let columns = Columns::of(windows);
    let keep_until: Vec<_> = windows.iter().map(WindowKey::keep_until).collect();
    sqlx::query_as!(
        WindowRow,
        "INSERT INTO budget_windows AS w (cap_key, window_s, starts_at, settled_microdollars,
                                          held_microdollars, settled_tokens, held_tokens, keep_until)
         SELECT asked.cap_key, asked.window_s, asked.starts_at, 0, 0, 0, 0, asked.keep_until
         FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
              AS asked (cap_key, window_s, starts_at, keep_until)
         ORDER BY asked.cap_key, asked.window_s, asked.starts_at
         ON CONFLICT (cap_key, window_s, starts_at) DO UPDATE SET keep_until = excluded.keep_until
         RETURNING w.cap_key, w.window_s, w.starts_at, w.settled_microdollars,
                   w.held_microdollars, w.settled_tokens, w.held_tokens",
        &columns.keys,
        &columns.windows_s,
        &columns.starts_at,
        &keep_until
    )
    .fetch_all(conn)
    .await
}

pub(super) async fn windows(
    conn: &mut PgConnection,
    windows: &BTreeSet<WindowKey>,
) -> Result<Vec<WindowRow>, sqlx::Error> {
    let columns = Columns::of(windows);
    sqlx::query_as!(
        WindowRow,
        "SELECT w.cap_key, w.window_s, w.starts_at, w.settled_microdollars, w.held_microdollars,
                w.settled_tokens, w.held_tokens
         FROM budget_windows AS w
         JOIN UNNEST($1::text[], $2::bigint[], $3::bigint[]) AS asked (cap_key, window_s, starts_at)
              ON w.cap_key = asked.cap_key AND w.window_s = asked.window_s
                 AND w.starts_at = asked.starts_at",
        &columns.keys,
        &columns.windows_s,
        &columns.starts_at
    )
    .fetch_all(conn)
    .await
}

/// Writes the counters of windows that are locked.
pub(super) async fn put_windows(
    conn: &mut PgConnection,
    counters: &Counters,
) -> Result<(), sqlx::Error> {
    let columns = Columns::of(counters.keys());
    let money = || counters.values().map(|counter| counter.microdollars);
    let tokens = || counters.values().map(|counter| counter.tokens);
    sqlx::query!(
        "UPDATE budget_windows AS w
         SET settled_microdollars = new.settled_microdollars,
             held_microdollars = new.held_microdollars,
             settled_tokens = new.settled_tokens, held_tokens = new.held_tokens
         FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                     $6::bigint[], $7::bigint[])
              AS new (cap_key, window_s, starts_at, settled_microdollars, held_microdollars,
                      settled_tokens, held_tokens)
         WHERE w.cap_key = new.cap_key AND w.window_s = new.window_s
           AND w.starts_at = new.starts_at",
        &columns.keys,
        &columns.windows_s,
        &columns.starts_at,
        &money().map(|tally| tally.settled).collect::<Vec<_>>(),
        &money().map(|tally| tally.held).collect::<Vec<_>>(),
        &tokens().map(|tally| tally.settled).collect::<Vec<_>>(),
        &tokens().map(|tally| tally.held).collect::<Vec<_>>()
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(super) async fn insert_reservation(
    conn: &mut PgConnection,
    row: &ReservationRow,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO budget_reservations (id, state, microdollars, tokens, charges, timeout_us,
                                          deadline, keep_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
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
    conn: &mut PgConnection,
    id: &[u8],
) -> Result<Option<ReservationRow>, sqlx::Error> {
    sqlx::query_as!(
        ReservationRow,
        "SELECT id, state, microdollars, tokens, charges, timeout_us, deadline, keep_until
         FROM budget_reservations WHERE id = $1 FOR UPDATE",
        id
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn update_reservation(
    conn: &mut PgConnection,
    row: &ReservationRow,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE budget_reservations
         SET state = $2, microdollars = $3, tokens = $4, charges = $5, deadline = $6, keep_until = $7
         WHERE id = $1",
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

pub(super) async fn is_any_due(conn: &mut PgConnection, now: i64) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM budget_reservations WHERE state = 'open' AND deadline <= $1)
           AS "due!""#,
        now
    )
    .fetch_one(conn)
    .await
}

/// What another transaction is about to settle, or has taken to return, is left to it.
pub(super) async fn lock_due(
    conn: &mut PgConnection,
    now: i64,
    most: i64,
) -> Result<Vec<ReservationRow>, sqlx::Error> {
    sqlx::query_as!(
        ReservationRow,
        "SELECT id, state, microdollars, tokens, charges, timeout_us, deadline, keep_until
         FROM budget_reservations WHERE state = 'open' AND deadline <= $1
         ORDER BY deadline LIMIT $2 FOR UPDATE SKIP LOCKED",
        now,
        most
    )
    .fetch_all(conn)
    .await
}

pub(super) async fn purge_windows(
    conn: &mut PgConnection,
    now: i64,
    most: i64,
) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "DELETE FROM budget_windows WHERE ctid IN (
             SELECT ctid FROM budget_windows
             WHERE keep_until <= $1 AND held_microdollars = 0 AND held_tokens = 0
             LIMIT $2 FOR UPDATE SKIP LOCKED)",
        now,
        most
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

pub(super) async fn purge_reservations(
    conn: &mut PgConnection,
    now: i64,
    most: i64,
) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "DELETE FROM budget_reservations WHERE id IN (
             SELECT id FROM budget_reservations WHERE state <> 'open' AND keep_until <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)",
        now,
        most
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
