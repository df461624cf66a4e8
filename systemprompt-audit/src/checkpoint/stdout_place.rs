use std::io::{self, Write as _};

use async_trait::async_trait;

use super::{CheckpointPlace, CheckpointRecord, PlaceError};

/// The standard output of the process, one line of JSON for each checkpoint, for whatever collects it.
#[derive(Debug, Clone, Copy, Default)]
pub struct StdoutPlace;

#[async_trait]
impl CheckpointPlace for StdoutPlace {
    fn name(&self) -> String {
        "standard output".to_owned()
    }

    async fn put(&self, record: &CheckpointRecord) -> Result<(), PlaceError> {
        let line = record.to_line();
        let put = tokio::task::spawn_blocking(move || {
            let mut out = io::stdout().lock();
            out.write_all(line.as_bytes()).and_then(|()| out.flush())
        });
        Ok(put.await.map_err(io::Error::other)??)
    }
}
