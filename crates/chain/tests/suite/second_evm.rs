//! The same on Hardhat's node, so that nothing leans on anvil's kindness.

use std::time::Duration;

use alloy::network::Ethereum;
use alloy::providers::{Provider, RootProvider};
use medshare_chain::{
    Address, B256, Chain, ChainError, ContractError, Event, PrivateKeySigner, ResponseKind,
};
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Deletion;
use medshare_protocol::usage::{Action, State};
use serde_json::{Value, json};

use crate::hardhat;
use crate::world::{Evm, STRICT, WORK_LIMIT, World, deployed, sent_of, start};

/// When the contract is deployed, s since the Unix epoch: the same on both chains, in the future for both, and not so
/// late that a block header's 32 bits would not hold it.
const DEPLOYED_AT: u64 = 4_000_000_000;

/// Longest wait until what is sent is in the pool.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that a chain tells of what happened on it.
#[derive(Debug, PartialEq)]
struct Told {
    events: Vec<(u64, u64, Event)>,
    /// Of each block, and that is of each transaction: one is mined at a time.
    gas_used: Vec<Value>,
}

/// With one chain id, the same accounts and the same time everything that is signed and sent is the same to the byte, so
/// events and gas must be, too: there is nothing to tolerate.
#[tokio::test]
async fn the_whole_flow_is_the_same_on_another_evm() {
    let on_anvil = told(start().await).await;
    let on_hardhat = told(hardhat::start().await).await;
    assert_eq!(on_hardhat, on_anvil);
}

async fn told(evm: impl Evm) -> Told {
    ask(&evm, "evm_setNextBlockTimestamp", json!([DEPLOYED_AT])).await;
    let mut world = World::on(evm, &[STRICT]).await;
    takes_part(&world).await;
    let package = issued(&mut world).await;
    anchored(&world, package).await;
    violated_and_regranted(&world, package).await;
    revoked_and_retrieved(&world, package).await;

    let chain = &world.governance;
    let head = chain.block_number().await.unwrap();
    let events = chain.events(0, head).await.unwrap();
    let mut gas_used = Vec::new();
    for number in 1..=head {
        let block = json!([format!("{number:#x}"), false]);
        gas_used.push(ask(&world.evm, "eth_getBlockByNumber", block).await["gasUsed"].take());
    }
    let events = events.into_iter().map(|logged| {
        let position = logged.position;
        assert!(logged.time >= DEPLOYED_AT);
        (position.block, position.log_index, logged.event)
    });
    Told {
        events: events.collect(),
        gas_used,
    }
}

async fn takes_part(world: &World<impl Evm>) {
    let chain = &world.governance;
    assert_eq!(chain.chain_id(), 31_337);
    assert_eq!(chain.custodian_count().await.unwrap(), 2);
    let node = world.nodes[0].sender().unwrap();
    let registered = chain.node(node).await.unwrap().unwrap();
    assert_eq!(registered.custodian, world.custodian());
    let owner = world.custodian();
    let dataset = chain.dataset(owner, world.dataset).await.unwrap().unwrap();
    assert_eq!(dataset.responses, [STRICT]);
    let requestor = world.requestor.address();
    let known = chain.requestor(requestor).await.unwrap().unwrap();
    assert_eq!(known.custodian, owner);
    // Refused by OpenZeppelin's contract, and by ours.
    let caller = node;
    let error = world.nodes[0].set_work_limit(1).await.unwrap_err();
    assert_refused(&error, &ContractError::NotGovernance { caller });
    let error = chain.set_work_limit(1).await.unwrap_err();
    assert_refused(&error, &ContractError::BadWorkLimit { bits: 1 });
}

/// A stale item is skipped, the good one is issued.
async fn issued(world: &mut World<impl Evm>) -> PackageId {
    let node = &world.nodes[0];
    let head = node.thread_head(world.requestor.address()).await.unwrap();
    let stale = world.item_on(1, B256::repeat_byte(7));
    let receipt = node.issue(&[stale]).await.unwrap();
    let reason = ContractError::StaleHead {
        expected: B256::repeat_byte(7),
        actual: head,
    };
    assert_eq!(
        receipt.skipped().map(|(_, why)| why).collect::<Vec<_>>(),
        [&reason]
    );
    let package = world.issue(2).await;
    let status = world.nodes[0].package(package).await.unwrap();
    assert_eq!((status.state, status.started), (State::Issued, false));
    assert_eq!(status.usage, Some(world.usage()));
    package
}

