//! The arguments of `providers` and `routes`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ProvidersCommand {
    /// List the providers of the profile.
    List,
    /// Ask providers whether they answer; exit code 1 when one does not.
    ///
    /// Each is asked for the shortest answer of the cheapest model that is routed to it, which costs next to
    /// nothing and is neither decided nor counted nor recorded. A provider of which no model is known is asked
    /// for the list of its models.
    Test(ProviderTestArgs),
    /// Show what models cost, in dollars per million tokens.
    Prices(PricesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProviderTestArgs {
    /// Only this provider.
    pub(crate) name: Option<String>,
    /// Ask this model, as the provider names it.
    #[arg(long, requires = "name", conflicts_with = "list_models")]
    pub(crate) model: Option<String>,
    /// Ask for the list of models, which costs nothing.
    #[arg(long)]
    pub(crate) list_models: bool,
    /// Whose keys in custody are used.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
}

#[derive(Debug, Args)]
pub(crate) struct PricesArgs {
    /// Only models that this fits: `*` is any run of characters, `?` any one.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) model: Option<String>,
    /// Only this vendor, or this provider of the profile.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesCommand {
    /// Say which route takes a request, and why each other does not; exit code 5 when none does.
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The model that is asked for.
    pub(crate) model: String,
    /// The caller's tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// A role of the caller; may be given more than once.
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// The request has tools.
    #[arg(long)]
    pub(crate) tools: bool,
    /// The request asks the model to think.
    #[arg(long)]
    pub(crate) thinking: bool,
    /// The answer is to be streamed.
    #[arg(long)]
    pub(crate) stream: bool,
    /// The tokens of the prompt.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) tokens: u64,
}
