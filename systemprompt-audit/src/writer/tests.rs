//! A writer over a store that can be made to fail.

use std::sync::atomic::AtomicBool;

use systemprompt_core::clock::SystemClock;
use systemprompt_core::event::{AuditEvent, EventKind};

use super::extent::foreign_rows;
use super::*;
use crate::merkle::{Hash, Tile};
use crate::store::{Granted, PlacedRow};
use crate::tree_source::TreeSource;

#[derive(Default)]
struct Fake {
    rows: Vec<(i64, [u8; 16])>,
    lose: bool,
    blind: bool,
}

impl TreeSource for Fake {
    async fn leaves(&mut self, _: u64, _: usize) -> Result<Vec<Hash>, StoreError> {
        Ok(vec![])
    }
    async fn roots(&mut self, _: u8, _: u64, _: usize) -> Result<Vec<Hash>, StoreError> {
        Ok(vec![])
    }
    async fn tile(&mut self, _: u8, _: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        Ok(None)
    }
}

impl Store for Fake {
    const BLOCKS: bool = false;
    fn verify(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn tail(&mut self) -> Result<i64, StoreError> {
        Ok(self.rows.last().map_or(0, |row| row.0))
    }
    async fn holds(&mut self, seq: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        if std::mem::take(&mut self.blind) {
            return Err(StoreError::Failed("gone".to_owned()));
        }
        Ok(self.rows.contains(&(seq, id)))
    }
    async fn granted(&mut self, _: &[[u8; 16]]) -> Result<Vec<Granted>, StoreError> {
        Ok(vec![])
    }
    async fn commit(&mut self, rows: &[PlacedRow<'_>], _: &[Tile]) -> Result<(), StoreError> {
        for row in rows {
            let id = row.row.id().unwrap();
            if self.rows.iter().any(|(seq, other)| *seq == row.seq || *other == id) {
                return Err(StoreError::Refused);
            }
        }
        self.rows.extend(rows.iter().map(|row| (row.seq, row.row.id().unwrap())));
        if std::mem::take(&mut self.lose) {
            self.blind = true;
            return Err(StoreError::Failed("lost".to_owned()));
        }
        Ok(())
    }
    async fn abort(&mut self) {}
    async fn note(&mut self, _: i64) -> Result<(), StoreError> {
        Ok(())
    }
    async fn close(self) {}
}

fn writer(store: Fake) -> Writer<Fake> {
    Writer {
        store,
        origin: Origin::server("abc", 1),
        clock: SystemClock::shared(),
        counters: Arc::new(Counters::new(0)),
        max_batch: 8,
        extent: Extent { tail: 0, tree: None, tiles: vec![] },
        behind: false,
        in_doubt: None,
        own: vec![],
        heads: None,
        doubtful: false,
        disowned: vec![],
        gathering: Gathering::among_others(),
        grants: Some(Grants::new()),
        #[cfg(feature = "sqlite")]
        feed: None,
    }
}

fn append(writer: &Writer<Fake>) -> Append {
    let event =
        AuditEvent::system(writer.clock.now(), EventKind::ForeignRows, serde_json::json!({}));
    let (reply, _) = oneshot::channel();
    Append {
        later: false,
        events: vec![Pending::event(writer.origin.as_str(), event)],
        deadline: Instant::now() + Duration::from_secs(60),
        reply,
        given_up: Arc::new(AtomicBool::new(false)),
    }
}

#[tokio::test]
async fn an_event_of_its_own_in_doubt_does_not_stop_the_log() {
    let mut writer = writer(Fake { lose: true, ..Fake::default() });
    writer.own.push(foreign_rows(&writer.origin, 1, 1, writer.clock.now()));
    let (first, second) = (append(&writer), append(&writer));
    assert!(writer.attempt(&Work { appends: vec![&first], settlements: vec![] }).await.is_err());
    for _ in 0..3 {
        let work = Work { appends: vec![&second], settlements: vec![] };
        if writer.attempt(&work).await.is_ok() {
            return;
        }
    }
    panic!(
        "still refused; own = {}, healthy = {}",
        writer.own.len(),
        writer.counters.healthy.load(Relaxed)
    );
}

#[tokio::test]
async fn what_writes_nothing_does_not_make_the_log_well() {
    let mut writer = writer(Fake::default());
    writer.counters.healthy.store(false, Relaxed);
    let settlement = Settlement::abandoned(PermitId::from_bytes([7; 16]), None);
    let work = Work { appends: vec![], settlements: vec![&settlement] };
    writer.attempt(&work).await.unwrap();
    assert!(
        !writer.counters.healthy.load(Relaxed),
        "nothing was written, and the log calls itself healthy"
    );
}

#[tokio::test]
async fn what_nobody_waits_for_is_written_with_what_somebody_does() {
    let writer = writer(Fake::default());
    let (sender, mut commands) = mpsc::channel(8);
    let send = |later| sender.try_send(Command::Append(Append { later, ..append(&writer) }));
    let start = Instant::now();
    let (mut inbox, most) = (Vec::new(), 3);
    send(true).unwrap();
    commands.recv_many(&mut inbox, most).await;
    join(&mut commands, &mut inbox, most).await;
    assert_eq!(inbox.len(), 1, "it is written in the end");
    assert!(start.elapsed() >= SLACK, "it waits for others");

    send(false).unwrap();
    join(&mut commands, &mut inbox, most).await;
    join(&mut commands, &mut inbox, most).await;
    assert_eq!(inbox.len(), 2, "nothing more is waited for when somebody waits");

    inbox.remove(1);
    for _ in 0..3 {
        send(true).unwrap();
    }
    join(&mut commands, &mut inbox, most).await;
    assert_eq!((inbox.len(), commands.len()), (most, 1), "a batch is full");
}
