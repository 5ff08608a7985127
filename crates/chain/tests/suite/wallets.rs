use medshare_chain::anvil::AnvilChild;
use medshare_chain::{Address, B256, ContractError, SignerSync};
use serde_json::json;

use crate::sending::pending;
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

/// EIP-7702: 0xef0100 and the address of the code.
async fn delegate(anvil: &AnvilChild, account: Address, code: Address) {
    let code = code.to_string();
    let designator = format!("0xef0100{}", code.trim_start_matches("0x"));
    set_code(anvil, account, &designator).await;
}

#[tokio::test]
async fn an_account_that_delegates_to_code_is_asked_too_and_keeps_its_key() {
    let world = World::new().await;
    let node = &world.nodes[0];
    let code = Address::repeat_byte(0x77);
    let account = &world.evm.keys[6];
    let registration = world.registration(account.address(), 0);
    let digest = world.governance.domain().digest(&registration);
    let own = account.sign_hash_sync(&digest).unwrap().as_bytes();
    let verify = |signature: Vec<u8>| async move {
        node.verify_wallet_signature(account.address(), digest, &signature)
            .await
            .unwrap()
    };
    // Code that agrees to nothing of this: the key counts all the same, here and on chain.
    set_code(&world.evm, code, &accepts_only(B256::ZERO)).await;
    delegate(&world.evm, registration.requestor, code).await;
    assert!(verify(own.to_vec()).await);
    assert!(!verify(b"1271".to_vec()).await);
    assert!(
        node.register_requestor(&registration, b"1271")
            .await
            .is_err()
    );
    node.register_requestor(&registration, &own).await.unwrap();
    // Code that agrees: its word counts too.
    let rotation = world.registration(registration.requestor, 1);
    let digest = world.governance.domain().digest(&rotation);
    set_code(&world.evm, code, &accepts_only(digest)).await;
    assert!(
        node.verify_wallet_signature(rotation.requestor, digest, b"1271")
            .await
            .unwrap()
    );
    node.register_requestor(&rotation, b"1271").await.unwrap();
}

/// A wallet that agrees at once when gas is estimated, and burns all it is given when the batch is mined.
#[tokio::test]
async fn a_wallet_that_turns_expensive_does_not_spoil_its_batch() {
    let mut world = World::new().await;
    let node = world.nodes[0].clone();
    let code = Address::repeat_byte(0x77);
    set_code(&world.evm, code, "0x631626ba7e60e01b60005260206000f3").await;
    let mut items = Vec::new();
    for salt in [1, 2] {
        world.requestor = world.evm.keys[4 + usize::from(salt)].clone();
        let wallet = world.requestor.address();
        delegate(&world.evm, wallet, code).await;
        // The first one is registered already.
        let nonce = u64::from(salt == 1);
        let registration = world.registration(wallet, nonce);
        node.register_requestor(&registration, b"1271")
            .await
            .unwrap();
        let mut item = world.item_on(salt, node.thread_head(wallet).await.unwrap());
        item.request_signature = b"1271".into();
        items.push(item);
    }
    world
        .evm
        .request("evm_setAutomine", json!([false]))
        .await
        .unwrap();
    let sent = tokio::spawn(async move { node.issue(&items).await });
    while pending(&world.evm).await == 0 {
        tokio::task::yield_now().await;
    }
    set_code(&world.evm, code, "0x5b600056").await;
    world.evm.request("evm_mine", json!([])).await.unwrap();
    let receipt = sent.await.unwrap().unwrap();
    let reasons: Vec<_> = receipt.skipped().map(|(_, reason)| reason).collect();
    assert!(
        matches!(
            reasons[..],
            [
                ContractError::BadSignature { .. },
                ContractError::BadSignature { .. }
            ]
        ),
        "{reasons:?}"
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
