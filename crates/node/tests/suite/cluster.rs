//! A chain, a contract, two custodians with a node each. Ends when it is dropped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use medshare_chain::anvil::{AnvilChild, AnvilOptions, spawn};
use medshare_chain::{Chain, ChainConfig, PrivateKeySigner};
use medshare_node::descriptor::Dataset;
use medshare_node::node_key::sealing_secret;
use medshare_node::peer::Peers;
use medshare_node::store::Store;
use medshare_node::{Limits, Node, NodeParts, Vouching, server};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// About 4,096 hashes a block, as in production.
pub const WORK_LIMIT: u32 = 0x1f0f_ffff;

pub struct Cluster {
    pub anvil: AnvilChild,
    pub contract: Address,
    pub governance: Chain,
    pub custodians: [Custodian; 2],
    _folder: tempfile::TempDir,
}

/// A custodian and what its node needs to be started, also again.
pub struct Custodian {
    pub wallet: Chain,
    pub address: Address,
    pub key: PrivateKeySigner,
    pub listen: SocketAddr,
    _port: TcpSocket,
    pub folder: PathBuf,
    pub datasets: Vec<Dataset>,
    pub rpc: Line,
    pub limits: Limits,
    pub vouching: Vouching,
    pub running: Option<Running>,
}

/// A started node.
pub struct Running {
    pub node: Node,
    shutdown: CancellationToken,
    worked: JoinHandle<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Cluster {
    pub async fn start() -> Self {
        Self::with(
            200,
            Limits {
                lease_seconds: 5,
                ..Limits::default()
            },
        )
        .await
    }

    /// With a dataset of so many patients at the first custodian.
    pub async fn with(rows: usize, limits: Limits) -> Self {
        let anvil = spawn(&AnvilOptions::default()).await.unwrap();
        let admin = anvil.keys[0].clone();
        let contract = Chain::deploy(&anvil.rpc_url, admin.clone(), WORK_LIMIT)
            .await
            .unwrap();
        let config = ChainConfig::new(&anvil.rpc_url, contract);
        let governance = Chain::connect(&config).await.unwrap().with_signer(admin);
        let folder = tempfile::tempdir().unwrap();
        let mut custodians = Vec::new();
        for (index, rows) in [(0, rows), (1, 20)] {
            let folder = folder.path().join(format!("custodian-{index}"));
            let custodian =
                Custodian::found(&anvil, &governance, index, &folder, rows, limits).await;
            custodians.push(custodian);
        }
        let custodians: [Custodian; 2] = custodians.try_into().map_err(|_| ()).unwrap();
        let mut cluster = Self {
            anvil,
            contract,
            governance,
            custodians,
            _folder: folder,
        };
        for index in 0..2 {
            cluster.start_node(index).await;
        }
        cluster
    }

    pub async fn start_node(&mut self, index: usize) -> Node {
        self.custodians[index].start(self.contract).await
    }

    /// Ends a node at whatever it is doing.
    pub async fn kill_node(&mut self, index: usize) {
        self.custodians[index].kill().await;
    }

    pub fn node(&self, index: usize) -> Node {
        self.custodians[index]
            .running
            .as_ref()
            .unwrap()
            .node
            .clone()
    }

    pub fn dataset(&self) -> &Dataset {
        &self.custodians[0].datasets[0]
    }

    /// A raw JSON-RPC call to anvil.
    pub async fn rpc(&self, method: &str, parameters: serde_json::Value) -> serde_json::Value {
        let body =
            serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .post(&self.anvil.rpc_url)
            .json(&body)
            .send()
            .await
            .unwrap();
        let answer: serde_json::Value = answer.json().await.unwrap();
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }
}

impl Custodian {
    async fn found(
        anvil: &AnvilChild,
        governance: &Chain,
        index: usize,
        folder: &Path,
        rows: usize,
        limits: Limits,
    ) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let wallet = governance.with_signer(anvil.keys[1 + index].clone());
        let address = wallet.sender().unwrap();
        let key = anvil.keys[3 + index].clone();
        governance.admit_custodian(address).await.unwrap();
        let port = own_port();
        let listen = port.local_addr().unwrap();
        let sealing = sealing_secret(&key).public();
        wallet
            .register_node(key.address(), sealing, &format!("http://{listen}"))
            .await
            .unwrap();
        let datasets = vec![write_dataset(folder, rows)];
        for dataset in &datasets {
            let (hash, purposes) = (dataset.descriptor_hash, &dataset.purposes);
            wallet
                .publish_dataset(dataset.id, hash, purposes, &dataset.responses)
                .await
                .unwrap();
        }
        let rpc = Line::to(&anvil.rpc_url).await;
        Self {
            wallet,
            address,
            key,
            listen,
            _port: port,
            folder: folder.into(),
            datasets,
            rpc,
            limits,
            vouching: Vouching::Anyone,
            running: None,
        }
    }

