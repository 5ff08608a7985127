use futures::future::join_all;
use medshare_chain::{
    Address, B256, Chain, ChainConfig, ChainError, ContractError, PrivateKeySigner,
};
use serde_json::json;

use crate::world::{World, deployed, start};

#[tokio::test]
async fn many_sends_of_one_account_at_once_all_arrive() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    // A second connection of the same account, as two parts of one program would have.
    let config = ChainConfig::new(&anvil.rpc_url, chain.contract());
    let other = Chain::connect(&config)
        .await
        .unwrap()
        .with_signer(anvil.keys[0].clone());
    let custodians: Vec<_> = (1..=40).map(Address::repeat_byte).collect();
    let sends = custodians.iter().enumerate().map(|(index, custodian)| {
        let sender = if index % 2 == 0 { &chain } else { &other };
        sender.admit_custodian(*custodian)
    });
    for sent in join_all(sends).await {
        sent.unwrap();
    }
    assert_eq!(chain.custodian_count().await.unwrap(), 40);
}

#[tokio::test]
async fn a_refused_send_leaves_no_gap() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let custodian = Address::repeat_byte(1);
    chain.admit_custodian(custodian).await.unwrap();
    let sends = [
        chain.admit_custodian(custodian),
        chain.admit_custodian(custodian),
    ];
    for refused in join_all(sends).await {
        let error = refused.unwrap_err();
        assert_eq!(
            error.contract_error(),
            Some(&ContractError::AlreadyAdmitted { custodian })
        );
    }
    chain.remove_custodian(custodian).await.unwrap();
}

#[tokio::test]
async fn what_fails_when_it_is_mined_tells_the_contracts_reason() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let custodian = Address::repeat_byte(1);
    // Both pass the estimate, both are mined in one block, the second fails there.
    anvil
        .request("evm_setAutomine", json!([false]))
        .await
        .unwrap();
    let sends = join_all([
        chain.admit_custodian(custodian),
        chain.admit_custodian(custodian),
    ]);
    let mining = async {
        while pending(&anvil).await < 2 {
            tokio::task::yield_now().await;
        }
        anvil.request("evm_mine", json!([])).await.unwrap();
    };
    let (results, ()) = tokio::join!(sends, mining);
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (1, 1));
    let error = bad.into_iter().next().unwrap().unwrap_err();
    assert_eq!(
        error.contract_error(),
        Some(&ContractError::AlreadyAdmitted { custodian })
    );
}

pub async fn pending(anvil: &medshare_chain::anvil::AnvilChild) -> u64 {
    let status = anvil.request("txpool_status", json!([])).await.unwrap();
    let digits = status["pending"]
        .as_str()
        .unwrap()
        .trim_start_matches("0x")
        .to_owned();
    u64::from_str_radix(&digits, 16).unwrap()
}

#[tokio::test]
async fn a_dropped_transaction_is_told_and_the_next_one_takes_its_place() {
    let anvil = start().await;
    let governance = deployed(&anvil).await;
    let mut config = ChainConfig::new(&anvil.rpc_url, governance.contract());
    config.receipt_timeout_ms = 100;
    let hasty = Chain::connect(&config)
        .await
        .unwrap()
        .with_signer(anvil.keys[0].clone());
    anvil
        .request("evm_setAutomine", json!([false]))
        .await
        .unwrap();
    let error = hasty
        .admit_custodian(Address::repeat_byte(1))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ChainError::NotMined { waited_ms: 100, .. }),
        "{error}"
    );
    assert!(error.is_transient());
    anvil
        .request("anvil_dropAllTransactions", json!([]))
        .await
        .unwrap();
    anvil
        .request("evm_setAutomine", json!([true]))
        .await
        .unwrap();
    governance
        .admit_custodian(Address::repeat_byte(2))
        .await
        .unwrap();
    assert!(
        !governance
            .is_custodian(Address::repeat_byte(1))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_risen_base_fee_is_paid() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    anvil
        .request("anvil_setNextBlockBaseFeePerGas", json!(["0x174876e800"]))
        .await
        .unwrap();
    chain
        .admit_custodian(Address::repeat_byte(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_wallet_nothing_is_sent() {
    let anvil = start().await;
    let governance = deployed(&anvil).await;
    let config = ChainConfig::new(&anvil.rpc_url, governance.contract());
    let reader = Chain::connect(&config).await.unwrap();
    assert_eq!(reader.sender(), None);
    let error = reader.set_work_limit(1).await.unwrap_err();
    assert!(
        matches!(error, ChainError::NoSigner("setWorkLimit")),
        "{error}"
    );
}

#[tokio::test]
async fn an_account_without_currency_is_told_so() {
    let world = World::new().await;
    let poor = PrivateKeySigner::random();
    let address = poor.address();
    world.custodians[0]
        .register_node(address, B256::repeat_byte(1), "")
        .await
        .unwrap();
    assert!(world.governance.balance(address).await.unwrap().is_zero());
    let error = world
        .governance
        .with_signer(poor)
        .issue(&[])
        .await
        .unwrap_err();
    assert!(
        matches!(error, ChainError::NoFunds { sender } if sender == address),
        "{error}"
    );
}
