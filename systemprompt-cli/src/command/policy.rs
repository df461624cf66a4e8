//! `policy replay`, `policy shadow`.

mod decisions;
mod replay;
mod report;
mod shadow;

use crate::args::PolicyCommand;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

pub(crate) async fn run(
    command: &PolicyCommand,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    match command {
        PolicyCommand::Replay(args) => replay::run(args, session, output).await,
        PolicyCommand::Shadow(args) => shadow::run(args, session, output).await,
    }
}
