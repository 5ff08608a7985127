//! The command line as a whole.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::command::*;

/// Shares medical data without losing sight of it: every request, package and use is judged, recorded and provable.
#[derive(Parser, Debug)]
#[command(
    name = "medshare",
    version,
    propagate_version = true,
    after_help = "The whole story in one minute:   medshare demo
A network to type commands at:   medshare devnet
Exit status: 0 done, 1 failed (one sentence on stderr says why and what to do), 2 wrong usage, 3 an action that the
usage contract does not permit was tried, 4 the data is closed: the lease, a revocation, the end of its time."
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, by who uses them.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make, import and look at keystores
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Deploy the contract (governance)
    Deploy(deploy::Deploy),
    /// Take part as a custodian: nodes, datasets, reviews
    #[command(subcommand)]
    Custodian(custodian::CustodianCommand),
    /// Run a custodian's node
    Node(node::Node),
    /// Register as a requestor; the node relays it, so no currency is needed
    Register(register::Register),
    /// List what can be asked for
    Datasets(datasets::Datasets),
    /// Ask for data and wait for the package
    Request(request::Request),
    /// Say how far a request is
    Status(status::Status),
    /// Download a package
    Download(download::Download),
    /// Open a package: report first, key second
    Open(open::Open),
    /// Run a command on the data, in a sandbox that lets no row out
    Run(run::Run),
    /// Fetch what a command in the sandbox wrote and the custodian has released
    #[command(subcommand)]
    Outputs(outputs::OutputsCommand),
    /// Read, write, delete, duplicate, move or copy open data
    #[command(subcommand)]
    Act(act::Act),
    /// Give the data back
    Return(give_back::GiveBack),
    /// List the packages that are kept here
    Packages(packages::Packages),
    /// Verify everything from genesis to head
    Audit(audit::Audit),
    /// Take the ledger along as one file, or prove parts of it
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Gather all that shows what became of a request, in one file for outsiders
    Evidence(evidence::Evidence),
    /// Check evidence or a proof: needs no network, no node and no key
    Verify(verify::Verify),
    /// Anonymise a table, from file to file
    Anonymise(anonymise::Anonymise),
    /// Measure how long things take
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Tell the whole story with real parts, in under a minute
    Demo(demo::Demo),
    /// Start a network on this machine and leave it running
    Devnet(devnet::Devnet),
    /// Print what a shell needs to complete commands and options
    Completions(completions::Completions),
}

/// Says that the command line is used wrongly, where clap by itself cannot tell, and ends with status 2.
pub fn wrong_usage(message: impl std::fmt::Display) -> ! {
    Cli::command()
        .error(ErrorKind::ValueValidation, message)
        .exit()
}

impl Command {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<()> {
        if !matches!(self, Self::Node(_)) {
            // A node's log is its configuration's matter.
            crate::logging::start(crate::logging::QUIET)?;
        }
        match self {
            Self::Wallet(command) => command.run(),
            Self::Deploy(command) => command.run().await,
            Self::Custodian(command) => command.run().await,
            Self::Node(command) => command.run().await,
            Self::Register(command) => command.run().await,
            Self::Datasets(command) => command.run().await,
            Self::Request(command) => command.run().await,
            Self::Status(command) => command.run().await,
            Self::Download(command) => command.run().await,
            Self::Open(command) => command.run().await,
            Self::Run(command) => command.run().await,
            Self::Outputs(command) => command.run().await,
            Self::Act(command) => command.run().await,
            Self::Return(command) => command.run().await,
            Self::Packages(command) => command.run().await,
            Self::Audit(command) => command.run().await,
            Self::Ledger(command) => command.run().await,
            Self::Evidence(command) => command.run().await,
            Self::Verify(command) => command.run(),
            Self::Anonymise(command) => command.run().await,
            Self::Bench(command) => command.run().await,
            Self::Demo(command) => command.run().await,
            Self::Devnet(command) => command.run().await,
            Self::Completions(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_shows_how_it_is_used() {
        let mut cli = Cli::command();
        cli.build();
        let mut waiting = vec![&cli];
        let mut leaves = 0;
        while let Some(command) = waiting.pop() {
            let inner: Vec<_> = command
                .get_subcommands()
                .filter(|inner| inner.get_name() != "help")
                .collect();
            if inner.is_empty() {
                leaves += 1;
                let after = command
                    .get_after_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                assert!(
                    after.contains("medshare "),
                    "`{}` shows no example",
                    command.get_name()
                );
            }
            waiting.extend(inner);
        }
        assert!(leaves > 30, "only {leaves} commands were looked at");
    }
}
