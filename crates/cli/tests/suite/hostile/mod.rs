//! The unmodified client where everything is against it (P17, P19): a network that is blocked, a process that is stopped, a home
//! that is copied, a second opening; and a session that ends as it should.

mod record;
mod wire;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

use rustix::process::Signal;

use super::devnet::Devnet;
use super::program::{Ran, run};
use super::session::OpenPackage;
use record::Record;
use wire::Wire;

/// Programs that wait for the data when a stopped client goes on.
const READERS: usize = 4;

/// The bits of `decrypt` and `read` (SPEC §5).
const DECRYPT: u8 = 0x40;
const READ: u8 = 0x01;

/// A network whose leases last this long, and no longer.
fn network(lease_seconds: &str) -> Devnet {
    Devnet::with(&["--rows", "300", "--lease-seconds", lease_seconds])
}

fn act(network: &Devnet, home: &Path, args: &[&str]) -> Ran {
    run(network.as_requestor(home).arg("act").args(args), "")
}

/// Opens without patience: a lease of anybody's fails it.
fn open_at_once(network: &Devnet, home: &Path, package: &str) -> OpenPackage {
    OpenPackage::start(network, home, &[package, "--patience-seconds", "0"])
}

/// Opens where that must fail, without patience; the reason.
fn refused(network: &Devnet, home: &Path, package: &str) -> String {
    let arguments = ["open", package, "--patience-seconds", "0"];
    let ran = run(network.as_requestor(home).args(arguments), "");
    assert_eq!(ran.status, 1, "{ran:?}");
    ran.stderr
}

/// A stopped process goes on when the test ends, however it ends.
struct Stopped<'a>(&'a OpenPackage);

