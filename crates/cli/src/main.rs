//! `medshare`: the one binary. It parses, dispatches, and says in one sentence what went wrong.

mod bench;
mod cli;
mod command;
mod connection;
mod demo;
mod logging;
mod network;
mod new_file;
mod output;
mod passphrase;
mod profile;
mod records;
mod shutdown;
mod synth;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    // Wrong usage ends here, with status 2.
    let cli = cli::Cli::parse();
    // What is written here is about patients, or opens something that is: it is its owner's alone.
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
    match cli.command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}
