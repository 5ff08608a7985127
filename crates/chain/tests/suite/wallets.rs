use medshare_chain::anvil::AnvilChild;
use medshare_chain::{Address, B256, SignerSync};
use serde_json::json;

use crate::world::{World, deployed, start};

const DIGEST: B256 = B256::repeat_byte(0xd1);

/// Runtime code of a wallet that accepts any signature over `digest` and over nothing else.
fn accepts_only(digest: B256) -> String {
    // calldataload(4) == digest ? magic : 0, shifted left by 224 bits, in one word.
    let digest = medshare_chain::Bytes::from(digest).to_string();
    let digest = digest.trim_start_matches("0x");
    format!("0x6004357f{digest}14631626ba7e0260e01b60005260206000f3")
}

async fn set_code(anvil: &AnvilChild, address: Address, code: &str) {
    anvil
        .request("anvil_setCode", json!([address, code]))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_without_code_signs_with_its_key() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let wallet = &anvil.keys[5];
    let signature = wallet.sign_hash_sync(&DIGEST).unwrap().as_bytes();
    let verify = |signer, digest, signature: Vec<u8>| {
        let chain = chain.clone();
        async move {
            chain
                .verify_wallet_signature(signer, digest, &signature)
                .await
                .unwrap()
        }
    };
    assert!(verify(wallet.address(), DIGEST, signature.to_vec()).await);
    assert!(!verify(anvil.keys[6].address(), DIGEST, signature.to_vec()).await);
    assert!(!verify(wallet.address(), B256::ZERO, signature.to_vec()).await);
    assert!(!verify(wallet.address(), DIGEST, signature[..64].to_vec()).await);
    assert!(!verify(wallet.address(), DIGEST, vec![]).await);
}

#[tokio::test]
async fn a_wallet_with_code_is_asked() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let wallet = Address::repeat_byte(0x77);
    set_code(&anvil, wallet, &accepts_only(DIGEST)).await;
    assert!(chain.is_contract(wallet).await.unwrap());
    assert!(
        chain
            .verify_wallet_signature(wallet, DIGEST, b"anything")
            .await
            .unwrap()
    );
    assert!(
        !chain
            .verify_wallet_signature(wallet, B256::ZERO, b"anything")
            .await
            .unwrap()
    );
    assert!(
        !chain
            .verify_wallet_signature(wallet, DIGEST, &[0; 20_000])
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_wallet_that_fails_has_not_signed() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let wallet = Address::repeat_byte(0x77);
    for (failure, code) in [
        ("reverts", "0x60006000fd"),
        ("answers nothing", "0x00"),
        ("burns all gas", "0x5b600056"),
        ("has no valid code", "0xfe"),
    ] {
        set_code(&anvil, wallet, code).await;
        let answer = chain
            .verify_wallet_signature(wallet, DIGEST, b"anything")
            .await;
        assert!(!answer.unwrap(), "{failure}");
    }
}

#[tokio::test]
async fn an_account_that_delegates_to_code_is_asked_too() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let code = Address::repeat_byte(0x77);
    set_code(&anvil, code, &accepts_only(DIGEST)).await;
    let wallet = &anvil.keys[5];
    // EIP-7702: 0xef0100 and the address of the code.
    set_code(
        &anvil,
        wallet.address(),
        &format!("0xef0100{}", "77".repeat(20)),
    )
    .await;
    assert!(
        chain
            .verify_wallet_signature(wallet.address(), DIGEST, b"any")
            .await
            .unwrap()
    );
    let own = wallet.sign_hash_sync(&B256::ZERO).unwrap().as_bytes();
    assert!(
        !chain
            .verify_wallet_signature(wallet.address(), B256::ZERO, &own)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn the_contract_and_this_check_agree_on_a_contract_wallet() {
    let world = World::new().await;
    let wallet = Address::repeat_byte(0x77);
    let registration = world.registration(wallet, 0);
    let digest = world.governance.domain().digest(&registration);
    let node = &world.nodes[0];

    set_code(&world.evm, wallet, &accepts_only(B256::ZERO)).await;
    assert!(
        !node
            .verify_wallet_signature(wallet, digest, b"1271")
            .await
            .unwrap()
    );
    let error = node
        .register_requestor(&registration, b"1271")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("signature"), "{error}");

    set_code(&world.evm, wallet, &accepts_only(digest)).await;
    assert!(
        node.verify_wallet_signature(wallet, digest, b"1271")
            .await
            .unwrap()
    );
    node.register_requestor(&registration, b"1271")
        .await
        .unwrap();
    assert!(node.requestor(wallet).await.unwrap().is_some());
}
