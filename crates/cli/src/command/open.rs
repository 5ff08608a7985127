//! `medshare open`: reports, opens, and keeps the data in memory for `medshare act` until it is closed (P17).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use medshare_client::agent::{Agent, DATA_FILE, Lock};
use medshare_client::memory;
use medshare_client::mount::Mount;
use medshare_client::opening::{self, Opening};
use medshare_client::socket::AgentSocket;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::Environment;
use rustix::io::Errno;
use serde_json::json;

use crate::output::Progress;
use crate::profile::RequestorArgs;
use crate::{output, shutdown};

/// Opens.
#[derive(Args, Debug)]
#[command(
    after_help = "Runs until the data is closed: by `medshare act close`, by Ctrl-C, by a violation, or because
access was taken away. Leave it running and act from another terminal:
  medshare open 0x4be1… &
  medshare act read 0x4be1…
Or read it as a file:
  mkdir data && medshare open 0x4be1… --at data &
  grep -c F data/data.csv

In a folder (--at), a program that has the file mapped when the data is closed dies of SIGBUS: it must not go on as if
nothing had been."
)]
pub struct Open {
    /// The package
    package: PackageId,
    /// Longest wait for the lease of a session before this one to end; the default outlasts a lease of 60 s
    #[arg(long, default_value_t = 75, value_name = "SECONDS")]
    patience_seconds: u64,
    /// Show the data as a folder with one file, here: an empty folder (FUSE)
    #[arg(long, value_name = "FOLDER")]
    at: Option<PathBuf>,
    #[command(flatten)]
    requestor: RequestorArgs,
    /// Print JSON: one object when the data is open, one when it is closed
    #[arg(long)]
    json: bool,
}

impl Open {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        if let Some(at) = &self.at {
            check_folder(at)?;
        }
        let folder = self.requestor.home.purse()?.known_package(self.package)?;
        if !folder.is_downloaded() {
            bail!(
                "the package is not here yet: run `medshare download {}` first",
                self.package
            );
        }
        // Before there is anything to be found in this process's memory.
        memory::harden().context("cannot forbid core dumps of this process")?;
        let (purse, requestor) = self.requestor.open().await?;
        let told = shutdown::listen()?;
        // The place is taken before anything is reported.
        let socket = AgentSocket::bind(&purse.socket(self.package)?).await?;
        let opening = Opening {
            container: folder.container(),
            journal: folder.journal(),
            environment: Environment::Any,
            patience: Duration::from_secs(self.patience_seconds),
        };
        let mut progress = Progress::of_bytes();
        let hashing = move |done, all| progress.at(done, all);
        let agent = patiently(opening::open_with(&requestor, &opening, hashing)).await?;
        let mount = self.at.as_deref().and_then(|at| mount(&agent, at));
        let place = match (&mount, &self.at) {
            (Some(_), Some(at)) => format!("the data is {}", at.join(DATA_FILE).display()),
            _ => "act on it with `medshare act`".to_owned(),
        };
        let (length, granted) = (agent.length()?, agent.usage().granted);
        let file = mount.as_ref().and(self.at.as_ref());
        output::compact(
            self.json,
            &json!({"open": self.package, "length": length, "granted": granted, "file": file.map(|at| at.join(DATA_FILE))}),
            format!("open: {length} bytes, granted: {granted}; {place}"),
        )?;
        // What went wrong is said while the rest is still waited for: a network that hangs keeps nobody from knowing.
        let (failed, ()) = tokio::try_join!(failure(&agent), async {
            tokio::select! {
                lock = socket.serve(&agent) => drop(lock?),
                () = told => agent.close(),
            }
            if let Some(mount) = mount {
                mount.end().await?;
            }
            // The program that was refused has its answer; the node has the report, or has it at the next opening.
            agent.leave().await;
            Ok(())
        })?;
        let lock = agent.settled().await;
        if let Some((told, failed)) = failed {
            output::arrived(&told, &lock);
            return Err(failed);
        }
        output::compact(
            self.json,
            &json!({"closed": self.package, "why": lock}),
            &lock,
        )
    }
}

/// Waits for the data to be closed, and says why at once if something is wrong: what was said, and its exit status.
async fn failure(agent: &Agent) -> Result<Option<(Lock, anyhow::Error)>> {
    let lock = agent.settled().await;
    Ok((!lock.is_peaceful()).then(|| {
        let failed = output::failed_already(lock.clone().into());
        (lock, failed)
    }))
}

/// Says why it takes so long when it does: the lease of the session before has to end first.
pub(super) async fn patiently<T>(opening: impl Future<Output = T>) -> T {
    let mut opening = std::pin::pin!(opening);
    tokio::select! {
        opened = &mut opening => opened,
        () = tokio::time::sleep(Duration::from_secs(2)) => {
            output::note("waiting: the lease of the session before this one has to end first");
            opening.await
        }
    }
}

/// The folder; where it cannot be, the package stays open for `medshare act`.
fn mount(agent: &Agent, at: &Path) -> Option<Mount> {
    match Mount::new(agent, at) {
        Ok(mount) => Some(mount),
        Err(error) => {
            output::note(error);
            None
        }
    }
}

/// Before anything is reported: `decrypt` should not be on record for a slip of the pen.
fn check_folder(at: &Path) -> Result<()> {
    let reading = || format!("cannot mount at {}", at.display());
    let left = at.read_dir().err().and_then(|error| error.raw_os_error());
    if left == Some(Errno::NOTCONN.raw_os_error()) {
        bail!(
            "{} was left mounted by an agent that is gone: unmount it with `fusermount3 -u {}`, then open again",
            at.display(),
            at.display()
        );
    }
    if at.read_dir().with_context(reading)?.next().is_some() {
        bail!(
            "{} is not empty: make a new folder and mount there",
            at.display()
        );
    }
    Ok(())
}
