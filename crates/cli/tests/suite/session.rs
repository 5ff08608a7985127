//! The README's session, typed command by command against a development network.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::devnet::{Devnet, hang_up, interrupt, signal};
use super::program::{medshare, run, succeed};

/// What it says as JSON.
pub fn json(command: &mut Command) -> Value {
    serde_json::from_str(&succeed(command.arg("--json"))).unwrap()
}

/// `medshare open` in the background. Its standard output stays open: it says how it ended.
pub struct OpenPackage {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl OpenPackage {
    /// Starts it and waits until it says that the package is open.
    pub fn start(network: &Devnet, home: &Path, arguments: &[&str]) -> Self {
        let mut command = network.as_requestor(home);
        let piped = command
            .arg("open")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(
            line.starts_with("open: "),
            "{line}{:?}",
            child.wait_with_output()
        );
        Self { child, stdout }
    }

    /// Sends it a signal.
    pub fn signal(&self, told: rustix::process::Signal) {
        signal(&self.child, told);
    }

    /// The next line on its standard error.
    pub fn complaint(&mut self) -> String {
        let mut line = Vec::new();
        // Byte by byte: what follows is for the end.
        let stderr = self.child.stderr.as_mut().unwrap();
        let mut byte = [0];
        while byte != *b"\n" {
            stderr.read_exact(&mut byte).unwrap();
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    /// Waits for its end: its status and its last words.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut words = String::new();
        self.stdout.read_to_string(&mut words).unwrap();
        let output = self.child.wait_with_output().unwrap();
        words.push_str(&String::from_utf8(output.stderr).unwrap());
        (output.status.code(), words)
    }
}

#[test]
fn the_session_of_the_readme_works_as_printed() {
    let network = Devnet::start(500);
    let alice = network.register("alice");
    let requestor = |args: &[&str]| {
        let mut command = network.as_requestor(&alice);
        command.args(args);
        command
    };
    let datasets = json(&mut requestor(&["datasets"]));
    assert_eq!(datasets[0]["descriptor"]["name"], network.dataset());
    assert_eq!(datasets[0]["published"], true);

    let asked = json(&mut requestor(&[
        "request",
        &network.dataset(),
        "--purpose",
        "HRESCH",
    ]));
    let package = asked["package"].as_str().unwrap();
    let status = json(&mut requestor(&["status", package]));
    assert_eq!(status["stage"], "ready");
    succeed(&mut requestor(&["download", package]));
    assert_eq!(json(&mut requestor(&["packages"]))[0]["state"], "issued");

    let (rpc, contract, node) = (network.rpc(), network.contract(), network.node());
    let ledger = ["--rpc", &rpc, "--contract", &contract, "--node", &node];
    let packages = alice.join("packages");
    check_container(requestor(&["audit"]).args(ledger), &packages, package);

    read_and_violate(&network, &alice, package);
    review_and_take_back(&network, &alice, package);

    let audit = json(requestor(&["audit"]).args(ledger));
    assert_eq!(audit["findings"], Value::Array(Vec::new()));
    assert_eq!(audit["parent_blocks"], 1);
    export(
        &network,
        &mut requestor(&["ledger", "export", "-o", "ledger.jsonl"]),
        &ledger,
    );
    network.stop();
}

/// The container that was downloaded is the one that the parent block commits to; with one byte changed it is not.
fn check_container(audit: &mut Command, packages: &Path, package: &str) {
    let sound = json(audit.arg("--files").arg(packages));
    let checks = sound["checks"].as_array().unwrap();
    assert_eq!(checks.last().unwrap()["count"], 1, "{sound}");
    let file = packages.join(package).join("package.mds");
    let container = std::fs::read(&file).unwrap();
    let mut damaged = container.clone();
    damaged[container.len() / 2] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    let found = run(audit, "");
    assert_eq!(found.status, 1);
    assert!(
        found.stdout.contains(r#""fault": "container""#),
        "{found:?}"
    );
    std::fs::write(&file, container).unwrap();
}

/// The ledger as a file, which a program that was written from SPEC.md alone finds sound.
fn export(network: &Devnet, command: &mut Command, ledger: &[&str]) {
    let done = json(command.args(ledger));
    assert!(done["blocks"].as_u64().unwrap() >= 4, "{done}");
    assert_eq!(done["records_missing"], 0);
    let again = run(command, "");
    assert_eq!(again.status, 1);
    assert!(again.stderr.contains("exists already"), "{again:?}");
    let Some(python) = std::env::var_os("MEDSHARE_INDEPENDENT") else {
        println!(
            "LEFT OUT: the export is not read by test/independent (`make independent` does it)"
        );
        return;
    };
    let program = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test/independent/verify.py"
    );
    let mut verify = Command::new(python);
    verify.arg(program).arg("ledger");
    succeed(verify.arg(network.folder.path().join("ledger.jsonl")));
}

fn read_and_violate(network: &Devnet, home: &Path, package: &str) {
    let agent = OpenPackage::start(network, home, &[package]);
    let act = |args: &[&str]| {
        let mut command = network.as_requestor(home);
        run(command.arg("act").args(args), "")
    };
    let read = act(&["read", package]);
    assert!(
        read.stdout.starts_with("national_number,birth_date,sex,"),
        "{read:?}"
    );
    assert!(read.stdout.lines().count() > 100, "{read:?}");
    let refused = act(&["copy", package, "stolen.csv"]);
    assert_eq!(refused.status, 3);
    assert!(refused.stderr.contains("access is revoked"), "{refused:?}");
    assert!(!network.folder.path().join("stolen.csv").exists());
    let (status, words) = agent.end();
    assert_eq!(
        status,
        Some(3),
        "the agent ends with the violation: {words}"
    );
    assert!(words.contains("access is revoked"), "{words}");
    let closed = act(&["read", package]);
    assert!(
        closed.stderr.contains("run `medshare open` first"),
        "{closed:?}"
    );
}

fn review_and_take_back(network: &Devnet, home: &Path, package: &str) {
    let violations = json(network.as_custodian().args(["custodian", "review"]));
    assert_eq!(violations[0]["package"], package);
    assert_eq!(violations[0]["actions"], serde_json::json!(["copy"]));
    assert_eq!(violations[0]["state"], "revoked");
    succeed(
        network
            .as_custodian()
            .args(["custodian", "regrant", package]),
    );
    let agent = OpenPackage::start(network, home, &[package]);
    let status = succeed(network.as_requestor(home).args(["act", "status", package]));
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["lock"], Value::Null);
    let closed = succeed(
        network
            .as_requestor(home)
            .args(["act", "close", package, "--json"]),
    );
    let closed: serde_json::Value = serde_json::from_str(&closed).unwrap();
    assert_eq!(
        closed,
        serde_json::json!({ "done": "closed", "report": null })
    );
    let (status, words) = agent.end();
    assert_eq!(status, Some(0), "{words}");
    assert!(words.contains("the data is closed"), "{words}");
    succeed(network.as_requestor(home).args(["return", package]));
    succeed(network.as_custodian().args([
        "custodian",
        "retrieve",
        package,
        "--node",
        &network.node(),
    ]));
    let packages = json(network.as_requestor(home).arg("packages"));
    assert_eq!(packages[0]["state"], "retrieved");
    assert_eq!(packages[0]["downloaded"], false);
}

/// P18: what programs do to the file is what they do to the data.
#[test]
fn an_open_package_is_a_folder_and_copying_in_it_is_a_violation() {
    if !Path::new("/dev/fuse").exists() {
        println!("LEFT OUT: this machine has no /dev/fuse");
        return;
    }
    let network = Devnet::start(300);
    let alice = network.register("alice");
    let package = &network.obtain(&alice);
    let folder = network.folder.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let agent = OpenPackage::start(&network, &alice, &[package, "--at", "data"]);
    let file = folder.join("data.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("national_number,"));
    // A program that has the file open for good must not keep the folder.
    let mut held = std::fs::File::open(&file).unwrap();
    let linked = std::fs::hard_link(&file, folder.join("second.csv")).unwrap_err();
    assert_eq!(linked.kind(), std::io::ErrorKind::PermissionDenied);
    let (status, words) = agent.end();
    assert_eq!(status, Some(3), "{words}");
    assert!(words.contains("`duplicate` is not permitted"), "{words}");
    assert_eq!(folder.read_dir().unwrap().count(), 0, "it is unmounted");
    assert!(
        held.read(&mut [0]).is_err(),
        "what is still held gives nothing"
    );
    let packages = json(network.as_requestor(&alice).arg("packages"));
    assert_eq!(packages[0]["state"], "revoked");
    network.stop();
}

/// P2: a refused request is on record, also here; and a lease that ends is told of once.
#[test]
fn what_failed_is_listed_and_said_in_one_sentence() {
    let mut network = Devnet::with(&["--rows", "300", "--lease-seconds", "3"]);
    let alice = network.register("alice");
    let requestor = |args: &[&str]| {
        let mut command = network.as_requestor(&alice);
        command.args(args);
        command
    };
    let dataset = network.dataset();
    let refused = run(
        &mut requestor(&["request", &dataset, "--purpose", "HMARKT"]),
        "",
    );
    assert_eq!(refused.status, 1, "{refused:?}");
    let listed = succeed(&mut requestor(&["packages"]));
    assert!(listed.contains("  refused: "), "{listed}");
    assert!(listed.contains("HMARKT"), "{listed}");

    let asked = succeed(&mut requestor(&[
        "request",
        &dataset,
        "--purpose",
        "HRESCH",
    ]));
    let package = asked.trim();
    succeed(&mut requestor(&["download", package]));
    let agent = OpenPackage::start(&network, &alice, &[package]);
    // The network's terminal is closed: chain and nodes go away, and the lease is not renewed any more.
    network.end(hang_up);
    let rpc = network.rpc();
    let chain = TcpStream::connect(rpc.trim_start_matches("http://"));
    assert!(chain.is_err(), "the chain goes on at {rpc}");
    let (status, words) = agent.end();
    assert_eq!(status, Some(4), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(words.starts_with("medshare: "), "{words}");
}

/// A second process with the first node's key, in a folder of its own: it ends in order however it is told.
#[test]
fn a_node_ends_with_a_signal_and_with_whoever_started_it() {
    let network = Devnet::start(300);
    let config = std::fs::read_to_string(network.fact("/custodians/0/config")).unwrap();
    let mut config: toml::Table = config.parse().unwrap();
    config["listen"] = "127.0.0.1:0".into();
    config["keystore"] = network.sibling_of_keystore("node.json").into();
    let mut start = |folder: &str, arguments: &[&str]| {
        config["data-dir"] = folder.into();
        let file = network.folder.path().join(format!("{folder}.toml"));
        std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
        let mut command = medshare(network.folder.path());
        command
            .arg("node")
            .arg("--config")
            .arg(file)
            .args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with("listening on 127.0.0.1:"), "{line}");
        child
    };
    let mut child = start("signalled", &[]);
    interrupt(&child);
    assert!(child.wait().unwrap().success());
    let mut child = start("hung-up", &[]);
    hang_up(&child);
    assert!(child.wait().unwrap().success());
    let mut child = start("orphaned", &["--until-stdin-ends"]);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    network.stop();
}