impl<'a> Stopped<'a> {
    fn now(agent: &'a OpenPackage) -> Self {
        agent.signal(Signal::STOP);
        Self(agent)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

#[test]
fn a_package_that_was_closed_opens_again_at_once_and_nobody_was_silent() {
    let network = network("600");
    let alice = network.register("alice");
    let package = network.obtain(&alice);
    let record = Record::of(&network, &package);
    let agent = open_at_once(&network, &alice, &package);
    agent.signal(Signal::INT);
    assert_eq!(agent.end().0, Some(0));
    let agent = open_at_once(&network, &alice, &package);
    let read = act(&network, &alice, &["read", &package]);
    assert_eq!(read.status, 0, "{read:?}");
    act(&network, &alice, &["close", &package]);
    assert_eq!(agent.end().0, Some(0));
    let agent = open_at_once(&network, &alice, &package);
    agent.signal(Signal::TERM);
    assert_eq!(agent.end().0, Some(0));
    assert_eq!(record.reports(), [DECRYPT, DECRYPT, READ, DECRYPT]);
    let nothing: [&str; 0] = [];
    assert_eq!(record.findings(), nothing, "no try was refused");
    assert!(!record.is_open());
    network.stop();
}

#[test]
fn a_network_that_is_blocked_after_opening_ends_the_data_and_is_found() {
    let network = network("3");
    let wire = Wire::to(&network.node());
    let alice = network.register_at("alice", &wire.url);
    let package = network.obtain(&alice);
    let record = Record::of(&network, &package);
    let agent = OpenPackage::start(&network, &alice, &[&package]);
    wire.block(true);
    let (status, words) = agent.end();
    assert_eq!(status, Some(4), "{words}");
    assert!(words.contains("the lease ended"), "{words}");
    let closed = act(&network, &alice, &["read", &package]);
    assert!(
        closed.stderr.contains("run `medshare open` first"),
        "{closed:?}"
    );
    record.wait_for("silent-lease");
    wire.block(false);
    let agent = open_at_once(&network, &alice, &package);
    assert_eq!(record.reports(), [DECRYPT, DECRYPT]);
    agent.signal(Signal::INT);
    assert_eq!(agent.end().0, Some(0));
    assert_eq!(record.findings(), ["silent-lease"]);
    network.stop();
}

#[test]
fn a_client_that_was_stopped_past_its_lease_gives_nothing_when_it_goes_on() {
    if !Path::new("/dev/fuse").exists() {
        println!("LEFT OUT: this machine has no /dev/fuse");
        return;
    }
    let network = network("3");
    let alice = network.register("alice");
    let package = network.obtain(&alice);
    let record = Record::of(&network, &package);
    let folder = network.folder.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let agent = OpenPackage::start(&network, &alice, &[&package, "--at", "data"]);
    let file = folder.join("data.csv");
    let held = Arc::new(File::open(&file).unwrap());
    let mut beginning = [0; 64];
    held.read_exact_at(&mut beginning, 0).unwrap();
    assert!(beginning.starts_with(b"national_number,"));

    let stopped = Stopped::now(&agent);
    record.wait_for("silent-lease");
    let ready = Arc::new(Barrier::new(READERS + 1));
    // What was read before, and is in the kernel's memory.
    let readers = [(); READERS].map(|()| {
        let (held, ready) = (Arc::clone(&held), Arc::clone(&ready));
        std::thread::spawn(move || {
            ready.wait();
            held.read_at(&mut [0; 64], 0)
        })
    });
    ready.wait();
    drop(stopped);
    for reader in readers {
        let read = reader.join().unwrap();
        assert!(read.is_err(), "{read:?} bytes after the lease");
    }
    assert!(std::fs::read(&file).is_err());
    let (status, words) = agent.end();
    assert_eq!(status, Some(4), "{words}");
    assert!(words.contains("the lease ended"), "{words}");
    // A word that comes this late unsays nothing.
    assert_eq!(record.findings(), ["silent-lease"]);
    let agent = open_at_once(&network, &alice, &package);
    let reports = record.reports();
    assert_eq!(reports.first(), Some(&DECRYPT));
    assert_eq!(reports.last(), Some(&DECRYPT), "{reports:?}");
    agent.signal(Signal::INT);
    assert_eq!(agent.end().0, Some(0));
    network.stop();
}

#[test]
fn copied_state_opens_nothing_while_the_first_is_open_and_ends_the_first_after_it() {
    let network = network("4");
    let alice = network.register("alice");
    let package = network.obtain(&alice);
    let record = Record::of(&network, &package);
    let first = OpenPackage::start(&network, &alice, &[&package]);
    let twice = refused(&network, &alice, &package);
    assert!(twice.contains("is open already"), "{twice}");
    assert_eq!(record.reports(), [DECRYPT], "nothing was sent");

    let copy = copied(&network, &alice);
    let elsewhere = refused(&network, &copy, &package);
    assert!(
        elsewhere.contains("another session has the package open"),
        "{elsewhere}"
    );
    assert_eq!(record.findings(), ["second-opening"]);

    let stopped = Stopped::now(&first);
    record.wait_for("silent-lease");
    let second = open_at_once(&network, &copy, &package);
    assert_eq!(act(&network, &copy, &["read", &package]).status, 0);
    drop(stopped);
    let (status, words) = first.end();
    assert_eq!(status, Some(4), "{words}");
    assert!(words.contains("the lease ended"), "{words}");
    // It could neither report nor end the session of the copy.
    assert_eq!(act(&network, &copy, &["read", &package]).status, 0);
    assert_eq!(record.reports(), [DECRYPT, DECRYPT, READ, READ]);
    assert!(record.is_open());
    second.signal(Signal::INT);
    assert_eq!(second.end().0, Some(0));
    let first = open_at_once(&network, &alice, &package);
    first.signal(Signal::INT);
    assert_eq!(first.end().0, Some(0));
    assert_eq!(record.findings(), ["second-opening", "silent-lease"]);
    network.stop();
}

/// The home of a requestor, as another machine would have it.
fn copied(network: &Devnet, home: &Path) -> PathBuf {
    let copy = network.folder.path().join("copy");
    copy_folder(home, &copy);
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, from.metadata().unwrap().permissions()).unwrap();
    for entry in from.read_dir().unwrap() {
        let (entry, to) = (entry.unwrap(), to.to_owned());
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&path, &to);
        } else if kind.is_file() {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}
