use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::poll_fn;
use tokio::time::timeout;

/// What `future` says; `None` when it takes longer than `limit` or panics.
///
/// What is ready at once, as stores in memory are, costs no timer and needs no runtime.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let waiting = async {
        let mut future = pin!(future);
        match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            Poll::Ready(said) => Some(said),
            Poll::Pending => timeout(limit, future).await.ok(),
        }
    };
    AssertUnwindSafe(waiting).catch_unwind().await.ok().flatten()
}
