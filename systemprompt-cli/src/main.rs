//! The `systemprompt` binary: the command line, without extensions.

use std::process::ExitCode;

use systemprompt_runtime::App;

fn main() -> ExitCode {
    systemprompt_cli::run(App::builder())
}
