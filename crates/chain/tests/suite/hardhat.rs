//! Hardhat's node. Its interpreter is revm, as anvil's is; its pool, its mining, its estimate of gas and the shape of
//! its errors are its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use medshare_chain::PrivateKeySigner;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::world::Evm;

/// The project's folder, seen from this crate.
const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Longest wait until it listens. It takes about a second on a quiet machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How many of its accounts are used.
const ACCOUNTS: usize = 10;

/// A running chain; killed when this value is dropped, also by a panic.
pub struct Hardhat {
    _child: Child,
    /// Kept open: it must not die of a closed pipe. What it writes after its greeting fits into the pipe.
    _output: Lines<BufReader<ChildStdout>>,
    rpc_url: String,
    keys: Vec<PrivateKeySigner>,
}

impl Evm for Hardhat {
    fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    fn keys(&self) -> &[PrivateKeySigner] {
        &self.keys
    }
}

/// Starts a chain on a free port and waits until it answers.
pub async fn start() -> Hardhat {
    let program = Path::new(PROJECT).join("node_modules/.bin/hardhat");
    assert!(
        program.is_file(),
        "hardhat is missing: run `npm ci` in the project's folder"
    );
    let mut child = Command::new(program)
        .current_dir(PROJECT)
        .args(["--config", "test/hardhat/hardhat.config.cjs"])
        .args(["node", "--hostname", "127.0.0.1", "--port", "0"])
        .env("HARDHAT_DISABLE_TELEMETRY_PROMPT", "true")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let (rpc_url, keys) = tokio::time::timeout(START_TIMEOUT, greeting(&mut output))
        .await
        .expect("hardhat listens in time");
    Hardhat {
        _child: child,
        _output: output,
        rpc_url,
        keys,
    }
}

/// The address and the accounts' keys, which it prints once it listens.
async fn greeting(output: &mut Lines<BufReader<ChildStdout>>) -> (String, Vec<PrivateKeySigner>) {
    let (mut rpc_url, mut keys) = (String::new(), Vec::new());
    while keys.len() < ACCOUNTS {
        let line = output.next_line().await.unwrap();
        let line = line.expect("hardhat ended at once: its reason is on the standard error");
        if let Some((_, address)) = line.split_once("JSON-RPC server at ") {
            rpc_url = address.trim_end_matches('/').to_owned();
        }
        if let Some(key) = line.strip_prefix("Private Key: ") {
            keys.push(key.parse().unwrap());
        }
    }
    (rpc_url, keys)
}
