//! `medshare run`: a command that reads the data where it cannot carry it off (P18).

mod finish;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use medshare_client::agent::{Agent, Lock};
use medshare_client::memory;
use medshare_client::opening::{self, Opening};
use medshare_client::purse::PackageFolder;
use medshare_client::requestor::Requestor;
use medshare_client::sandbox::{self, Limits, Plan, Sandbox};
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::Environment;

use crate::output::Progress;
use crate::profile::RequestorArgs;
use crate::{output, shutdown};
use finish::Away;

/// Runs.
#[derive(Args, Debug)]
#[command(
    after_help = "Inside, the data is /medshare/data/data.csv (also in MEDSHARE_DATA), further packages are
/medshare/ID/data.csv, results go to /medshare/output (MEDSHARE_OUTPUT), temporary files to TMPDIR. The current
folder is /medshare/work, read-only: put your script there. There is no network, no terminal and no input; what the command
prints becomes the files stdout and stderr of the output.
Afterwards the files are listed, hashed, reported, and looked through for rows of the data. An output that holds
rows is a copy: where the usage contract does not grant copy, access is revoked and nothing is handed out. To see
before that what would be found, use --check. Where the usage contract holds outputs back (environment sandbox-held),
they go to the custodian, sealed, and come back once they are released: `medshare outputs`.
Examples:
  medshare run 0x4be1… -- python3 analysis.py
  medshare run 0x4be1… --check -- python3 analysis.py
  medshare run 0x4be1… --output counts -- sh -c 'cut -d, -f3 $MEDSHARE_DATA | sort | uniq -c'
  medshare run 0x4be1… --packages 0x77aa… 0x91c0… -- Rscript join.R
  medshare run 0x4be1… --show ~/.pyenv ~/venv -- ~/venv/bin/python analysis.py
