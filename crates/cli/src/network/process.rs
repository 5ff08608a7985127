//! A node as a process of its own: `medshare node --config …` of this same binary.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Longest wait until a node answers.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait until it has ended.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// Lines of its log that an error repeats.
const LOG_LINES: usize = 5;

/// What `medshare node` writes to stdout as soon as it answers.
pub const READY: &str = "listening on ";

/// A running node. It is killed when this value is dropped.
pub struct NodeProcess {
    child: Child,
    // Kept open: a node whose stdout is closed could not write to it.
    _stdout: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl NodeProcess {
    /// Starts a node and waits until it answers. Its log goes to `node.log` beside the configuration.
    pub async fn start(config: &Path, url: &str) -> Result<Self> {
        let log = config.with_file_name("node.log");
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log);
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut child = Command::new(program)
            .arg("node")
            .arg("--config")
            .arg(config)
            // However this process ends, the pipe ends with it, and then the node stops.
            .arg("--until-stdin-ends")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            // Ctrl-C is for this process, which stops its nodes in order.
            .process_group(0)
            .spawn()
            .context("cannot start a node")?;
        let stdout = child.stdout.take().context("the node's output is piped")?;
        let mut stdout = BufReader::new(stdout).lines();
        let ready = tokio::time::timeout(START_TIMEOUT, wait_until_ready(&mut stdout)).await;
        match ready {
            Ok(Ok(true)) => Ok(Self {
                child,
                _stdout: stdout,
                log,
            }),
            Ok(Ok(false)) => bail!("the node at {url} ended at once: {}", last_lines(&log)),
            Ok(Err(error)) => Err(error).context("cannot read the node's output"),
            Err(_) => bail!(
                "the node at {url} did not start within {} s: {}",
                START_TIMEOUT.as_secs(),
                last_lines(&log)
            ),
        }
    }

    /// The most memory it has had so far, bytes (`VmHWM`).
    pub fn peak_memory_bytes(&self) -> Result<u64> {
        peak_memory_bytes(self.id()?)
    }

    fn id(&self) -> Result<u32> {
        self.child
            .id()
            .ok_or_else(|| anyhow!("the node has ended: {}", last_lines(&self.log)))
    }

    /// Asks it to end, as an operator would (SIGTERM), and waits.
    pub async fn stop(mut self) -> Result<()> {
        let id = i32::try_from(self.id()?)
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let id = id.context("a process has a positive number")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)
            .context("cannot stop a node")?;
        let ended = tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await;
        let status = ended
            .map_err(|_| anyhow!("a node did not stop within {} s", STOP_TIMEOUT.as_secs()))??;
        if !status.success() {
            bail!("a node ended with {status}: {}", last_lines(&self.log));
        }
        Ok(())
    }
}

/// `VmHWM` of a process, bytes.
pub fn peak_memory_bytes(process: u32) -> Result<u64> {
    let status = crate::connection::read_text(Path::new(&format!("/proc/{process}/status")))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("the system tells no VmHWM")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

async fn wait_until_ready(stdout: &mut Lines<BufReader<ChildStdout>>) -> std::io::Result<bool> {
    while let Some(line) = stdout.next_line().await? {
        if line.starts_with(READY) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    if last.is_empty() {
        format!("see {}", log.display())
    } else {
        last.join(" | ")
    }
}