/// A stale segment is skipped, the good one behind it anchored; who is no node, or no node of the owner, anchors nothing.
async fn anchored(world: &World<impl Evm>, package: PackageId) {
    let node = &world.nodes[0];
    let origin = node.package(package).await.unwrap().head;
    let good = world.segment(package, origin, &[0x21, 0x22]);
    let batch = std::slice::from_ref(&good);

    let stranger = &world.custodians[1];
    let caller = stranger.sender().unwrap();
    let error = stranger.anchor_reports(batch).await.unwrap_err();
    assert_refused(&error, &ContractError::NotNode { caller });
    let wrong_node = &world.nodes[1];
    let caller = wrong_node.sender().unwrap();
    let receipt = wrong_node.anchor_reports(batch).await.unwrap();
    let not_owner = ContractError::NotOwner { package, caller };
    let skipped: Vec<_> = receipt.skipped().collect();
    assert_eq!(skipped, [(package, &not_owner)]);

    let stale = world.segment(package, B256::repeat_byte(7), &[0x23]);
    let receipt = node.anchor_reports(&[stale, good.clone()]).await.unwrap();
    let reason = ContractError::StaleHead {
        expected: sent_of(B256::repeat_byte(7)),
        actual: origin,
    };
    let skipped: Vec<_> = receipt.skipped().collect();
    assert_eq!(skipped, [(package, &reason)]);
    let entries = good.entries.concat();
    let by = node.sender().unwrap();
    let expected = Event::ReportsAnchored {
        package,
        node: by,
        entries,
    };
    assert_eq!(receipt.events[1], expected);
    let status = node.package(package).await.unwrap();
    assert_eq!((status.state, status.started), (State::Active, true));
    let before = node.package_at(package, receipt.block - 1).await.unwrap();
    assert_eq!((before.state, before.head), (State::Issued, origin));
}

async fn violated_and_regranted(world: &World<impl Evm>, package: PackageId) {
    let (node, custodian) = (&world.nodes[0], &world.custodians[0]);
    let requestor = world.requestor.address();
    let (key, session, delegation) = world.session(package);
    let session = Some((&session, delegation.as_slice()));
    let harmless = world.report(package, 3, &[Action::Read]);
    let signature = node.domain().sign(&harmless, &key).unwrap();
    let error = node
        .report_violation(&harmless, signature.as_slice(), session)
        .await
        .unwrap_err();
    let actions = [Action::Read].into_iter().collect();
    assert_refused(&error, &ContractError::NoViolation { actions });

    let copied = world.report(package, 3, &[Action::Copy]);
    let signature = node.domain().sign(&copied, &key).unwrap();
    let receipt = node
        .report_violation(&copied, signature.as_slice(), session)
        .await
        .unwrap();
    let taken = Event::ResponseTaken {
        package,
        requestor,
        custodian: world.custodian(),
        kind: ResponseKind::RefuseRequests,
        violation: 1,
    };
    assert!(receipt.events.contains(&taken), "{receipt:?}");
    let status = node.package(package).await.unwrap();
    assert_eq!((status.state, status.refused), (State::Revoked, true));
    assert_eq!((status.settled, status.violations), (3, 1));

    custodian.allow_requests(requestor).await.unwrap();
    custodian.regrant(package).await.unwrap();
    let status = node.package(package).await.unwrap();
    assert_eq!((status.state, status.refused), (State::Active, false));
}

async fn revoked_and_retrieved(world: &World<impl Evm>, package: PackageId) {
    let (node, wrong_node) = (&world.nodes[0], &world.nodes[1]);
    let caller = wrong_node.sender().unwrap();
    let error = wrong_node.revoke(package, 2).await.unwrap_err();
    assert_refused(&error, &ContractError::NotOwner { package, caller });
    let error = node.revoke(package, 1).await.unwrap_err();
    assert_refused(&error, &ContractError::ReservedReason { reason: 1 });
    node.revoke(package, 3).await.unwrap();
    let revoked = node.package(package).await.unwrap();
    assert_eq!(revoked.state, State::Revoked);

    let deletion = Deletion {
        package: package.0,
        time: 42,
    };
    let signature = world.sign(&deletion);
    node.retrieve(package, 42, signature.as_slice())
        .await
        .unwrap();
    let retrieved = node.package(package).await.unwrap();
    assert_eq!(retrieved.state, State::Retrieved);
}

