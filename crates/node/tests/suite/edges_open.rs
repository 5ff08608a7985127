//! From `node.toml` to a running node, and what stands in the way.

use std::path::{Path, PathBuf};

use medshare_chain::anvil::{AnvilChild, AnvilOptions, spawn};
use medshare_chain::{Chain, ChainConfig, PrivateKeySigner, keystore};
use medshare_node::config::{Config, OpenError, open, prepare};
use medshare_node::node_key::sealing_secret;
use medshare_protocol::wire::NodeInfo;

use crate::cluster::WORK_LIMIT;

const PASSPHRASE: &str = "a passphrase of a test";

/// A chain with one admitted custodian, and the files of its node, which is not registered yet.
struct Desk {
    _anvil: AnvilChild,
    folder: tempfile::TempDir,
    custodian: Chain,
    key: PrivateKeySigner,
}

impl Desk {
    async fn set_up() -> Self {
        let anvil = spawn(&AnvilOptions::default()).await.unwrap();
        let admin = anvil.keys[0].clone();
        let contract = Chain::deploy(&anvil.rpc_url, admin.clone(), WORK_LIMIT)
            .await
            .unwrap();
        let chain = Chain::connect(&ChainConfig::new(&anvil.rpc_url, contract))
            .await
            .unwrap();
        let custodian = chain.with_signer(anvil.keys[1].clone());
        chain
            .with_signer(admin)
            .admit_custodian(custodian.sender().unwrap())
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = anvil.keys[2].clone();
        keystore::write_wallet(&folder.path().join("node.json"), PASSPHRASE, &key).unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        for file in ["node.toml", "dataset.toml", "age.csv", "encounters.csv"] {
            std::fs::copy(examples.join(file), folder.path().join(file)).unwrap();
        }
        let desk = Self {
            _anvil: anvil,
            folder,
            custodian,
            key,
        };
        desk.edit("http://127.0.0.1:8545", &desk._anvil.rpc_url);
        desk.edit(
            "0x5FbDB2315678afecb367f032d93F642f64180aa3",
            &contract.to_string(),
        );
        let sender = desk.custodian.sender().unwrap().to_string();
        desk.edit("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", &sender);
        desk.edit("listen = \"127.0.0.1:8600\"", "listen = \"127.0.0.1:0\"");
        desk
    }

    fn config_file(&self) -> PathBuf {
        self.folder.path().join("node.toml")
    }

    fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config_file()).unwrap();
        assert!(text.contains(from), "the example has no `{from}`");
        std::fs::write(self.config_file(), text.replace(from, to)).unwrap();
    }

    fn config(&self) -> Config {
        Config::load(&self.config_file()).unwrap()
    }

    async fn register(&self, endpoint: &str) {
        let sealing = sealing_secret(&self.key).public();
        self.custodian
            .register_node(self.key.address(), sealing, endpoint)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_node_opens_serves_stops_and_opens_again() {
    let desk = Desk::set_up().await;
    desk.register("http://127.0.0.1:8600").await;
    for _ in 0..2 {
        let running = open(desk.config(), PASSPHRASE).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .get(format!("http://{}/v1/info", running.address))
            .send()
            .await
            .unwrap();
        let info: NodeInfo = answer.json().await.unwrap();
        assert_eq!(info.node, desk.key.address());
        assert_eq!(info.sealing_key, sealing_secret(&desk.key).public());
        let second = open(desk.config(), PASSPHRASE).await.unwrap_err();
        assert!(matches!(second, OpenError::InUse { .. }), "{second}");
        running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_the_contract_knows_differently_says_what_to_do() {
    let desk = Desk::set_up().await;
    let error = open(desk.config(), PASSPHRASE)
        .await
        .unwrap_err()
        .to_string();
    let key = sealing_secret(&desk.key).public().to_string();
    for fragment in [
        "is not registered on chain",
        "medshare custodian node add",
        &key,
        "http://127.0.0.1:8600",
    ] {
        assert!(error.contains(fragment), "{error}");
    }
    assert!(
        !desk.folder.path().join("data").exists(),
        "nothing is left behind"
    );
    desk.register("http://127.0.0.1:9999").await;
    let error = prepare(desk.config(), PASSPHRASE)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("with the endpoint http://127.0.0.1:9999"),
        "{error}"
    );
    desk.register("http://127.0.0.1:8600").await;
    let admin = desk._anvil.keys[0].address().to_string();
    desk.edit(&desk.custodian.sender().unwrap().to_string(), &admin);
    let error = prepare(desk.config(), PASSPHRASE)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("with the custodian"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passphrases_chains_files_and_ports_are_named() {
    let desk = Desk::set_up().await;
    desk.register("http://127.0.0.1:8600").await;
    let failure = async || {
        open(desk.config(), PASSPHRASE)
            .await
            .unwrap_err()
            .to_string()
    };
    let error = open(desk.config(), "another")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("does not open") && error.contains("node.json"),
        "{error}"
    );

    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    desk.edit(
        "listen = \"127.0.0.1:0\"",
        &format!("listen = \"{address}\""),
    );
    let error = failure().await;
    assert!(
        error.contains(&format!("cannot listen on {address}")),
        "{error}"
    );

    desk.edit(
        "datasets = [\"dataset.toml\"]",
        "datasets = [\"dataset.toml\", \"dataset.toml\"]",
    );
    let error = failure().await;
    assert!(
        error.contains("two descriptors describe a dataset `encounters`"),
        "{error}"
    );
    desk.edit("[\"dataset.toml\", \"dataset.toml\"]", "[\"missing.toml\"]");
    let error = failure().await;
    assert!(
        error.contains("cannot read") && error.contains("missing.toml"),
        "{error}"
    );
    desk.edit("[\"missing.toml\"]", "[]");

    desk.edit("chain-id = 31337", "chain-id = 1");
    let error = failure().await;
    assert!(error.contains("serves the chain 31337, not 1"), "{error}");
    desk.edit("chain-id = 1", "");
    let contract = desk.custodian.contract().to_string();
    desk.edit(&contract, "0x1111111111111111111111111111111111111111");
    let error = failure().await;
    assert!(error.contains("there is no contract at 0x1111"), "{error}");
    desk.edit(&desk._anvil.rpc_url, "http://127.0.0.1:1");
    let error = failure().await;
    assert!(
        error.contains("cannot reach the RPC endpoint http://127.0.0.1:1"),
        "{error}"
    );
    desk.edit("keystore = \"node.json\"", "keystore = \"none.json\"");
    let error = failure().await;
    assert!(error.contains("none.json"), "{error}");
}
