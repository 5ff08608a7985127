//! `medshare outputs`: what a command in the sandbox wrote and the custodian holds back (P18, SPEC §5.3).

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use medshare_client::outputs::{fetch, given_away, send, write_folder};
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::HeldOutput;
use serde_json::json;

use crate::output::{self, Progress, counted};
use crate::profile::{HomeArgs, RequestorArgs};

/// Lists, fetches, sends.
#[derive(Subcommand, Debug)]
pub enum OutputsCommand {
    /// List the outputs of a package, and what the custodian has decided
    List(List),
    /// Fetch an output that the custodian has released
    Fetch(Fetch),
    /// Send what could not be sent when the command ended
    Send(Send),
}

/// `outputs list`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  medshare outputs list 0x4be1…")]
pub struct List {
    /// The package
    package: PackageId,
    #[command(flatten)]
    home: HomeArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `outputs fetch`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare outputs fetch 0x4be1… 7 --output results\nA released output is opened with the sealing key that was registered when it was released."
)]
pub struct Fetch {
    /// The package
    package: PackageId,
    /// The output's number, as `medshare run` and `medshare outputs list` say it
    number: u32,
    /// A new folder for the files
    #[arg(long, value_name = "FOLDER", default_value = "output")]
    output: PathBuf,
    #[command(flatten)]
    requestor: RequestorArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `outputs send`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  medshare outputs send 0x4be1…")]
pub struct Send {
    /// The package
    package: PackageId,
    #[command(flatten)]
    home: HomeArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl OutputsCommand {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::List(command) => command.run().await,
            Self::Fetch(command) => command.run().await,
            Self::Send(command) => command.run().await,
        }
    }
}

impl List {
    async fn run(self) -> Result<()> {
        let folder = self.home.purse()?.known_package(self.package)?;
        let held = self.home.node()?.outputs(self.package).await?;
        let unsent: Vec<_> = given_away(&folder)?
            .into_iter()
            .filter(|(known, is_sent)| {
                !is_sent && held.iter().all(|held| held.number != known.number)
            })
            .map(|(known, _)| known.number)
            .collect();
        if self.json {
            return output::json(&json!({"outputs": held, "unsent": unsent}));
        }
        if held.is_empty() && unsent.is_empty() {
            return output::line("no outputs are held back");
        }
        for held in &held {
            output::line(format!("{}  {}", held.number, standing(held)))?;
        }
        for number in unsent {
            output::line(format!(
                "{number}  waits here to be sent: `medshare outputs send`"
            ))?;
        }
        Ok(())
    }
}

/// How far it is.
pub(super) fn standing(held: &HeldOutput) -> String {
    match held.decision.as_ref().map(|signed| &signed.decision) {
        None => "waits for the custodian's decision".to_owned(),
        Some(decision) if decision.released && decision.reason.is_empty() => "released".to_owned(),
        Some(decision) if decision.released => format!("released: {:?}", decision.reason),
        Some(decision) => format!("not released: {:?}", decision.reason),
    }
}

impl Fetch {
    async fn run(self) -> Result<()> {
        not_there(&self.output)?;
        let folder = self.requestor.home.purse()?.known_package(self.package)?;
        let (_, requestor) = self.requestor.open().await?;
        let fetching = fetch(&requestor, &folder, self.number);
        let files = Progress::of_steps().until("fetching", fetching).await?;
        write_folder(
            &self.output,
            files
                .iter()
                .map(|(path, content)| (Path::new(path), content)),
        )?;
        let names: Vec<_> = files.iter().map(|(path, _)| path).collect();
        output::either(
            self.json,
            &json!({"package": self.package, "number": self.number, "output": self.output, "files": names}),
            format!(
                "{} in {}",
                counted(names.len() as u64, "file"),
                self.output.display()
            ),
        )
    }
}

impl Send {
    async fn run(self) -> Result<()> {
        let folder = self.home.purse()?.known_package(self.package)?;
        let node = self.home.node()?;
        let mut sent = Vec::new();
        for (known, is_sent) in given_away(&folder)? {
            if !is_sent {
                let sending = send(&node, &folder, known.number);
                Progress::of_steps().until("sending", sending).await?;
                sent.push(known.number);
            }
        }
        let text = match sent.len() {
            0 => "nothing waits here to be sent".to_owned(),
            count => format!("{} sent", counted(count as u64, "output")),
        };
        output::either(
            self.json,
            &json!({"package": self.package, "sent": sent}),
            text,
        )
    }
}

/// Before anything is asked for: a folder that is there is not written into.
pub(super) fn not_there(folder: &Path) -> Result<()> {
    if folder.symlink_metadata().is_ok() {
        bail!("{} exists already: name a new folder", folder.display());
    }
    Ok(())
}