    async fn start(&mut self, contract: Address) -> Node {
        let chain = Chain::connect(&ChainConfig::new(&self.rpc.url, contract))
            .await
            .unwrap();
        let sealing = sealing_secret(&self.key);
        let parts = NodeParts {
            store: Store::open(&self.folder.join("node.db")).await.unwrap(),
            chain: chain.with_signer(self.key.clone()),
            signer: self.key.clone(),
            sealing: sealing.clone(),
            custodian: self.address,
            datasets: self.datasets.clone(),
            packages_dir: self.folder.join("packages"),
            releases_dir: self.folder.join("releases"),
            peers: Peers::new(self.key.clone(), sealing).unwrap(),
            limits: self.limits,
            vouching: self.vouching.clone(),
        };
        let shutdown = CancellationToken::new();
        let (node, worked) = Node::start(parts, shutdown.clone()).await.unwrap();
        let listener = TcpListener::bind(self.listen).await.unwrap();
        let ended = shutdown.clone().cancelled_owned();
        let served = tokio::spawn(server::run(node.clone(), listener, ended));
        self.running = Some(Running {
            node: node.clone(),
            shutdown,
            worked,
            served,
        });
        node
    }

    async fn kill(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.cancel();
        running.worked.await.unwrap();
        running.served.await.unwrap().unwrap();
    }
}

/// A port that nobody else gets while its node is down. A socket that is bound and does not listen keeps it: the system gives
/// it to no other socket that asks for any port, and lets one that asks for this very one listen on it (SO_REUSEADDR).
fn own_port() -> TcpSocket {
    let port = TcpSocket::new_v4().unwrap();
    port.set_reuseaddr(true).unwrap();
    port.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    port
}

/// A wire to the RPC endpoint that can be cut.
pub struct Line {
    pub url: String,
    cut: watch::Sender<bool>,
}

impl Line {
    async fn to(rpc_url: &str) -> Self {
        let target = rpc_url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cut = watch::Sender::new(false);
        let line = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (target, mut is_cut) = (target.clone(), line.subscribe());
                tokio::spawn(async move {
                    if *is_cut.borrow() {
                        return;
                    }
                    let Ok(mut server) = TcpStream::connect(&target).await else {
                        return;
                    };
                    client.set_nodelay(true).unwrap();
                    server.set_nodelay(true).unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        () = async { drop(is_cut.wait_for(|cut| *cut).await) } => {}
                    }
                });
            }
        });
        Self { url, cut }
    }

    /// Returns when every connection is broken: one that is kept alive would still carry a question.
    pub async fn cut(&self) {
        self.cut.send_replace(true);
        self.cut.closed().await;
    }

    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

/// Patients whose ages, sexes and diagnoses follow from their number.
pub fn csv(rows: usize) -> String {
    let mut csv = "patient,age,sex,diagnosis,code\n".to_owned();
    for row in 0..rows {
        let age = 20 + (row * 7) % 60;
        let sex = if row % 2 == 0 { "F" } else { "M" };
        let diagnosis = ["diabetes", "asthma", "healthy"][row % 3];
        csv += &format!("Patient {row},{age},{sex},{diagnosis},{}\n", row % 5);
    }
    csv
}

fn write_dataset(folder: &Path, rows: usize) -> Dataset {
    std::fs::write(folder.join("patients.csv"), csv(rows)).unwrap();
    let ages: String = (20..80)
        .map(|age| format!("{age};{}-{};*\n", age / 20 * 20, age / 20 * 20 + 19))
        .collect();
    std::fs::write(folder.join("age.csv"), ages).unwrap();
    std::fs::write(folder.join("patients.toml"), DESCRIPTOR).unwrap();
    Dataset::load(&folder.join("patients.toml")).unwrap()
}

const DESCRIPTOR: &str = r#"
name = "patients"
title = "Patients of a test"
purposes = ["HRESCH"]
[source]
kind = "csv"
file = "patients.csv"
[privacy]
k = 2
suppression-limit = 0.05
[usage]
granted = ["read", "write"]
exempt = []
environment = "any"
retention-days = 30
[[response]]
action = "revoke-dataset"
after = 2
[[response]]
action = "refuse-requests"
after = 3
[[column]]
name = "patient"
kind = "text"
role = "identifier"
[[column]]
name = "age"
kind = "integer"
role = "quasi-identifier"
hierarchy = "age.csv"
[[column]]
name = "sex"
kind = "text"
role = "quasi-identifier"
[[column]]
name = "diagnosis"
kind = "text"
role = "sensitive"
[[column]]
name = "code"
kind = "integer"
role = "plain"
"#;
