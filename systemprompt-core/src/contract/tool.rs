use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

use crate::decision::Injected;
use crate::id::ToolName;

/// Offers tools that run behind a permit. Object-safe.
#[async_trait]
pub trait ToolProvider: Send + Sync + 'static {
    /// The tools on offer.
    fn tools(&self) -> Vec<ToolDefinition>;

    /// Runs a tool. Reached through [`crate::decision::Permit::run`] only, which is where
    /// [`Injected`] comes from.
    ///
    /// # Errors
    /// [`ToolError`] when the tool fails.
    async fn call(&self, injected: Injected) -> Result<Bytes, ToolError>;
}

/// A tool as it is shown to a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolDefinition {
    /// The tool's name.
    pub name: ToolName,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: serde_json::Value,
}

/// A tool failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct ToolError(pub String);
