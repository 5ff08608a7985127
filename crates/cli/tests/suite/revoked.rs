//! P19: how soon a violation is a revocation on chain.

use std::path::Path;
use std::time::{Duration, Instant};

use medshare_chain::{Chain, ChainConfig};
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::State;

use super::devnet::Devnet;
use super::program::succeed;
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
    let request = ["request", &network.dataset(), "--purpose", "HRESCH"];
    let asked = succeed(network.as_requestor(&alice).args(request));
    let package = asked.trim();
    succeed(network.as_requestor(&alice).args(["download", package]));
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
