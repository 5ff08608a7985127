//! A command that can read open data and carry nothing off (P18): `medshare run`.
//!
//! ```text
//! agent      this process: keys, network, the data. Serves what is mounted inside, takes the output
//!   outer    new user, mount, PID, IPC, network, UTS and cgroup namespaces; a root of its own; FUSE mounts in it
//!     inner  process 1 inside: no capabilities, Landlock, seccomp, limits; runs the command
//! ```
//! Both stages are this program's own file, started again ([`stage`]) before there is a second thread. Each thing that
//! a kernel lacks ends it with one sentence: nothing is run in a weaker sandbox, and since the sandbox stands before a
//! package is opened, nothing is reported as decrypted for a machine that cannot hold it.
//!
//! The mounts exist in the namespaces of the sandbox only; what is written there is kept in this process's memory
//! ([`MAX_OUTPUT_BYTES`]). The command has no terminal and no sockets; its words go into the output, too.

mod calls;
mod channel;
mod confine;
mod holder;
mod inner;
mod outer;
mod output;
mod plan;
mod refusal;
mod root;
mod rows;
mod scratch;

use std::ffi::OsStr;
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::agent::{Agent, Lock};
use crate::hidden::Keeper;
use crate::mount::{Insiders, Mount, MountError};
use channel::{Channel, Message};
use scratch::{Scratch, Trouble};

pub use holder::{TwoHolders, holder};
pub use output::{Fate, Listed, Output, Sealed, judge};
pub use plan::{Limits, NotShown, Plan};
pub use rows::{MIN_BYTES, MIN_WORDS, Rows};
pub use scratch::MAX_OUTPUT_BYTES;

/// Packages that one command may read.
pub const MAX_PACKAGES: usize = 16;

/// Files in the output with what the command said.
const WORDS: [&str; 2] = ["stdout", "stderr"];
/// First arguments that start this program as a stage.
const OUTER: &str = "medshare-sandbox-outer";
const INNER: &str = "medshare-sandbox-inner";

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// This machine lacks something.
    #[error("the sandbox cannot be made here, so nothing is run and nothing was opened: {0}")]
    Refused(String),
    /// A stage went away.
    #[error("the sandbox ended before the command was started")]
    Ended,
    /// A process or a socket could not be made.
    #[error("the sandbox cannot be started: {0}")]
    System(#[from] std::io::Error),
    /// The data could not be shown in it.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// Too many packages, or none.
    #[error("a command reads 1 to {MAX_PACKAGES} packages, not {0}")]
    Packages(usize),
}

impl From<rustix::io::Errno> for SandboxError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::System(error.into())
    }
}

/// A sandbox that stands. When it is dropped, all that runs in it ends.
pub struct Sandbox {
    channel: Channel,
    outer: Child,
    output: Scratch,
    temporary: Scratch,
    data: Vec<OwnedFd>,
    insiders: Insiders,
    words: Vec<JoinHandle<Result<(), Trouble>>>,
}

/// The way to end a command from elsewhere.
#[derive(Clone)]
pub struct Stop(Arc<OwnedFd>);

impl Stop {
    /// Ends it, and all that it started.
    pub fn stop(&self) {
        // It may have ended by itself.
        let _ = rustix::net::shutdown(&*self.0, rustix::net::Shutdown::Both);
    }
}

/// To be asked first in `main`, while there is one thread: if this process is a stage, what it ends with.
#[must_use]
pub fn stage() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let (name, plan) = (arguments.next()?, arguments.next());
    let run = match name.to_str()? {
        OUTER => outer::run,
        INNER => inner::run,
        _ => return None,
    };
    let plan = plan.unwrap_or_default();
    let closed = outer::close_inherited();
    let ended = match (Channel::of_stage(), Channel::of_stage()) {
        (Ok(channel), Ok(spare)) => closed
            .and_then(|()| run(&plan.to_string_lossy(), channel))
            .map_err(|refusal| {
                // If nobody listens, nobody waits for it.
                let _ = spare.send(&Message::Failed(refusal.to_string()), &[]);
            }),
        _ => Err(()),
    };
    Some(ExitCode::from(ended.unwrap_or(u8::MAX)))
}

