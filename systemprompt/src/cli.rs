//! The command line, for a binary of your own: `systemprompt::cli::run(App::builder())`.

#[doc(inline)]
pub use systemprompt_cli::{run, run_with};