Exit status: the command's; where nothing was handed out, 3 for rows that may not be copied, 4 for data that was closed
meanwhile, else 1."
)]
pub struct Run {
    /// The package
    package: PackageId,
    /// Further packages, side by side with it
    #[arg(long, value_name = "PACKAGE", num_args = 1..)]
    packages: Vec<PackageId>,
    /// A new folder for the output
    #[arg(long, value_name = "FOLDER", default_value = "output")]
    output: PathBuf,
    /// Hand nothing out; name the files that hold rows of the data
    #[arg(long)]
    check: bool,
    /// Show a folder, read-only, where it is: an interpreter and libraries of your own (pyenv, conda, a virtual environment)
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    show: Vec<PathBuf>,
    /// Address space that each process may take
    #[arg(long, value_name = "MIB", default_value_t = Limits::DEFAULT.memory >> 20, value_parser = clap::value_parser!(u64).range(64..=1 << 24))]
    memory_mib: u64,
    /// Computing time that each process may take
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::DEFAULT.seconds, value_parser = clap::value_parser!(u64).range(1..))]
    cpu_seconds: u64,
    /// Longest wait for the lease of a session before this one to end; the default outlasts a lease of 60 s
    #[arg(long, default_value_t = 75, value_name = "SECONDS")]
    patience_seconds: u64,
    #[command(flatten)]
    requestor: RequestorArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Program and arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Run {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        if !self.check && self.output.symlink_metadata().is_ok() {
            bail!(
                "{} exists already: name a new folder with --output",
                self.output.display()
            );
        }
        let folders = self.folders()?;
        let (_, requestor) = self.requestor.open().await?;
        let told = shutdown::listen()?;
        // The sandbox stands before anything is reported.
        let plan = self.plan(&folders)?;
        let mut sandbox = tokio::task::spawn_blocking(move || Sandbox::start(&plan)).await??;
        memory::harden().context("cannot forbid core dumps of this process")?;
        let agents = self.open(&requestor, &folders).await?;
        let holder = sandbox::holder(&agents)?;
        if self.check && holder.is_some() {
            bail!(
                "the usage contract holds outputs back, and nothing of them is told here: run the command without --check"
            );
        }
        let shown = sandbox.go(&agents)?;
        let away = holder.map(|place| Away {
            place,
            folder: &folders[place],
            node: &requestor.node,
        });
        let ran = self.command(&agents, sandbox, told, away.as_ref()).await;
        let untold = untold(&agents).await.filter(|_| ran.is_err());
        let ran = match &untold {
            Some((_, lock)) => {
                Err(anyhow::Error::new(lock.clone()).context("nothing is handed out"))
            }
            None => ran,
        };
        // What went wrong is said before the network is waited for.
        let ran = ran.map_err(output::failed_already);
        // It closes the data; what is still on its way to the node has a moment to arrive.
        for mount in shown {
            mount.end().await?;
        }
        for agent in &agents {
            agent.leave().await;
        }
        if let Some((agent, lock)) = untold {
            output::arrived(&lock, &agent.settled().await);
        }
        ran
    }

    /// Waits for the command, and judges what it wrote.
    async fn command(
        &self,
        agents: &[Agent],
        sandbox: Sandbox,
        told: impl Future<Output = ()>,
        away: Option<&Away<'_>>,
    ) -> Result<()> {
        let stop = sandbox.stopper()?;
        let mut waiting = tokio::task::spawn_blocking(move || sandbox.wait());
        tokio::select! {
            ended = &mut waiting => {
                let (code, output) = ended??;
                self.finish(agents, output, code, away).await
            }
            lock = sandbox::closed(agents) => {
                stop.stop();
                waiting.await??;
                let lock = anyhow::Error::new(lock);
                Err(lock.context("the command was ended and nothing is handed out"))
            }
            () = told => {
                stop.stop();
                waiting.await??;
                bail!("the command was ended, and nothing is handed out");
            }
        }
    }

    /// The packages, in the order of the plan.
    fn folders(&self) -> Result<Vec<PackageFolder>> {
        let purse = self.requestor.home.purse()?;
        let mut folders = Vec::new();
        for package in self.all() {
            let folder = purse.known_package(package)?;
            if !folder.is_downloaded() {
                bail!("a package is not here yet: run `medshare download {package}` first");
            }
            folders.push(folder);
        }
        Ok(folders)
    }

    fn all(&self) -> Vec<PackageId> {
        let mut all = vec![self.package];
        for package in &self.packages {
            if !all.contains(package) {
                all.push(*package);
            }
        }
        all
    }

    fn plan(&self, folders: &[PackageFolder]) -> Result<Plan> {
        let work = std::env::current_dir().context("cannot tell the current folder")?;
        if work.parent().is_none() {
            bail!("start from the folder that holds your script, not from /");
        }
        Ok(Plan {
            packages: self.all(),
            command: self.command.clone(),
            work,
            show: self.shown()?,
            root: std::path::absolute(folders[0].path())?,
            limits: Limits {
                memory: self.memory_mib << 20,
                seconds: self.cpu_seconds,
                ..Limits::DEFAULT
            },
        })
    }

    /// Where the links lead that people have on the way.
    fn shown(&self) -> Result<Vec<PathBuf>> {
        let purse = self.requestor.home.purse()?;
        let mut shown = Vec::new();
        for folder in &self.show {
            let itself = folder
                .canonicalize()
                .with_context(|| format!("cannot show {}", folder.display()))?;
            Plan::may_show(&itself, purse.home())?;
            shown.push(itself);
        }
        Ok(shown)
    }

    async fn open(&self, requestor: &Requestor, folders: &[PackageFolder]) -> Result<Vec<Agent>> {
        let mut agents = Vec::new();
        for folder in folders {
            let opening = Opening {
                container: folder.container(),
                journal: folder.journal(),
                environment: Environment::Sandbox,
                patience: Duration::from_secs(self.patience_seconds),
            };
            let mut progress = Progress::of_bytes();
            let hashing = move |done, all| progress.at(done, all);
            let opened = opening::open_with(requestor, &opening, hashing);
            agents.push(super::open::patiently(opened).await?);
        }
        Ok(agents)
    }
}

/// The package whose violation the node does not know of yet, if there is one.
async fn untold(agents: &[Agent]) -> Option<(&Agent, Lock)> {
    for agent in agents {
        if matches!(agent.lock(), Some(Lock::Violation(_))) {
            let lock = agent.settled().await;
            if matches!(lock, Lock::Untold(_)) {
                return Some((agent, lock));
            }
        }
    }
    None
}
