use medshare_chain::anvil::{self, AnvilError, AnvilOptions};
use medshare_chain::{Address, Chain, ChainConfig, ChainError};
use serde_json::json;

use crate::world::start;

#[tokio::test]
async fn it_answers_has_funded_accounts_and_ends_with_its_value() {
    let options = AnvilOptions {
        chain_id: 4_242,
        accounts: 3,
        ..AnvilOptions::default()
    };
    let anvil = anvil::spawn(&options).await.unwrap();
    assert_eq!(
        anvil.request("eth_chainId", json!([])).await.unwrap(),
        json!("0x1092")
    );
    let accounts = anvil.request("eth_accounts", json!([])).await.unwrap();
    let keys: Vec<_> = anvil.keys.iter().map(|key| key.address()).collect();
    assert_eq!(
        serde_json::from_value::<Vec<Address>>(accounts).unwrap(),
        keys
    );
    assert_eq!(keys.len(), 3);
    let config = ChainConfig::new(&anvil.rpc_url, Address::ZERO);
    drop(anvil);
    let error = Chain::connect(&config).await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let anvil = start().await;
    let port = anvil.rpc_url.rsplit(':').next().unwrap().parse().unwrap();
    let error = anvil::spawn(&AnvilOptions {
        port,
        ..AnvilOptions::default()
    })
    .await
    .unwrap_err();
    assert!(matches!(error, AnvilError::Ended { .. }), "{error}");
    assert!(
        error
            .to_string()
            .to_lowercase()
            .contains("address already in use"),
        "{error}"
    );
}
