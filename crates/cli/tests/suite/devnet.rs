//! A development network for tests: `medshare devnet` as a child, stopped in order.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::program::{medshare, succeed};

pub const PASSPHRASE: &str = "of a test";

pub struct Devnet {
    child: Child,
    pub facts: Value,
    pub folder: TempDir,
}

impl Devnet {
    pub fn start(rows: usize) -> Self {
        Self::with(&["--rows", &rows.to_string()])
    }

    /// With more arguments.
    pub fn with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().join("temporary");
        std::fs::create_dir(&temporary).unwrap();
        let mut child = medshare(folder.path())
            .env("TMPDIR", &temporary)
            .args(["devnet", "--port", "0", "--json", "--dir", "devnet"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let facts = serde_json::Deserializer::from_reader(stdout)
            .into_iter()
            .next();
        let Some(Ok(facts)) = facts else {
            let _ = child.kill();
            panic!("the network did not start (is anvil there? run `npm ci`): {facts:?}");
        };
        Self {
            child,
            facts,
            folder,
        }
    }

    /// A fact by its JSON pointer.
    pub fn fact(&self, pointer: &str) -> String {
        self.facts
            .pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A file beside the first custodian's keystore.
    pub fn sibling_of_keystore(&self, name: &str) -> String {
        let keystore = PathBuf::from(self.fact("/custodians/0/keystore"));
        keystore.with_file_name(name).display().to_string()
    }

    pub fn rpc(&self) -> String {
        self.fact("/rpc")
    }

    pub fn contract(&self) -> String {
        self.fact("/contract")
    }

    pub fn node(&self) -> String {
        self.fact("/custodians/0/url")
    }

    pub fn dataset(&self) -> String {
        self.fact("/custodians/0/dataset")
    }

    /// A requestor's folder that is registered.
    pub fn register(&self, name: &str) -> PathBuf {
        self.register_at(name, &self.node())
    }

    /// The same, where the node is reached at `node`.
    pub fn register_at(&self, name: &str, node: &str) -> PathBuf {
        let home = self.folder.path().join(name);
        succeed(self.as_requestor(&home).args([
            "register",
            "--node",
            node,
            "--rpc",
            &self.rpc(),
            "--contract",
            &self.contract(),
        ]));
        home
    }

    /// Asks for a package and downloads it; its id.
    pub fn obtain(&self, home: &Path) -> String {
        let request = ["request", &self.dataset(), "--purpose", "HRESCH"];
        let asked = succeed(self.as_requestor(home).args(request));
        let package = asked.trim().to_owned();
        succeed(self.as_requestor(home).args(["download", &package]));
        package
    }

    /// A command of the requestor at `home`.
    pub fn as_requestor(&self, home: &Path) -> Command {
        let mut command = medshare(self.folder.path());
        command
            .env("MEDSHARE_HOME", home)
            .env("MEDSHARE_PASSPHRASE", PASSPHRASE);
        command
    }

    /// A command of the first custodian.
    pub fn as_custodian(&self) -> Command {
        let mut command = medshare(self.folder.path());
        command
            .env("MEDSHARE_RPC", self.rpc())
            .env("MEDSHARE_CONTRACT", self.contract())
            .env("MEDSHARE_KEYSTORE", self.fact("/custodians/0/keystore"))
            .env(
                "MEDSHARE_PASSPHRASE",
                std::fs::read_to_string(self.fact("/passphrase_file"))
                    .unwrap()
                    .trim(),
            );
        command
    }

    /// Sends a signal to the chain and the nodes, which are processes of their own.
    pub fn signal(&self, told: rustix::process::Signal) {
        let threads = PathBuf::from(format!("/proc/{}/task", self.child.id()));
        for thread in threads.read_dir().unwrap() {
            // A thread may have ended meanwhile.
            let children = thread.unwrap().path().join("children");
            for id in std::fs::read_to_string(children)
                .unwrap_or_default()
                .split_whitespace()
            {
                let id = rustix::process::Pid::from_raw(id.parse().unwrap()).unwrap();
                rustix::process::kill_process(id, told).unwrap();
            }
        }
    }

    /// Stops it as a person would; it must end well.
    pub fn stop(mut self) {
        self.end(interrupt);
    }

    /// Tells it to end; its folder stays for now, but nothing that was temporary does.
    pub fn end(&mut self, tell: fn(&Child)) {
        tell(&self.child);
        assert!(
            self.child.wait().unwrap().success(),
            "the network did not end well"
        );
        let temporary = self.folder.path().join("temporary");
        let left: Vec<_> = temporary.read_dir().unwrap().collect();
        assert!(left.is_empty(), "the network left {left:?}");
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end; after a panic there is.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // A test may have halted it.
            self.signal(rustix::process::Signal::CONT);
            interrupt(&self.child);
            let _ = self.child.wait();
        }
    }
}

/// Ctrl-C.
pub fn interrupt(child: &Child) {
    signal(child, rustix::process::Signal::INT);
}

/// The end of the terminal.
pub fn hang_up(child: &Child) {
    signal(child, rustix::process::Signal::HUP);
}

/// Any signal.
pub fn signal(child: &Child, signal: rustix::process::Signal) {
    let id = i32::try_from(child.id()).unwrap();
    let id = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(id, signal).unwrap();
}
