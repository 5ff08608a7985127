//! A chain on this machine, for development and tests: `anvil` as a child process.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alloy::primitives::Address;
use alloy::providers::Provider;
use alloy::signers::local::PrivateKeySigner;
use tokio::sync::mpsc;

use crate::ChainError;
use crate::config::ChainConfig;
use crate::rpc::Rpc;

/// Environment variable that names the program.
const PROGRAM_VARIABLE: &str = "MEDSHARE_ANVIL";
/// Longest wait until it listens, ms. It takes about 40 on a quiet machine.
const START_TIMEOUT_MS: u64 = 20_000;
/// Most accounts that are asked for.
const MAX_ACCOUNTS: u8 = 100;
/// Most lines of its output that an error repeats.
const MAX_ERROR_LINES: usize = 5;
/// Most bytes of a program's first line that are looked at, to tell a script.
const MAX_SCRIPT_LINE_BYTES: u64 = 256;

/// How the chain is started.
#[derive(Clone, Debug)]
pub struct AnvilOptions {
    /// TCP port on 127.0.0.1; 0: a free one.
    pub port: u16,
    /// The chain's id.
    pub chain_id: u64,
    /// Seconds between blocks; nothing: a block for each transaction, at once.
    pub block_time_seconds: Option<u64>,
    /// How many accounts hold currency, at most 100.
    pub accounts: u8,
}

impl Default for AnvilOptions {
    fn default() -> Self {
        Self {
            port: 0,
            chain_id: 31_337,
            block_time_seconds: None,
            accounts: 10,
        }
    }
}

/// A running chain; ends when this value is dropped.
#[derive(Debug)]
pub struct AnvilChild {
    child: Child,
    /// Where it answers.
    pub rpc_url: String,
    /// Its chain id.
    pub chain_id: u64,
    /// The keys of its accounts. They are published: for development only.
    pub keys: Vec<PrivateKeySigner>,
}

/// Why there is no chain.
#[derive(Debug, thiserror::Error)]
pub enum AnvilError {
    /// The program is nowhere.
    #[error(
        "anvil is missing: run `npm ci` in the project's folder, or name the program in {PROGRAM_VARIABLE}"
    )]
    Missing,
    /// The program cannot be started.
    #[error("cannot start {}: {reason}", program.display())]
    Start {
        /// Which program.
        program: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It ended before it listened.
    #[error("anvil ended at once: {output}")]
    Ended {
        /// The last lines it wrote.
        output: String,
    },
    /// It did not listen in time.
    #[error("anvil did not listen within {START_TIMEOUT_MS} ms: is the machine overloaded?")]
    Silent,
}

/// Starts a chain and waits until it answers.
///
/// # Errors
/// When the program is missing, cannot be started, or ends at once (the port is taken).
pub async fn spawn(options: &AnvilOptions) -> Result<AnvilChild, AnvilError> {
    let program = find().ok_or(AnvilError::Missing)?;
    let mut command = Command::new(&program);
    command
        .args(["--host", "127.0.0.1", "--color", "never"])
        .arg(format!("--port={}", options.port))
        .arg(format!("--chain-id={}", options.chain_id))
        .arg(format!(
            "--accounts={}",
            options.accounts.clamp(1, MAX_ACCOUNTS)
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(seconds) = options.block_time_seconds {
        command.arg(format!("--block-time={seconds}"));
    }
    let mut child = command.spawn().map_err(|error| AnvilError::Start {
        program,
        reason: error.to_string(),
    })?;
    let lines = lines(&mut child);
    // From here on the value's drop ends the process, also when this future is given up.
    let mut anvil = AnvilChild {
        child,
        rpc_url: String::new(),
        chain_id: options.chain_id,
        keys: Vec::new(),
    };
    let wait = Duration::from_millis(START_TIMEOUT_MS);
    match tokio::time::timeout(wait, anvil.read_greeting(lines)).await {
        Ok(greeted) => greeted.map(|()| anvil),
        Err(_) => Err(AnvilError::Silent),
    }
}

impl AnvilChild {
    /// Reads the accounts' keys and the address from what it prints before it listens.
    async fn read_greeting(
        &mut self,
        mut lines: mpsc::UnboundedReceiver<String>,
    ) -> Result<(), AnvilError> {
        let mut last = Vec::new();
        while let Some(line) = lines.recv().await {
            if let Some(address) = line.strip_prefix("Listening on ") {
                self.rpc_url = format!("http://{}", address.trim());
                return Ok(());
            }
            self.keys.extend(key_in(&line));
            if !line.trim().is_empty() {
                last.push(line);
            }
        }
        let from = last.len().saturating_sub(MAX_ERROR_LINES);
        let output = last[from..].join(" ");
        Err(AnvilError::Ended { output })
    }

    /// Asks it directly, also for what only a development chain can do: `evm_mine`, `anvil_reorg`,
    /// `evm_increaseTime`, `evm_snapshot`, `anvil_setCode`.
    ///
    /// # Errors
    /// What it answers.
    pub async fn request(
        &self,
        method: &'static str,
        parameters: serde_json::Value,
    ) -> Result<serde_json::Value, ChainError> {
        let config = ChainConfig::new(&self.rpc_url, Address::ZERO);
        let rpc = Rpc::open(&config)?;
        let question = rpc.provider.raw_request(method.into(), parameters);
        rpc.once(method, question)
            .await
            .map_err(|failure| failure.error)
    }
}

impl Drop for AnvilChild {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do but to collect it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `(0) 0xac09…`: a private key has 64 digits, an account 40.
fn key_in(line: &str) -> Option<PrivateKeySigner> {
    let (_, key) = line.strip_prefix('(')?.split_once(") 0x")?;
    (key.len() == 64).then(|| key.parse().ok()).flatten()
}

/// Its output line by line. The threads read on for its whole life: a full pipe would stop it.
fn lines(child: &mut Child) -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let stdout = child
        .stdout
        .take()
        .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
    let stderr = child
        .stderr
        .take()
        .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
    for pipe in [stdout, stderr].into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                // After the greeting nobody listens; the line is dropped.
                let _ = sender.send(line);
            }
        });
    }
    receiver
}

