//! P19: how soon a violation is a revocation on chain.

use std::path::Path;
use std::time::{Duration, Instant};

use medshare_chain::{Chain, ChainConfig};
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::State;
use rustix::process::Signal;

use super::devnet::Devnet;
use super::program::run;
use super::session::OpenPackage;

/// From the refused call to the contract's state, on a chain that mines at once.
const REVOKED_WITHIN: Duration = Duration::from_secs(1);
/// Between two looks at the chain.
const PAUSE: Duration = Duration::from_millis(5);

#[test]
fn a_violation_is_revoked_on_chain_within_a_second_of_the_refused_call() {
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
    let id: PackageId = package.parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ChainConfig::new(&network.rpc(), network.contract().parse().unwrap());
    let chain = runtime.block_on(Chain::connect(&config)).unwrap();
    let state = || runtime.block_on(chain.package(id)).unwrap().state;
    assert!(state().is_usable());

    let tried = Instant::now();
    let refused = std::fs::remove_file(folder.join("data.csv")).unwrap_err();
    let answered = tried.elapsed();
    assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
    while state() != State::Revoked {
        assert!(tried.elapsed() < REVOKED_WITHIN, "it is {:?}", state());
        std::thread::sleep(PAUSE);
    }
    let revoked = tried.elapsed();
    println!("refused after {answered:?}, revoked on chain after {revoked:?}");
    assert!(revoked < REVOKED_WITHIN, "{revoked:?}");
    let (status, words) = agent.end();
    assert_eq!(status, Some(3), "{words}");
    assert!(words.contains("`delete` is not permitted"), "{words}");
    network.stop();
}

/// What it says of the revocation is true, also while it is not one yet; and nobody waits for a network to be told.
#[test]
fn a_violation_is_told_of_truly_and_within_a_second_though_the_node_hangs() {
    let network = Devnet::start(300);
    let alice = network.register("alice");
    let package = &network.obtain(&alice);
    let mut agent = OpenPackage::start(&network, &alice, &[package]);

    network.signal(Signal::STOP);
    let tried = Instant::now();
    let copy = ["act", "copy", package, "stolen.csv"];
    let refused = run(network.as_requestor(&alice).args(copy), "");
    let told = agent.complaint();
    let after = tried.elapsed();
    println!("told after {after:?}: {told}");
    assert_eq!(refused.status, 3, "{refused:?}");
    for words in [&refused.stderr, &told] {
        assert!(words.contains("`copy` is not permitted"), "{words}");
        assert!(words.contains("has not reached the node yet"), "{words}");
        assert!(!words.contains("access is revoked pending"), "{words}");
    }
    // A program has to start as well.
    assert!(after < Duration::from_millis(1_500), "{after:?}");

    network.signal(Signal::CONT);
    let (status, words) = agent.end();
    assert_eq!(status, Some(3), "{words}");
    assert!(words.contains("has arrived: access is revoked"), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    network.stop();
}
