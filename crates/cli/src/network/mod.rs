//! A whole network on this machine, for the demo, for trying things by hand and for measurements: a chain, the
//! contract, two custodians, one node each. Every node is a process of its own with its own folder, as in earnest.

mod custodian;
mod dataset;
mod process;

pub use custodian::Custodian;
pub use dataset::DatasetSource;
pub(crate) use dataset::load_own;
pub use process::READY;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use anyhow::{Context, Result, ensure};
use medshare_chain::anvil::{self, AnvilChild, AnvilOptions};
use medshare_chain::{Chain, ChainConfig, PrivateKeySigner, keystore};
use tokio::net::TcpSocket;

use custodian::{Draft, Joined};

use crate::command::deploy::DEFAULT_WORK_LIMIT;

/// The passphrase of every keystore of such a network. It protects nothing: the keys are development keys.
pub const PASSPHRASE: &str = "a development network has no secrets";
/// Names of the custodians.
const NAMES: [&str; 2] = ["north", "south"];
/// Accounts of anvil: one for governance, a wallet and a node for each custodian.
const ACCOUNTS: u8 = 5;

/// What is started.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// Where everything is written; must be empty.
    pub folder: PathBuf,
    /// Port of the chain; the nodes get the next two. Nothing: free ones.
    pub port: Option<u16>,
    /// What the two custodians share.
    pub datasets: [DatasetSource; 2],
    /// Length of a lease.
    pub lease_seconds: u32,
}

/// A running network. Ends when it is dropped; [`Network::stop`] lets the nodes finish.
pub struct Network {
    /// The chain's process.
    pub anvil: AnvilChild,
    /// Governance's connection.
    pub governance: Chain,
    /// The custodians with their nodes.
    pub custodians: [Custodian; 2],
    /// Where everything is.
    pub folder: PathBuf,
}

impl Network {
    /// Starts the chain and deploys; nobody takes part yet.
    pub async fn deploy(plan: &NetworkPlan) -> Result<Deployed> {
        prepare_folder(&plan.folder)?;
        let port = plan.port.unwrap_or(0);
        let options = AnvilOptions {
            port,
            accounts: ACCOUNTS,
            ..AnvilOptions::default()
        };
        let anvil = anvil::spawn(&options).await?;
        let governor = account(&anvil, 0)?;
        let contract = Chain::deploy(&anvil.rpc_url, governor.clone(), DEFAULT_WORK_LIMIT).await?;
        let config = ChainConfig::new(&anvil.rpc_url, contract);
        let governance = Chain::connect(&config).await?.with_signer(governor);
        Ok(Deployed { anvil, governance })
    }

    /// Stops the nodes as an operator would, and waits for them.
    pub async fn stop(self) -> Result<()> {
        for custodian in self.custodians {
            custodian.process.stop().await?;
        }
        Ok(())
    }
}

/// A chain with the contract on it.
pub struct Deployed {
    /// The chain's process.
    pub anvil: AnvilChild,
    /// Governance's connection.
    pub governance: Chain,
}

impl Deployed {
    /// Admits both custodians, registers their nodes, publishes their datasets and starts the nodes.
    pub async fn populate(self, plan: &NetworkPlan) -> Result<Network> {
        let north = self.join(plan, 0).await?;
        let south = self.join(plan, 1).await?;
        // Only after both are registered: a node that serves may need the other at once.
        let governor = account(&self.anvil, 0)?;
        let keystore = plan.folder.join("governance.json");
        let (north, south, _) = tokio::try_join!(
            north.start(),
            south.start(),
            write_wallet(&keystore, governor)
        )?;
        let custodians = [north, south];
        Ok(Network {
            anvil: self.anvil,
            governance: self.governance,
            custodians,
            folder: plan.folder.clone(),
        })
    }

    async fn join(&self, plan: &NetworkPlan, position: u8) -> Result<Joined> {
        let port = match plan.port {
            Some(port) => port
                .checked_add(1 + u16::from(position))
                .context("the port is too high: the nodes get the next two")?,
            None => 0,
        };
        let (listen, port) = keep_port(port)?;
        let index = usize::from(position);
        let draft = Draft {
            name: NAMES[index],
            listen,
            port,
            wallet: account(&self.anvil, 1 + 2 * index)?,
            node: account(&self.anvil, 2 + 2 * index)?,
            lease_seconds: plan.lease_seconds,
        };
        let folder = plan.folder.join(draft.name);
        draft
            .join(&self.governance, &folder, &plan.datasets[index])
            .await
    }
}

/// Every development keystore has the same passphrase; making one takes most of a second of computing (scrypt).
pub async fn write_wallet(path: &Path, wallet: PrivateKeySigner) -> Result<Address> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        keystore::write_wallet(&path, PASSPHRASE, &wallet)?;
        Ok(wallet.address())
    })
    .await?
}

/// The file beside the keystores that opens them.
pub fn passphrase_file(folder: &Path) -> PathBuf {
    folder.join("passphrase.txt")
}

fn prepare_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut entries = folder
        .read_dir()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    ensure!(
        entries.next().is_none(),
        "the folder {} is not empty: give a new one",
        folder.display()
    );
    let file = passphrase_file(folder);
    std::fs::write(&file, format!("{PASSPHRASE}\n"))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn account(anvil: &AnvilChild, position: usize) -> Result<PrivateKeySigner> {
    anvil
        .keys
        .get(position)
        .cloned()
        .context("anvil gave fewer accounts than it was asked for")
}

/// A port of this machine for a node, any free one for 0. A socket that is bound and does not listen keeps it: Linux gives it to
/// no other socket that asks for any port, and lets one that asks for this very one listen on it (SO_REUSEADDR). Other systems
/// would not; there it is let go.
fn keep_port(port: u16) -> Result<(SocketAddr, Option<TcpSocket>)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket
        .bind((Ipv4Addr::LOCALHOST, port).into())
        .with_context(|| match port {
            0 => "no port of this machine is free".to_owned(),
            port => format!("port {port} of this machine is taken or not yours: give another"),
        })?;
    let address = socket.local_addr()?;
    Ok((address, cfg!(target_os = "linux").then_some(socket)))
}