/// The program: named by `MEDSHARE_ANVIL`, in `node_modules` here or above (seen from the working directory and from
/// this executable), or on `PATH`.
#[must_use]
pub fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(PROGRAM_VARIABLE) {
        return Some(native(PathBuf::from(named)));
    }
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let in_modules = starts.iter().flatten().find_map(|start| find_above(start));
    in_modules.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join("anvil"))
            .find(|program| program.is_file())
            .map(native)
    })
}

/// npm's `.bin/anvil` is a Node script that starts the real program and would leave it behind when it is killed: the
/// real one is taken in its place, where it is found.
fn native(program: PathBuf) -> PathBuf {
    if !is_node_script(&program) {
        return program;
    }
    let named = std::path::absolute(&program).ok();
    let linked = program.canonicalize().ok();
    let found = [named, linked]
        .iter()
        .flatten()
        .find_map(|program| find_above(program));
    found.unwrap_or(program)
}

fn is_node_script(program: &Path) -> bool {
    let Ok(file) = std::fs::File::open(program) else {
        return false;
    };
    let mut line = Vec::new();
    let read = BufReader::new(file.take(MAX_SCRIPT_LINE_BYTES)).read_until(b'\n', &mut line);
    read.is_ok() && line.starts_with(b"#!") && line.windows(4).any(|word| word == b"node")
}

/// The program for this machine that npm installed beside the script.
fn find_above(start: &Path) -> Option<PathBuf> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let package = format!("node_modules/@foundry-rs/anvil-{system}-{architecture}/bin/anvil");
    start
        .ancestors()
        .map(|folder| folder.join(&package))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_real_program_is_taken_in_place_of_npm_s_script() {
        let project = tempfile::tempdir().unwrap();
        let modules = project.path().join("node_modules");
        let script = modules.join("@foundry-rs/anvil/bin.mjs");
        let link = modules.join(".bin/anvil");
        let own = project.path().join("anvil.sh");
        for file in [&script, &link] {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        }
        std::fs::write(&script, "#!/usr/bin/env node\nrun()\n").unwrap();
        std::os::unix::fs::symlink("../@foundry-rs/anvil/bin.mjs", &link).unwrap();
        std::fs::write(&own, "#!/bin/sh\nexec anvil\n").unwrap();
        assert_eq!(native(link.clone()), link, "the real one is not installed");

        let system = if cfg!(target_os = "macos") {
            "darwin"
        } else {
            "linux"
        };
        let architecture = if cfg!(target_arch = "x86_64") {
            "amd64"
        } else {
            "arm64"
        };
        let real = modules.join(format!(
            "@foundry-rs/anvil-{system}-{architecture}/bin/anvil"
        ));
        std::fs::create_dir_all(real.parent().unwrap()).unwrap();
        std::fs::write(&real, b"\x7fELF").unwrap();
        for (named, expected) in [
            (&link, &real),
            (&script, &real),
            (&real, &real),
            (&own, &own),
        ] {
            assert_eq!(native(named.clone()), *expected, "{}", named.display());
        }
        let missing = project.path().join("missing");
        assert_eq!(native(missing.clone()), missing);
    }

    #[test]
    fn keys_are_told_from_accounts() {
        let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let found = key_in(&format!("(0) 0x{key}")).map(|key| key.address());
        assert_eq!(
            found.map(|address| address.to_string()).as_deref(),
            Some("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        );
        let account = "(0) 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 (10000.0 ETH)";
        assert!(key_in(account).is_none());
        assert!(key_in("").is_none());
    }
}