#[tokio::test]
async fn another_pools_words_are_understood() {
    let hardhat = hardhat::start().await;
    let chain = deployed(&hardhat).await;
    an_account_without_currency_is_told_so(&hardhat).await;
    a_risen_base_fee_is_paid(&hardhat, &chain).await;
    what_fails_when_it_is_sent_tells_the_contracts_reason(&hardhat, &chain).await;
    what_fails_when_it_is_mined_tells_the_contracts_reason(&hardhat, &chain).await;
}

async fn an_account_without_currency_is_told_so(evm: &impl Evm) {
    let poor = PrivateKeySigner::random();
    let address = poor.address();
    let error = Chain::deploy(evm.rpc_url(), poor, WORK_LIMIT)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ChainError::NoFunds { sender } if sender == address),
        "{error}"
    );
}

async fn a_risen_base_fee_is_paid(evm: &impl Evm, chain: &Chain) {
    ask(
        evm,
        "hardhat_setNextBlockBaseFeePerGas",
        json!(["0x174876e800"]),
    )
    .await;
    chain
        .admit_custodian(Address::repeat_byte(1))
        .await
        .unwrap();
}

/// Hardhat mines a transaction that fails, and answers its sending with the failure.
async fn what_fails_when_it_is_sent_tells_the_contracts_reason(evm: &impl Evm, chain: &Chain) {
    let custodian = Address::repeat_byte(2);
    let before = transactions(evm, chain, "latest").await;
    ask(evm, "evm_setAutomine", json!([false])).await;
    let second = async {
        until_pending(evm, chain, before + 1).await;
        // From now on it mines what is sent, and before that what waits.
        ask(evm, "evm_setAutomine", json!([true])).await;
        chain.admit_custodian(custodian).await
    };
    let (first, second) = tokio::join!(chain.admit_custodian(custodian), second);
    first.unwrap();
    let already = ContractError::AlreadyAdmitted { custodian };
    assert_refused(&second.unwrap_err(), &already);
    assert_eq!(transactions(evm, chain, "latest").await, before + 2);
}

async fn what_fails_when_it_is_mined_tells_the_contracts_reason(evm: &impl Evm, chain: &Chain) {
    let custodian = Address::repeat_byte(3);
    let before = transactions(evm, chain, "latest").await;
    ask(evm, "evm_setAutomine", json!([false])).await;
    let second = async {
        until_pending(evm, chain, before + 1).await;
        chain.admit_custodian(custodian).await
    };
    let mining = async {
        until_pending(evm, chain, before + 2).await;
        ask(evm, "evm_mine", json!([])).await;
    };
    let first = chain.admit_custodian(custodian);
    let (first, second, ()) = tokio::join!(first, second, mining);
    first.unwrap();
    let already = ContractError::AlreadyAdmitted { custodian };
    assert_refused(&second.unwrap_err(), &already);
}

/// Waits until the sender has sent so many transactions, whether they are mined or not.
async fn until_pending(evm: &impl Evm, chain: &Chain, count: u64) {
    let sent = async {
        while transactions(evm, chain, "pending").await < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SEND_TIMEOUT, sent)
        .await
        .expect("the transactions reach the pool");
}

async fn transactions(evm: &impl Evm, chain: &Chain, block: &str) -> u64 {
    let count = ask(
        evm,
        "eth_getTransactionCount",
        json!([chain.sender(), block]),
    )
    .await;
    u64::from_str_radix(&count.as_str().unwrap()[2..], 16).unwrap()
}

fn assert_refused(error: &ChainError, reason: &ContractError) {
    assert_eq!(error.contract_error(), Some(reason), "{error}");
}

pub async fn ask(evm: &impl Evm, method: &'static str, parameters: Value) -> Value {
    let provider = RootProvider::<Ethereum>::new_http(evm.rpc_url().parse().unwrap());
    let question = provider.raw_request(method.into(), parameters);
    question.await.unwrap()
}
