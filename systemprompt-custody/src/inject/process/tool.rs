use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use systemprompt_core::contract::{ToolDefinition, ToolError, ToolProvider};
use systemprompt_core::decision::Injected;
use systemprompt_core::id::ServerName;
use systemprompt_core::injection::ProcessLimits;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::{ChildProcess, ProcessSpec};
use crate::inject::{Injection, Injector};

/// Most bytes of what a failed process says about itself that an error repeats.
const SHOWN: usize = 1024;

/// A tool that is one run of a program: the arguments of the call are what it reads, as JSON, and what it
/// writes is the result.
#[derive(Debug, Clone)]
pub struct ProcessTool {
    injector: Injector,
    server: ServerName,
    spec: ProcessSpec,
    limits: ProcessLimits,
    definition: ToolDefinition,
}

impl ProcessTool {
    /// The tool `definition` of `server` as runs of a program.
    #[must_use]
    pub fn new(
        injector: Injector,
        server: ServerName,
        spec: ProcessSpec,
        limits: ProcessLimits,
        definition: ToolDefinition,
    ) -> Self {
        Self { injector, server, spec, limits, definition }
    }

    async fn run(&self, injection: &Injection) -> Result<Bytes, String> {
        let arguments = injection.arguments().await.map_err(|error| error.to_string())?;
        let child = self.spec.spawn(injection).await.map_err(|error| error.to_string())?;
        let ChildProcess { mut stdin, stdout, stderr, mut life } = child;
        // What was opened for the arguments before the start is known to the filters of the pipes, too.
        let limit = self.limits.output_bytes;
        let write = async move {
            // A program that does not read its input is none the worse for it.
            let _ = stdin.write_all(arguments.expose()).await;
        };
        let run = async {
            let work = async { tokio::join!(write, read(stdout, limit), read(stderr, limit)) };
            tokio::join!(work, life.wait())
        };
        let time = Duration::from_millis(self.limits.time_ms);
        let Ok((((), output, complaint), status)) = tokio::time::timeout(time, run).await else {
            return Err(format!("the program did not end within {} ms", self.limits.time_ms));
        };
        let status = status.map_err(|error| format!("the program was lost: {}", error.kind()))?;
        if !status.success() {
            let complaint = complaint.bytes;
            let shown = complaint.get(complaint.len().saturating_sub(SHOWN)..).unwrap_or_default();
            let shown = String::from_utf8_lossy(shown);
            return Err(format!("the program ended with {status}: {}", shown.trim()));
        }
        if output.cut {
            return Err(format!("the program wrote more than {limit} bytes"));
        }
        Ok(output.bytes.into())
    }
}

#[async_trait]
impl ToolProvider for ProcessTool {
    fn tools(&self) -> Vec<ToolDefinition> {
        vec![self.definition.clone()]
    }

    async fn call(&self, injected: Injected) -> Result<Bytes, ToolError> {
        if *injected.call().tool().name() != self.definition.name {
            return Err(ToolError(format!("there is no tool `{}`", injected.call().tool().name())));
        }
        let injection = self.injector.for_call(&self.server, &injected);
        let injection = injection.map_err(|error| ToolError(error.to_string()))?;
        let result = self.run(&injection).await;
        result.map_err(|text| ToolError(injection.filter().redact_text(&text)))
    }
}

/// What a process wrote.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    /// Whether there was more.
    cut: bool,
}

/// Reads up to `limit` bytes. What is more is read and thrown away, so that the process can end; an error
/// of a pipe ends it like the process does.
async fn read(mut source: impl AsyncRead + Unpin, limit: usize) -> Written {
    let mut written = Written::default();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    if (&mut source).take(most).read_to_end(&mut written.bytes).await.is_ok() {
        let more = tokio::io::copy(&mut source, &mut tokio::io::sink()).await;
        written.cut = more.is_ok_and(|bytes| bytes > 0);
    }
    written
}
