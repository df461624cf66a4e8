//! A sink that is written to directly: when it cannot be, what it misses stays in the log.

use tokio::time::Instant;

use super::{NOTE_EVERY, Worker};
use crate::export::batch::Batch;
use crate::export::sink::LocalSink;
use crate::export::stats::Places;
use crate::export::tail::Tail;

pub(super) async fn run(worker: &Worker, mut sink: LocalSink) {
    let Some(mut tail) = worker.tail(Clone::clone).await else { return };
    let mut written = Places::new();
    tokio::select! {
        () = serve(worker, &mut sink, &mut tail, &mut written) => {}
        () = worker.stop.over() => {}
    }
    note(worker, &mut sink, &mut tail, &mut written).await;
    tail.close().await;
}

async fn serve(worker: &Worker, sink: &mut LocalSink, tail: &mut Tail, written: &mut Places) {
    let mut backoff = worker.backoff();
    let mut noted = Instant::now();
    loop {
        // Whether everything was there before the last look.
        let stopping = worker.stop.is_set();
        let pause = match tail.next().await {
            Ok(Some(batch)) => {
                if !write(worker, sink, &batch).await {
                    return;
                }
                written.insert(batch.origin.clone(), batch.to);
                backoff.reset();
                // Other sinks' threads and this one's reactor get their turn.
                tokio::task::yield_now().await;
                None
            }
            Ok(None) if stopping => return,
            Ok(None) => Some(worker.settings.poll),
            Err(error) => {
                worker.failed("the log cannot be read", &error);
                if stopping {
                    return;
                }
                Some(backoff.next(None))
            }
        };
        if noted.elapsed() >= NOTE_EVERY {
            note(worker, sink, tail, written).await;
            noted = Instant::now();
        }
        if let Some(pause) = pause {
            worker.stop.sleep(pause).await;
        }
    }
}

/// Writes until it works; `false` when it did not before it was time to stop.
async fn write(worker: &Worker, sink: &mut LocalSink, batch: &Batch) -> bool {
    let mut backoff = worker.backoff();
    loop {
        match sink.write(batch) {
            Ok(()) => {
                worker.succeeded();
                worker.arrived(batch.len());
                return true;
            }
            Err(error) => worker.failed("the sink cannot be written", &error),
        }
        if !worker.stop.sleep(backoff.next(None)).await {
            return false;
        }
    }
}

async fn note(worker: &Worker, sink: &mut LocalSink, tail: &mut Tail, written: &mut Places) {
    if written.is_empty() {
        return;
    }
    if let Err(error) = sink.sync() {
        worker.failed("the sink cannot be synced", &error);
        return;
    }
    match tail.note(written).await {
        Ok(()) => written.clear(),
        // It is noted the next time.
        Err(error) => tracing::debug!(sink = worker.id(), %error, "a place was not noted"),
    }
}
