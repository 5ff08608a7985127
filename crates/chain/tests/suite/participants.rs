use medshare_chain::{
    Address, B256, ContractError, Event, NodeRecord, Response, ResponseKind, U256,
};
use medshare_protocol::id::DatasetId;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::wire::Class;

use crate::world::{CREDENTIAL, DESCRIPTOR, SEALING_KEY, WORK_LIMIT, World, deployed, start};

#[tokio::test]
async fn governance_admits_and_removes_custodians() {
    let anvil = start().await;
    let governance = deployed(&anvil).await;
    let hospital = Address::repeat_byte(1);
    assert!(!governance.is_custodian(hospital).await.unwrap());
    let receipt = governance.admit_custodian(hospital).await.unwrap();
    assert_eq!(
        receipt.events,
        [Event::CustodianAdmitted {
            custodian: hospital
        }]
    );
    assert!(receipt.gas_used > 21_000);
    assert_eq!(
        governance.block_hash(receipt.block).await.unwrap(),
        Some(receipt.block_hash)
    );
    assert!(governance.is_custodian(hospital).await.unwrap());
    assert_eq!(governance.custodian_count().await.unwrap(), 1);
    let again = governance.admit_custodian(hospital).await.unwrap_err();
    assert_eq!(
        again.contract_error(),
        Some(&ContractError::AlreadyAdmitted {
            custodian: hospital
        })
    );
    governance.remove_custodian(hospital).await.unwrap();
    assert_eq!(governance.custodian_count().await.unwrap(), 0);
}

#[tokio::test]
async fn governance_sets_the_work_limit() {
    let anvil = start().await;
    let governance = deployed(&anvil).await;
    assert_eq!(governance.work_limit().await.unwrap(), WORK_LIMIT);
    let receipt = governance.set_work_limit(0x1d00_ffff).await.unwrap();
    assert_eq!(receipt.events, [Event::WorkLimitSet { bits: 0x1d00_ffff }]);
    assert_eq!(governance.work_limit().await.unwrap(), 0x1d00_ffff);
    let bad = governance.set_work_limit(0).await.unwrap_err();
    assert_eq!(
        bad.contract_error(),
        Some(&ContractError::BadWorkLimit { bits: 0 })
    );
}

#[tokio::test]
async fn strangers_are_told_what_they_are_not() {
    let world = World::new().await;
    let stranger = world.governance.with_signer(world.evm.keys[9].clone());
    let caller = stranger.sender().unwrap();
    let error = stranger.admit_custodian(caller).await.unwrap_err();
    assert_eq!(
        error.contract_error(),
        Some(&ContractError::NotGovernance { caller })
    );
    assert_eq!(
        error.to_string(),
        format!(
            "the contract refused `admitCustodian`: {caller} is not governance: it lacks the contract's admin role"
        )
    );
    let error = stranger
        .register_node(caller, SEALING_KEY, "")
        .await
        .unwrap_err();
    assert_eq!(
        error.contract_error(),
        Some(&ContractError::NotCustodian { caller })
    );
    let error = stranger.issue(&[]).await.unwrap_err();
    assert_eq!(
        error.contract_error(),
        Some(&ContractError::NotNode { caller })
    );
}

#[tokio::test]
async fn nodes_come_and_go() {
    let world = World::new().await;
    let custodian = &world.custodians[0];
    let node = world.nodes[0].sender().unwrap();
    let record = NodeRecord {
        custodian: world.custodian(),
        sealing_key: SEALING_KEY,
        endpoint: "http://node.example".into(),
    };
    assert_eq!(custodian.node(node).await.unwrap(), Some(record));
    assert_eq!(custodian.node(Address::repeat_byte(9)).await.unwrap(), None);
    let receipt = custodian
        .register_node(node, B256::repeat_byte(1), "http://ä")
        .await
        .unwrap();
    assert_eq!(
        receipt.events,
        [Event::NodeRegistered {
            custodian: world.custodian(),
            node,
            sealing_key: B256::repeat_byte(1),
            endpoint: "http://ä".into(),
        }]
    );
    let receipt = custodian.remove_node(node).await.unwrap();
    assert_eq!(
        receipt.events,
        [Event::NodeRemoved {
            custodian: world.custodian(),
            node
        }]
    );
    assert_eq!(custodian.node(node).await.unwrap(), None);
}