impl Sandbox {
    /// Makes it. Blocks until every protection is in force; the command waits for [`Sandbox::go`].
    ///
    /// # Errors
    /// [`SandboxError`].
    pub fn start(plan: &Plan) -> Result<Self, SandboxError> {
        if plan.packages.is_empty() || plan.packages.len() > MAX_PACKAGES {
            return Err(SandboxError::Packages(plan.packages.len()));
        }
        let (channel, its) = Channel::pair()?;
        let (out, its_out) = std::io::pipe()?;
        let (err, its_err) = std::io::pipe()?;
        let text = serde_json::to_string(plan).map_err(std::io::Error::other)?;
        let outer = Command::new("/proc/self/exe")
            .args([OUTER, &text])
            .env_clear()
            .stdin(Stdio::from(its.into_fd()))
            .stdout(its_out)
            .stderr(its_err)
            // Ctrl-C is for the agent, which ends the rest in order.
            .process_group(0)
            .spawn()?;
        let keeper = Keeper::new()?;
        let (output, temporary) = (Scratch::new(Arc::clone(&keeper)), Scratch::new(keeper));
        let words = [out, err].into_iter().zip(WORDS);
        let words = words
            .map(|(pipe, name)| drain(&output, name, pipe))
            .collect();
        let mut sandbox = Self {
            channel,
            outer,
            output,
            temporary,
            data: Vec::new(),
            insiders: Insiders::default(),
            words,
        };
        sandbox.set_up()?;
        Ok(sandbox)
    }

    fn set_up(&mut self) -> Result<(), SandboxError> {
        let mut descriptors = self.expect(&Message::Mounted)?.into_iter();
        for scratch in [&self.output, &self.temporary] {
            let device = descriptors.next().ok_or(SandboxError::Ended)?;
            scratch.serve(device, self.insiders.clone())?;
        }
        self.data = descriptors.collect();
        self.expect(&Message::Ready)?;
        Ok(self.insiders.are_children_of(self.outer.id())?)
    }

    fn expect(&self, wanted: &Message) -> Result<Vec<OwnedFd>, SandboxError> {
        match self.channel.receive()? {
            Some((Message::Failed(text), _)) => Err(SandboxError::Refused(text)),
            Some((message, descriptors)) if message == *wanted => Ok(descriptors),
            _ => Err(SandboxError::Ended),
        }
    }

    /// Serves the data, in the order of the plan's packages, and starts the command. Must be called within a Tokio
    /// runtime. What shows the data closes it when it is dropped: keep it until the output has been looked through.
    ///
    /// # Errors
    /// [`SandboxError`].
    pub fn go(&mut self, agents: &[Agent]) -> Result<Vec<Mount>, SandboxError> {
        let served = self.data.drain(..).zip(agents);
        let shown =
            served.map(|(device, agent)| Mount::serve(agent, device, self.insiders.clone()));
        let shown = shown.collect::<Result<_, _>>()?;
        self.channel.send(&Message::Go, &[])?;
        Ok(shown)
    }

    /// Ends the command from elsewhere.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn stopper(&self) -> Result<Stop, SandboxError> {
        Ok(Stop(Arc::new(self.channel.duplicate()?)))
    }

    /// Waits for the command's end: its exit code, as a shell tells it, and what it wrote. Blocks.
    ///
    /// # Errors
    /// [`SandboxError`].
    pub fn wait(mut self) -> Result<(u8, Output), SandboxError> {
        let ended = self.outer.wait()?;
        let mut cut = false;
        for words in self.words.drain(..) {
            // A command hears of it (EPIPE) only when it prints more.
            cut |= !matches!(words.join(), Ok(Ok(())));
        }
        Ok((outer::code(ended), Output::new(self.output.clone(), cut)))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.channel.close();
        // The inner stage ends with the socket, the kernel ends all inside with it, and the outer stage has waited for it.
        let _ = self.outer.wait();
        self.temporary.wipe();
    }
}

fn drain(
    output: &Scratch,
    name: &'static str,
    pipe: PipeReader,
) -> JoinHandle<Result<(), Trouble>> {
    let output = output.clone();
    std::thread::spawn(move || output.take(name, pipe))
}

/// Returns once the data of one of them is closed, with the reason.
pub async fn closed(agents: &[Agent]) -> Lock {
    let locked = agents.iter().map(|agent| Box::pin(agent.locked()));
    futures::future::select_all(locked).await.0
}

/// A command's program, as reports name it.
#[must_use]
pub fn program(command: &[std::ffi::OsString]) -> String {
    command
        .first()
        .map(OsStr::new)
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
