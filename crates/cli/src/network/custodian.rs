//! One custodian: wallet, dataset, node.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use anyhow::{Context, Result};
use medshare_chain::{Chain, PrivateKeySigner};
use medshare_node::descriptor::Dataset;
use medshare_node::node_key::sealing_secret;
use tokio::net::TcpSocket;

use super::dataset::{DatasetSource, place};
use super::process::NodeProcess;
use super::{passphrase_file, write_wallet};

/// A custodian with its running node.
pub struct Custodian {
    /// `north` or `south`.
    pub name: &'static str,
    /// The custodian's connection to the chain.
    pub chain: Chain,
    /// Keystore of its wallet.
    pub keystore: PathBuf,
    /// What it shares.
    pub dataset: Dataset,
    /// Address of its node (NID).
    pub node: Address,
    /// Where the node answers.
    pub url: String,
    /// Configuration of the node.
    pub config: PathBuf,
    /// The node's process.
    pub process: NodeProcess,
    /// The node's port is nobody else's while the network lives, also between two runs of the node.
    _port: Option<TcpSocket>,
}

impl Custodian {
    /// The custodian's address (OID).
    pub fn address(&self) -> Address {
        self.chain
            .sender()
            .expect("a custodian's connection has its wallet")
    }
}

/// What is decided about a custodian before anything exists.
pub(super) struct Draft {
    pub(super) name: &'static str,
    pub(super) listen: SocketAddr,
    pub(super) port: Option<TcpSocket>,
    pub(super) wallet: PrivateKeySigner,
    pub(super) node: PrivateKeySigner,
    pub(super) lease_seconds: u32,
}

/// A custodian that the contract knows; its node is not running yet.
pub(super) struct Joined {
    name: &'static str,
    chain: Chain,
    keystore: PathBuf,
    dataset: Dataset,
    node: Address,
    url: String,
    config: PathBuf,
    port: Option<TcpSocket>,
}

impl Draft {
    /// Admission, registration, publication; and the files the node needs.
    pub(super) async fn join(
        self,
        governance: &Chain,
        folder: &Path,
        source: &DatasetSource,
    ) -> Result<Joined> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let descriptor = place(folder, self.name, source).await?;
        let dataset = Dataset::load(&descriptor)?;
        let (keystore, node_keystore) = (folder.join("custodian.json"), folder.join("node.json"));
        // Two keystores at a time: each keeps a core busy.
        let (_, node) = tokio::try_join!(
            write_wallet(&keystore, self.wallet.clone()),
            write_wallet(&node_keystore, self.node.clone()),
        )?;
        let url = format!("http://{}", self.listen);
        let chain = governance.with_signer(self.wallet.clone());
        governance.admit_custodian(self.wallet.address()).await?;
        chain
            .register_node(node, sealing_secret(&self.node).public(), &url)
            .await?;
        chain
            .publish_dataset(
                dataset.id,
                dataset.descriptor_hash,
                &dataset.purposes,
                &dataset.responses,
            )
            .await?;
        let config = self.write_config(governance, folder, &descriptor)?;
        Ok(Joined {
            name: self.name,
            chain,
            keystore,
            dataset,
            node,
            url,
            config,
            port: self.port,
        })
    }

    fn write_config(&self, chain: &Chain, folder: &Path, descriptor: &Path) -> Result<PathBuf> {
        let root = folder
            .parent()
            .context("a custodian's folder lies in the network's")?;
        let mut config = toml::Table::new();
        let mut set =
            |key: &str, value: String| config.insert(key.to_owned(), toml::Value::String(value));
        set("listen", self.listen.to_string());
        set("public-endpoint", format!("http://{}", self.listen));
        set("rpc-url", chain.endpoint());
        set("contract", chain.contract().to_string());
        set("custodian", self.wallet.address().to_string());
        set("keystore", "node.json".to_owned());
        set(
            "passphrase-file",
            passphrase_file(root).display().to_string(),
        );
        set("data-dir", "data".to_owned());
        // Whoever comes to a network of this machine is let in; a custodian would list credentials.
        set("vouch-for", "anyone".to_owned());
        let descriptor = toml::Value::String(descriptor.display().to_string());
        config.insert("datasets".to_owned(), toml::Value::Array(vec![descriptor]));
        config.insert(
            "lease-seconds".to_owned(),
            toml::Value::Integer(self.lease_seconds.into()),
        );
        let path = folder.join("node.toml");
        std::fs::write(&path, toml::to_string_pretty(&config)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

impl Joined {
    pub(super) async fn start(self) -> Result<Custodian> {
        let process = NodeProcess::start(&self.config, &self.url).await?;
        Ok(Custodian {
            name: self.name,
            chain: self.chain,
            keystore: self.keystore,
            dataset: self.dataset,
            node: self.node,
            url: self.url,
            config: self.config,
            process,
            _port: self.port,
        })
    }
}
