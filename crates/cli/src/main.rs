//! `medshare`: the one binary. It parses, dispatches, and says in one sentence what went wrong.

mod bench;
mod cli;
mod command;
mod connection;
mod demo;
mod logging;
mod network;
mod output;
mod passphrase;
mod profile;
mod shutdown;
mod synth;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    // Wrong usage ends here, with status 2.
    let cli = cli::Cli::parse();
    match cli.command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}
