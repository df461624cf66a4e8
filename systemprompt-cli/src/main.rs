//! The `systemprompt` binary: the command line with the extensions linked into it, which are none.

use std::process::ExitCode;

fn main() -> ExitCode {
    systemprompt_cli::run_linked()
}
