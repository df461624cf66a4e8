use std::io::{self, Write as _};

use crate::export::batch::Batch;

/// The standard output of the process.
#[derive(Debug)]
pub(in crate::export) struct StdoutSink;

impl StdoutSink {
    pub(in crate::export) fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(batch.bytes())?;
        out.flush()
    }
}
