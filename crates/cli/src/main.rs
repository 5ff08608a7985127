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

fn main() -> ExitCode {
    // The stages of `medshare run` are this program as well. They make namespaces, which takes a single thread.
    if let Some(ended) = medshare_client::sandbox::stage() {
        return ended;
    }
    // Wrong usage ends here, with status 2.
    let cli = cli::Cli::parse();
    // What is written here is about patients, or opens something that is: it is its owner's alone.
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
    let runtime = tokio::runtime::Runtime::new().map_err(anyhow::Error::from);
    match runtime.and_then(|runtime| runtime.block_on(cli.command.run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is::<output::Passed>() {
                output::failure(&error);
            }
            ExitCode::from(output::status(&error))
        }
    }
}
