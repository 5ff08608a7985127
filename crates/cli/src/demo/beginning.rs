//! The stage is set; and at the end it is looked at how much memory that took.

use std::sync::Arc;

use anyhow::{Result, ensure};
use medshare_chain::PrivateKeySigner;
use medshare_client::api::NodeApi;
use medshare_client::requestor::Requestor;
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::wire::Class;

use super::{NODE_MEMORY_LIMIT_BYTES, Stage, Story};
use crate::network::{Deployed, Network, NetworkPlan};

/// Chain, contract, custodians, nodes, datasets, requestors.
pub async fn stage(story: &mut Story, plan: &NetworkPlan) -> Result<Stage> {
    let deployed = story
        .step("a chain with the contract on it", "P6 P8", deploy(plan))
        .await?;
    let title = "two custodians, a node each, a dataset each";
    let network = story.step(title, "P5 P9", populate(deployed, plan)).await?;
    let alice = requestor(&network)?;
    let mallory = requestor(&network)?;
    let stage = Stage {
        network,
        alice,
        mallory,
    };
    story
        .step(
            "a requestor registers without any currency",
            "P1",
            register(&stage),
        )
        .await?;
    Ok(stage)
}

async fn deploy(plan: &NetworkPlan) -> Result<(Deployed, String)> {
    let deployed = Network::deploy(plan).await?;
    let chain = &deployed.governance;
    let limit = chain.work_limit().await?;
    let seen = format!(
        "chain {}, contract {}, work limit {limit:08x}",
        chain.chain_id(),
        chain.contract()
    );
    ensure!(
        limit == crate::command::deploy::DEFAULT_WORK_LIMIT,
        "the work limit is {limit:08x}"
    );
    Ok((deployed, seen))
}

async fn populate(deployed: Deployed, plan: &NetworkPlan) -> Result<(Network, String)> {
    let network = deployed.populate(plan).await?;
    let chain = &network.governance;
    let admitted = chain.custodian_count().await?;
    ensure!(
        admitted == 2,
        "the contract knows {admitted} custodians, not two"
    );
    for custodian in &network.custodians {
        let record = chain.node(custodian.node).await?;
        let owner = record.map(|record| record.custodian);
        ensure!(
            owner == Some(custodian.address()),
            "node {} belongs to {owner:?}",
            custodian.node
        );
        let served = NodeApi::new(&custodian.url)?.datasets().await?;
        let published = served
            .iter()
            .any(|dataset| dataset.dataset == custodian.dataset.id && dataset.published);
        ensure!(
            published,
            "{} does not serve its dataset as it is published",
            custodian.url
        );
    }
    let names = network
        .custodians
        .each_ref()
        .map(|custodian| custodian.dataset.descriptor.name.clone());
    let seen = format!(
        "published `{}` and `{}`, nodes at {} and {}",
        names[0], names[1], network.custodians[0].url, network.custodians[1].url
    );
    Ok((network, seen))
}

/// Somebody with fresh keys who talks to the first custodian's node.
fn requestor(network: &Network) -> Result<Requestor> {
    let node = NodeApi::new(&network.custodians[0].url)?;
    let ledger = Arc::new(network.governance.clone());
    Ok(Requestor::new(
        PrivateKeySigner::random(),
        SealingSecret::generate()?,
        ledger,
        node,
    ))
}

async fn register(stage: &Stage) -> Result<((), String)> {
    let chain = &stage.network.governance;
    let credential = medshare_protocol::digest::sha256(&[b"letter of the ethics board"]);
    let answer = stage.alice.register(Class::University, credential).await?;
    let record = chain.requestor(stage.alice.address()).await?;
    let key = record.map(|record| record.sealing_key);
    ensure!(
        key == Some(stage.alice.sealing.public()),
        "the contract holds another sealing key: {key:?}"
    );
    let balance = chain.balance(stage.alice.address()).await?;
    ensure!(balance.is_zero(), "the requestor has {balance} wei");
    let credential = medshare_protocol::digest::sha256(&[b"another letter"]);
    stage
        .mallory
        .register(Class::Individual, credential)
        .await?;
    Ok((
        (),
        format!(
            "{} by transaction {:?}, balance 0",
            stage.alice.address(),
            answer.transaction
        ),
    ))
}

/// What the nodes needed, and that they stop when they are told to.
pub async fn memory(story: &mut Story, stage: Stage) -> Result<()> {
    story
        .step("the nodes stayed small, and stop in order", "P5", async {
            let mut seen = Vec::new();
            for custodian in &stage.network.custodians {
                let bytes = custodian.process.peak_memory_bytes()?;
                seen.push(format!(
                    "{} {:.0} MiB",
                    custodian.name,
                    bytes as f64 / (1024.0 * 1024.0)
                ));
                ensure!(
                    bytes < NODE_MEMORY_LIMIT_BYTES,
                    "the node of {} used {bytes} bytes",
                    custodian.name
                );
            }
            stage.network.stop().await?;
            Ok(((), format!("at most {}", seen.join(", "))))
        })
        .await
}
