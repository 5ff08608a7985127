//! Proofs of what the contract holds (EIP-1186): every state proven offline is the one that the contract tells, and no
//! byte of a proof can be changed.

use medshare_chain::{
    Address, B256, Chain, ContractProof, PackageStatus, StorageProofError, U256, is_medshare_code,
};
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::{Deletion, Domain};
use medshare_protocol::usage::{Action, State};
use serde_json::json;

use crate::second_evm::ask;
use crate::world::{Evm, STRICT, World};

/// Proves the package at the newest block, holds it to what the contract's view says, and tells it.
async fn proven(world: &World, package: PackageId) -> PackageStatus {
    let chain = &world.nodes[0];
    let [node, second] = world.nodes.each_ref().map(|node| node.sender().unwrap());
    let stranger = Address::repeat_byte(0x77);
    let nodes = [node, second, stranger];
    let proof = chain.prove(package, &nodes, None).await.unwrap().unwrap();
    // As whoever gets it would have it.
    let proof: ContractProof =
        serde_json::from_str(&serde_json::to_string(&proof).unwrap()).unwrap();
    let proven = proof.verify().unwrap();
    let block = proven.block;
    assert_eq!(
        chain.block_hash(block.number).await.unwrap(),
        Some(block.hash)
    );
    assert_eq!(chain.block_time().await.unwrap(), block.time);
    let status = proven.package(package).unwrap();
    assert_eq!(
        status,
        chain.package_at(package, block.number).await.unwrap()
    );
    let requestor = world.requestor.address();
    let head = chain.thread_head(requestor).await.unwrap();
    assert_eq!(proven.thread_head(requestor).unwrap(), Some(head));
    assert_eq!(proven.custodian_of(node).unwrap(), Some(world.custodian()));
    assert_eq!(
        proven.custodian_of(second).unwrap(),
        world.custodians[1].sender()
    );
    assert_eq!(proven.custodian_of(stranger).unwrap(), None);
    status
}

#[tokio::test]
async fn every_state_of_a_package_is_proven_as_the_contract_tells_it() {
    let mut world = World::with_responses(&[STRICT]).await;
    let package = world.issue(1).await;
    let status = proven(&world, package).await;
    assert_eq!((status.state, status.started), (State::Issued, false));

    let segment = world.segment(package, status.head, &[0x21]);
    world.nodes[0].anchor_reports(&[segment]).await.unwrap();
    let status = proven(&world, package).await;
    assert_eq!((status.state, status.started), (State::Active, true));

    let (key, session, delegation) = world.session(package);
    let copied = world.report(package, 2, &[Action::Copy]);
    let signature = world.nodes[0].domain().sign(&copied, &key).unwrap();
    let session = Some((&session, delegation.as_slice()));
    let report = world.nodes[0].report_violation(&copied, signature.as_slice(), session);
    report.await.unwrap();
    let status = proven(&world, package).await;
    assert_eq!(
        (status.state, status.settled, status.violations),
        (State::Revoked, 2, 1)
    );
    assert!(status.refused, "the dataset's response action");

    world.custodians[0].regrant(package).await.unwrap();
    assert_eq!(proven(&world, package).await.state, State::Active);

    let deletion = Deletion {
        package: package.0,
        time: 42,
    };
    let signature = world.sign(&deletion);
    world.nodes[0]
        .retrieve(package, 42, signature.as_slice())
        .await
        .unwrap();
    assert_eq!(proven(&world, package).await.state, State::Retrieved);
}

#[tokio::test]
async fn epochs_and_time_revoke_in_the_proof_as_on_chain() {
    use medshare_chain::{Response, ResponseKind::RevokeDataset};
    let (kind, threshold) = (RevokeDataset, 1);
    let mut world = World::with_responses(&[Response { kind, threshold }]).await;
    let (package, other) = (world.issue(1).await, world.issue(2).await);
    let report = world.report(package, 1, &[Action::Delete]);
    let signature = world.sign(&report);
    world.nodes[0]
        .report_violation(&report, signature.as_slice(), None)
        .await
        .unwrap();
    assert_eq!(proven(&world, other).await.state, State::Revoked);
    let expiry = world.usage().expiry / 1_000;
    ask(&world.evm, "evm_setNextBlockTimestamp", json!([expiry])).await;
    ask(&world.evm, "evm_mine", json!([])).await;
    assert_eq!(proven(&world, other).await.state, State::Expired);
}

#[tokio::test]
async fn the_past_is_proven_too_and_what_is_not_there_is_not() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let chain = world.nodes[0].clone();
    let issued_at = chain.block_number().await.unwrap();
    world.custodians[0].revoke(package, 2).await.unwrap();
    let proof = chain
        .prove(package, &[], Some(issued_at))
        .await
        .unwrap()
        .unwrap();
    let before = proof.verify().unwrap();
    assert_eq!(before.block.number, issued_at);
    assert_eq!(before.package(package).unwrap().state, State::Issued);
    let strange = PackageId(B256::repeat_byte(9));
    for (package, block) in [(package, Some(issued_at - 1)), (strange, None)] {
        let proof = chain.prove(package, &[], block).await.unwrap().unwrap();
        let held = proof.verify().unwrap();
        assert_eq!(held.package(package).unwrap().state, State::None);
    }
    let undeployed = chain.prove(package, &[], Some(0)).await.unwrap();
    assert_eq!(undeployed, None);
    let future = chain.prove(package, &[], Some(9_999_999)).await.unwrap();
    assert_eq!(future, None);
    let missing = before.package(strange).unwrap_err();
    assert!(
        matches!(missing, StorageProofError::Missing { .. }),
        "{missing}"
    );
    let nobody = before.custodian_of(Address::ZERO).unwrap_err();
    assert!(
        matches!(nobody, StorageProofError::Missing { .. }),
        "{nobody}"
    );
}

