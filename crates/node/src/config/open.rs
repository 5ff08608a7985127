//! From a configuration to a running node: the key, the chain, the datasets, the store, the server.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use alloy_signer_local::PrivateKeySigner;
use medshare_chain::keystore::{self, KeystoreError};
use medshare_chain::{Chain, ChainError, NodeRecord};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Config, ConfigError};
use crate::descriptor::{Dataset, DescriptorError};
use crate::error::NodeError;
use crate::node_key::sealing_secret;
use crate::peer::{PeerError, Peers};
use crate::server;
use crate::service::{Node, NodeParts};
use crate::store::{Store, StoreError};

/// Why a node does not start. Says what to do where that is known.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration or the passphrase.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node's keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A dataset's descriptor.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// Two descriptors have one name.
    #[error("two descriptors describe a dataset `{0}`; rename one")]
    DuplicateDataset(String),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The contract does not know this node.
    #[error(
        "the node {node} is not registered on chain: the custodian {custodian} registers it with the sealing key {sealing_key} and the endpoint {endpoint} (`medshare custodian node add`)"
    )]
    NotRegistered {
        /// The node's address.
        node: Address,
        /// The custodian of the configuration.
        custodian: Address,
        /// The node's X25519 public key.
        sealing_key: B256,
        /// The endpoint of the configuration.
        endpoint: String,
    },
    /// The contract knows it differently.
    #[error(
        "the node {node} is registered on chain with the {what} {registered}, and the configuration has {configured}: correct the configuration, or register the node again"
    )]
    RegisteredOtherwise {
        /// The node's address.
        node: Address,
        /// What differs.
        what: &'static str,
        /// On chain.
        registered: String,
        /// Here.
        configured: String,
    },
    /// The folder of the node's data.
    #[error("cannot use the data folder {}: {source}", path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process uses the folder.
    #[error("the data folder {} is in use by another node; two would spoil each other's work", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The peers' HTTP client.
    #[error(transparent)]
    Peers(#[from] PeerError),
    /// The address to listen on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The node itself.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Opening the keystore was interrupted.
    #[error("opening the keystore was interrupted: {0}")]
    Interrupted(String),
}

/// All that was checked before anything is started.
#[derive(Debug)]
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// The node's key.
    pub signer: PrivateKeySigner,
    /// The chain, with the node's key.
    pub chain: Chain,
    /// What it will serve.
    pub datasets: Vec<Dataset>,
}

/// A node that serves.
#[derive(Debug)]
pub struct RunningNode {
    /// The node itself.
    pub node: Node,
    /// Where it listens: with port 0 in the configuration the system chose one.
    pub address: SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
    worked: JoinHandle<()>,
    _lock: File,
}

/// Checks everything that can be checked without starting: key, descriptors, chain, registration.
///
/// # Errors
/// The first thing that is not in order, and what to do about it.
pub async fn prepare(config: Config, passphrase: &str) -> Result<Prepared, OpenError> {
    let datasets = load_datasets(&config)?;
    let signer = read_key(config.keystore.clone(), passphrase).await?;
    let chain = Chain::connect(&config.chain)
        .await?
        .with_signer(signer.clone());
    let record = chain.node(signer.address()).await?;
    check_registration(&config, &signer, record)?;
    Ok(Prepared {
        config,
        signer,
        chain,
        datasets,
    })
}

/// Checks everything and starts the node.
///
/// # Errors
/// As [`prepare`]; also when the data folder, the store or the port cannot be used.
pub async fn open(config: Config, passphrase: &str) -> Result<RunningNode, OpenError> {
    prepare(config, passphrase).await?.start().await
}