#[tokio::test]
async fn requestors_register_without_gas_and_rotate_their_keys() {
    let world = World::new().await;
    let wallet = world.requestor.address();
    let chain = &world.nodes[0];
    let record = chain.requestor(wallet).await.unwrap().unwrap();
    assert_eq!(record.custodian, world.custodian());
    assert_eq!(record.class, Class::University);
    assert_eq!(
        (record.sealing_key, record.credential),
        (SEALING_KEY, CREDENTIAL)
    );
    assert_eq!(record.nonce, U256::from(1));
    assert_eq!(
        chain.requestor(Address::repeat_byte(9)).await.unwrap(),
        None
    );
    assert_eq!(
        chain
            .registration_nonce(Address::repeat_byte(9))
            .await
            .unwrap(),
        U256::ZERO
    );

    let replay = world.registration(wallet, 0);
    let signature = world.sign(&replay);
    let error = chain
        .register_requestor(&replay, signature.as_slice())
        .await
        .unwrap_err();
    let due = ContractError::BadNonce {
        expected: U256::from(1),
        given: U256::ZERO,
    };
    assert_eq!(error.contract_error(), Some(&due));

    let mut rotation = world.registration(wallet, 1);
    rotation.sealingKey = B256::repeat_byte(0x11);
    let signature = world.sign(&rotation);
    let receipt = chain
        .register_requestor(&rotation, signature.as_slice())
        .await
        .unwrap();
    let [
        Event::RequestorRegistered {
            class,
            sealing_key,
            nonce,
            ..
        },
    ] = &receipt.events[..]
    else {
        panic!("{:?}", receipt.events)
    };
    assert_eq!(
        (*class, *sealing_key),
        (Class::University, rotation.sealingKey)
    );
    assert_eq!(*nonce, U256::from(1));

    rotation.class = 6;
    let error = chain
        .register_requestor(&rotation, signature.as_slice())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no such class"), "{error}");
}

#[tokio::test]
async fn suspension_holds_until_it_is_taken_back() {
    let world = World::new().await;
    let wallet = world.requestor.address();
    let by = world.custodian();
    let receipt = world.custodians[0].suspend(wallet).await.unwrap();
    assert_eq!(
        receipt.events,
        [Event::CredentialSuspended {
            credential: CREDENTIAL,
            by
        }]
    );
    assert!(
        world.nodes[0]
            .requestor(wallet)
            .await
            .unwrap()
            .unwrap()
            .suspended
    );
    let receipt = world.custodians[0].reinstate(wallet).await.unwrap();
    assert_eq!(
        receipt.events,
        [Event::CredentialReinstated {
            credential: CREDENTIAL,
            by
        }]
    );
    assert!(
        !world.nodes[0]
            .requestor(wallet)
            .await
            .unwrap()
            .unwrap()
            .suspended
    );
}

#[tokio::test]
async fn datasets_are_published_and_withdrawn() {
    let world = World::new().await;
    let (chain, owner) = (&world.custodians[0], world.custodian());
    let record = chain.dataset(owner, world.dataset).await.unwrap().unwrap();
    assert_eq!(record.descriptor, DESCRIPTOR);
    assert!(record.allows("DUO:0000042".parse().unwrap()));
    assert!(!record.allows("HRESCH".parse().unwrap()));
    let other = DatasetId::of_name("laboratory");
    assert_eq!(chain.dataset(owner, other).await.unwrap(), None);
    let responses = [
        Response {
            kind: ResponseKind::RevokeDataset,
            threshold: 1,
        },
        Response {
            kind: ResponseKind::RevokeOwner,
            threshold: 2,
        },
        Response {
            kind: ResponseKind::RefuseRequests,
            threshold: 3,
        },
    ];
    let receipt = chain
        .publish_dataset(other, DESCRIPTOR, &[], &responses)
        .await
        .unwrap();
    assert_eq!(
        receipt.events,
        [Event::DatasetPublished {
            custodian: owner,
            dataset: other,
            descriptor: DESCRIPTOR,
            purposes: vec![],
            responses: responses.to_vec(),
        }]
    );
    assert_eq!(
        chain
            .dataset(owner, other)
            .await
            .unwrap()
            .unwrap()
            .responses,
        responses
    );
    let purpose: Purpose = "HRESCH".parse().unwrap();
    let error = chain
        .publish_dataset(other, DESCRIPTOR, &[purpose, purpose], &[])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("names HRESCH twice"), "{error}");
    let receipt = chain.withdraw_dataset(other).await.unwrap();
    assert_eq!(
        receipt.events,
        [Event::DatasetWithdrawn {
            custodian: owner,
            dataset: other
        }]
    );
    assert_eq!(chain.dataset(owner, other).await.unwrap(), None);
}