#[tokio::test]
async fn the_contract_s_code_is_known_on_every_chain_and_no_other_is() {
    let world = World::new().await;
    let chain = &world.governance;
    let code = chain.code_at(chain.contract()).await.unwrap();
    let domain = chain.domain();
    assert!(is_medshare_code(&code, domain));
    let other = World::new().await;
    let key = other.evm.keys()[7].clone();
    let deployed = Chain::deploy(other.evm.rpc_url(), key, 0x2000_ffff);
    let deployed = deployed.await.unwrap();
    let elsewhere = other.governance.code_at(deployed).await.unwrap();
    let another = Domain::new(domain.chain_id(), deployed);
    assert!(is_medshare_code(&elsewhere, &another));
    // It has its own address, chain and domain in it.
    assert!(!is_medshare_code(&elsewhere, domain));
    let other_chain = Domain::new(domain.chain_id() + 1, deployed);
    assert!(!is_medshare_code(&elsewhere, &other_chain));
    let mut changed = code.to_vec();
    changed[100] ^= 1;
    assert!(!is_medshare_code(&changed, domain));
    assert!(!is_medshare_code(&code[1..], domain) && !is_medshare_code(&[], domain));
}

#[tokio::test]
async fn a_wallet_s_code_is_proven_and_so_is_the_lack_of_it() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let chain = &world.governance;
    let contract = chain.prove(package, &[], None).await.unwrap().unwrap();
    let proven = contract.verify().unwrap();
    let unused = Address::repeat_byte(0x55);
    for (address, has_code) in [
        (world.requestor.address(), false),
        (world.nodes[0].sender().unwrap(), false),
        (unused, false),
        (chain.contract(), true),
    ] {
        let account = chain
            .prove_account(address, proven.block.number)
            .await
            .unwrap();
        assert_eq!(
            proven.has_code(address, &account).unwrap(),
            has_code,
            "{address}"
        );
        let mut lie = account.clone();
        lie.code_hash = B256::repeat_byte(1);
        assert!(proven.has_code(address, &lie).is_err(), "{address}");
        let elsewhere = Address::repeat_byte(0x66);
        let moved = proven.has_code(elsewhere, &account);
        assert!(moved.is_err() || address == unused, "{address}");
    }
}

/// Every byte of every part, flipped by itself.
#[tokio::test]
async fn no_byte_of_a_proof_can_be_changed() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let node = world.nodes[0].sender().unwrap();
    let proof = world.nodes[0]
        .prove(package, &[node], None)
        .await
        .unwrap()
        .unwrap();
    let real = proof.verify().unwrap().block.hash;
    let holds =
        |proof: &ContractProof| proof.verify().is_ok_and(|proven| proven.block.hash == real);
    assert!(holds(&proof));
    let mut flips = 0;
    let mut refused = |change: &dyn Fn(&mut ContractProof)| {
        let mut changed = proof.clone();
        change(&mut changed);
        assert!(!holds(&changed), "{changed:?}");
        flips += 1;
    };
    let flipped = |bytes: &medshare_chain::Bytes, at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x01;
        medshare_chain::Bytes::from(bytes)
    };
    for at in 0..proof.header.len() {
        refused(&|changed| changed.header = flipped(&proof.header, at));
    }
    refused(&|changed| changed.header = [proof.header.as_ref(), &[0]].concat().into());
    for (index, trie_node) in proof.account.proof.iter().enumerate() {
        for at in 0..trie_node.len() {
            refused(&|changed| changed.account.proof[index] = flipped(trie_node, at));
        }
    }
    refused(&|changed| changed.account.nonce += 1);
    refused(&|changed| changed.account.balance += U256::ONE);
    refused(&|changed| changed.account.code_hash.0[0] ^= 1);
    refused(&|changed| changed.account.storage_root.0[0] ^= 1);
    refused(&|changed| changed.contract = Address::ZERO);
    refused(&|changed| changed.account.proof.clear());
    for (slot, part) in proof.storage.iter().enumerate() {
        refused(&|changed| changed.storage[slot].value += U256::ONE);
        refused(&|changed| changed.storage[slot].slot.0[31] ^= 1);
        refused(&|changed| changed.storage[slot].proof.clear());
        for (index, trie_node) in part.proof.iter().enumerate() {
            for at in 0..trie_node.len() {
                refused(&|changed| changed.storage[slot].proof[index] = flipped(trie_node, at));
            }
        }
    }
    assert!(flips > 4_000, "{flips}");
    // Each slot of the package has to be there; that of a node nobody asks for here.
    let lacking = (0..proof.storage.len()).filter(|&slot| {
        let mut changed = proof.clone();
        changed.storage.remove(slot);
        changed.verify().unwrap().package(package).is_err()
    });
    assert_eq!(lacking.count(), proof.storage.len() - 1);
    let mut long = proof.clone();
    long.storage = vec![proof.storage[0].clone(); 300];
    assert!(matches!(
        long.verify(),
        Err(StorageProofError::TooLong { .. })
    ));
}