impl Prepared {
    /// Starts the node and its server.
    ///
    /// # Errors
    /// When the data folder, the store or the port cannot be used.
    pub async fn start(self) -> Result<RunningNode, OpenError> {
        let Self {
            config,
            signer,
            chain,
            datasets,
        } = self;
        let lock = lock_folder(&config.data_dir)?;
        let store = Store::open(&config.data_dir.join("node.db")).await?;
        let listen = |source| OpenError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let sealing = sealing_secret(&signer);
        let shutdown = CancellationToken::new();
        let parts = NodeParts {
            store,
            chain,
            sealing: sealing.clone(),
            peers: Peers::new(signer.clone(), sealing)?,
            signer,
            custodian: config.custodian,
            datasets,
            packages_dir: config.data_dir.join("packages"),
            releases_dir: config.data_dir.join("releases"),
            limits: config.limits,
            vouching: config.vouching,
        };
        let (node, worked) = Node::start(parts, shutdown.clone()).await?;
        let ended = shutdown.clone().cancelled_owned();
        let served = tokio::spawn(server::run(node.clone(), listener, ended));
        Ok(RunningNode {
            node,
            address,
            shutdown,
            served,
            worked,
            _lock: lock,
        })
    }
}

impl RunningNode {
    /// Ends the node: no new requests, those under way are finished, the workers stop where they can go on later.
    ///
    /// # Errors
    /// When server or workers ended in an error.
    pub async fn stop(self) -> Result<(), OpenError> {
        self.shutdown.cancel();
        self.wait().await
    }

    /// Waits until the node has ended, by [`RunningNode::stopper`] or by itself.
    ///
    /// # Errors
    /// When server or workers ended in an error.
    pub async fn wait(self) -> Result<(), OpenError> {
        let interrupted = |error: tokio::task::JoinError| OpenError::Interrupted(error.to_string());
        let served = self.served.await.map_err(interrupted)?;
        // A server that ended by itself takes the workers with it.
        self.shutdown.cancel();
        self.worked.await.map_err(interrupted)?;
        served.map_err(|source| OpenError::Listen {
            address: self.address,
            source,
        })
    }

    /// Ends the node when it is cancelled.
    #[must_use]
    pub fn stopper(&self) -> CancellationToken {
        self.shutdown.clone()
    }
}

fn load_datasets(config: &Config) -> Result<Vec<Dataset>, OpenError> {
    let mut datasets: Vec<Dataset> = Vec::new();
    for path in &config.datasets {
        let dataset = Dataset::load(path)?;
        if datasets.iter().any(|earlier| earlier.id == dataset.id) {
            return Err(OpenError::DuplicateDataset(dataset.descriptor.name));
        }
        datasets.push(dataset);
    }
    Ok(datasets)
}

/// Keystores are slow to open on purpose: not on a thread that serves.
pub(crate) async fn read_key(
    keystore: PathBuf,
    passphrase: &str,
) -> Result<PrivateKeySigner, OpenError> {
    let passphrase = Zeroizing::new(passphrase.to_owned());
    let read = move || keystore::read_wallet(&keystore, &passphrase);
    let key = tokio::task::spawn_blocking(read).await;
    Ok(key.map_err(|error| OpenError::Interrupted(error.to_string()))??)
}

fn check_registration(
    config: &Config,
    signer: &PrivateKeySigner,
    record: Option<NodeRecord>,
) -> Result<(), OpenError> {
    let node = signer.address();
    let sealing_key = sealing_secret(signer).public();
    let Some(record) = record else {
        return Err(OpenError::NotRegistered {
            node,
            custodian: config.custodian,
            sealing_key,
            endpoint: config.public_endpoint.clone(),
        });
    };
    for (what, registered, configured) in [
        (
            "custodian",
            record.custodian.to_string(),
            config.custodian.to_string(),
        ),
        (
            "sealing key",
            record.sealing_key.to_string(),
            sealing_key.to_string(),
        ),
        ("endpoint", record.endpoint, config.public_endpoint.clone()),
    ] {
        if registered != configured {
            return Err(OpenError::RegisteredOtherwise {
                node,
                what,
                registered,
                configured,
            });
        }
    }
    Ok(())
}

fn lock_folder(folder: &std::path::Path) -> Result<File, OpenError> {
    let unusable = |source| OpenError::DataFolder {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}
