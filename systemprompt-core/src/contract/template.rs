/// Renders named templates. Object-safe.
pub trait TemplateProvider: Send + Sync + 'static {
    /// Renders the template `name` with `context`.
    ///
    /// # Errors
    /// [`TemplateError`] when there is no such template or it does not render.
    fn render(&self, name: &str, context: &serde_json::Value) -> Result<String, TemplateError>;
}

/// A template could not be rendered.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// No template of that name.
    #[error("there is no template `{0}`")]
    Unknown(String),
    /// The template does not render.
    #[error("template `{name}`: {detail}")]
    Render {
        /// The template.
        name: String,
        /// What went wrong and where.
        detail: String,
    },
}
