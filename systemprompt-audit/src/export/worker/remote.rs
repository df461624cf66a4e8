//! A sink behind a network: one side fills the spool from the log, the other delivers from it.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use tokio::time::Instant;

use super::deliver::Delivery;
use super::flight::Flight;
use super::{NOTE_EVERY, Worker};
use crate::QueryError;
use crate::export::batch::Batch;
use crate::export::sink::RemoteSink;
use crate::export::spool::{Pushed, Spool};
use crate::export::stats::Places;
use crate::export::tail::Tail;

pub(super) async fn run(worker: &Worker, sink: RemoteSink) {
    let Some((spool, mut tail)) = open(worker).await else { return };
    let read_all = Cell::new(false);
    let filling = async {
        fill(worker, &spool, &mut tail).await;
        read_all.set(true);
        spool.filled.notify_one();
    };
    let sending = send(worker, &spool, sink, &read_all);
    tokio::select! {
        _ = async { tokio::join!(filling, sending) } => {}
        () = worker.stop.over() => {}
    }
    note(worker, &spool, &mut tail).await;
    tail.close().await;
}

/// The spool with what has not arrived yet, and the log after that.
async fn open(worker: &Worker) -> Option<(Spool, Tail)> {
    let spool = Cell::new(None);
    let tail = worker
        .tail(|noted| {
            let settings = &worker.settings;
            let opened = Spool::open(
                &settings.folder,
                &form(worker),
                settings.spool_bytes,
                noted,
                worker.counters.clone(),
            );
            match opened {
                Ok(opened) => {
                    let places = opened.places();
                    spool.set(Some(opened));
                    places
                }
                Err(error) => {
                    worker.failed("the spool cannot be opened", &error);
                    Places::new()
                }
            }
        })
        .await?;
    match spool.take() {
        Some(spool) => Some((spool, tail)),
        None => {
            // A folder that cannot be read will not do for a spool; it is tried again from the start.
            worker.stop.sleep(worker.settings.backoff_longest).await;
            if worker.stop.is_set() { None } else { Box::pin(open(worker)).await }
        }
    }
}

/// What the lines in the spool are: those of another format, or for another kind of receiver, are of no
/// use.
fn form(worker: &Worker) -> String {
    let framing = if worker.encoder.is_syslog() { "syslog" } else { "http" };
    format!("{}/{framing}", worker.settings.format)
}

/// Reads the log into the spool until it is time to stop and everything is read.
async fn fill(worker: &Worker, spool: &Spool, tail: &mut Tail) {
    let mut backoff = worker.backoff();
    let mut noted = Instant::now();
    let mut held: Option<Batch> = None;
    loop {
        if noted.elapsed() >= NOTE_EVERY {
            note(worker, spool, tail).await;
            noted = Instant::now();
        }
        let stopping = worker.stop.is_set();
        if spool.wants_again() {
            held = None;
        }
        let next = match held.take() {
            Some(batch) => Ok(Some(batch)),
            None => next(worker, spool, tail).await,
        };
        let step = match next {
            Ok(Some(batch)) => keep(worker, spool, tail, batch).await,
            Ok(None) => Step::Wait(None),
            Err(error) => {
                worker.failed("the log cannot be read", &error);
                Step::Failed(None)
            }
        };
        let pause = match step {
            Step::On => {
                backoff.reset();
                tokio::task::yield_now().await;
                continue;
            }
            // The rest stays in the log.
            Step::Wait(_) | Step::Failed(_) if stopping => return,
            Step::Wait(batch) => {
                held = batch;
                worker.settings.poll
            }
            Step::Failed(batch) => {
                held = batch;
                backoff.next(None)
            }
        };
        tokio::select! {
            _ = worker.stop.sleep(pause) => {}
            () = spool.emptied.notified() => {}
        }
    }
}

/// The next batch; after damage the one after what has arrived.
async fn next(
    worker: &Worker,
    spool: &Spool,
    tail: &mut Tail,
) -> Result<Option<Batch>, QueryError> {
    if spool.wants_again() {
        note(worker, spool, tail).await;
        tail.begin(&spool.places()).await?;
        spool.reads_again();
    }
    tail.next().await
}

/// What filling the spool does next, and the batch that is still in hand.
enum Step {
    /// Goes on at once.
    On,
    /// Waits for events or for room.
    Wait(Option<Batch>),
    /// Waits because something did not work.
    Failed(Option<Batch>),
}

/// Puts a batch into the spool.
async fn keep(worker: &Worker, spool: &Spool, tail: &mut Tail, batch: Batch) -> Step {
    match spool.push(&batch) {
        Ok(Pushed::Yes) => {
            worker.counters.paused.store(false, Relaxed);
            Step::On
        }
        Ok(Pushed::Full) => {
            worker.counters.paused.store(true, Relaxed);
            // Room is made by what has arrived, once that is noted.
            note(worker, spool, tail).await;
            // Only to know how far behind it is.
            drop(tail.look().await);
            Step::Wait(Some(batch))
        }
        // It will come again.
        Ok(Pushed::ReadAgain) => Step::On,
        Err(error) => {
            worker.failed("the spool cannot be written", &error);
            Step::Failed(Some(batch))
        }
    }
}

/// Delivers from the spool until it is time to stop and there is nothing left.
async fn send(worker: &Worker, spool: &Spool, sink: RemoteSink, read_all: &Cell<bool>) {
    let mut delivery = Delivery::new(worker, spool, sink);
    let mut flight = Flight::new(worker.settings.poll, worker.settings.ack_timeout);
    loop {
        while let Some(events) = flight.arrived() {
            worker.arrived(events);
            spool.delivered();
        }
        if flight.is_due() {
            if !delivery.confirm(&mut flight).await {
                return;
            }
            continue;
        }
        let next = if flight.is_full() { None } else { spool.nth(flight.len()) };
        let Some(segment) = next else {
            if !flight.is_empty() {
                tokio::select! {
                    () = flight.due() => {}
                    () = spool.filled.notified(), if !flight.is_full() => {}
                }
            } else if read_all.get() && spool.is_empty() {
                return;
            } else {
                spool.filled.notified().await;
            }
            continue;
        };
        let batch = match spool.read(&segment) {
            Ok(Some(batch)) => batch,
            // Everything that waits is read again.
            Ok(None) => {
                flight.clear();
                continue;
            }
            Err(error) => {
                worker.failed("the spool cannot be read", &error);
                if !worker.stop.sleep(worker.settings.backoff_first).await {
                    return;
                }
                continue;
            }
        };
        match delivery.deliver(&batch).await {
            Some(taken) => flight.push(taken),
            None => return,
        }
    }
}

async fn note(worker: &Worker, spool: &Spool, tail: &mut Tail) {
    let places = spool.to_note();
    if places.is_empty() {
        return;
    }
    let noted = tail.note(&places).await;
    // It is noted the next time otherwise.
    if let Err(error) = noted {
        tracing::debug!(sink = worker.id(), %error, "a place was not noted");
    } else if let Err(error) = spool.noted(&places) {
        worker.failed("the spool cannot be emptied", &error);
    }
}
