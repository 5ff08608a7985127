//! A chain that says what it is told to say.

use std::sync::Mutex;

use alloy_primitives::{Address, B256, U256};
use medshare_chain::{
    ChainError, IssuedRequest, NodeRecord, PackageIssued, PackageStatus, RequestorRecord,
};
use medshare_client::ledger::{Asked, Ledger};
use medshare_protocol::id::{FormDigest, PackageId};
use medshare_protocol::package::PackageHeader;
use medshare_protocol::typed::Domain;
use medshare_protocol::usage::{State, UsageContract};

#[derive(Clone)]
pub struct Told {
    pub issued: Option<PackageIssued>,
    pub state: State,
    pub node: Option<NodeRecord>,
    pub requestor: Option<RequestorRecord>,
    pub reachable: bool,
}

pub struct FakeLedger(Mutex<Told>);

impl FakeLedger {
    pub fn of(header: &PackageHeader, usage: &UsageContract, sealing_key: B256) -> Self {
        let request = IssuedRequest {
            requestor: header.requestor,
            custodian: header.owner,
            dataset: header.dataset_id(),
            purpose: B256::ZERO,
            selection: B256::ZERO,
            salt: B256::ZERO,
            deadline: 0,
        };
        let issued = PackageIssued {
            package: header.package_id(),
            request,
            usage: *usage,
            payload_hash: header.payload_hash(),
            form_digest: FormDigest(B256::ZERO),
            node: header.node,
            verifier: header.verifier,
            entry: [0; 80],
        };
        let node = NodeRecord {
            custodian: header.owner,
            sealing_key: B256::repeat_byte(1),
            endpoint: "http://node".into(),
        };
        let requestor = RequestorRecord {
            custodian: header.owner,
            sealing_key,
            class: medshare_protocol::wire::Class::University,
            credential: B256::repeat_byte(2),
            suspended: false,
            nonce: U256::from(3),
        };
        Self(Mutex::new(Told {
            issued: Some(issued),
            state: State::Issued,
            node: Some(node),
            requestor: Some(requestor),
            reachable: true,
        }))
    }

    pub fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.0.lock().unwrap());
    }

    fn answer<T: Send + 'static>(&self, answer: impl FnOnce(Told) -> T) -> Asked<'_, T> {
        let told = self.0.lock().unwrap().clone();
        let answer = match told.reachable {
            true => Ok(answer(told)),
            false => Err(ChainError::Unreachable {
                endpoint: "http://chain".into(),
                reason: "cut".into(),
            }),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl Ledger for FakeLedger {
    fn domain(&self) -> Domain {
        super::domain()
    }

    fn package(&self, package: PackageId) -> Asked<'_, PackageStatus> {
        self.answer(move |told| {
            let issued = told.issued.filter(|issued| issued.package == package);
            PackageStatus {
                state: if issued.is_some() {
                    told.state
                } else {
                    State::None
                },
                started: false,
                refused: false,
                requestor: issued
                    .as_ref()
                    .map_or(Address::ZERO, |it| it.request.requestor),
                custodian: issued
                    .as_ref()
                    .map_or(Address::ZERO, |it| it.request.custodian),
                dataset: issued
                    .as_ref()
                    .map(|it| it.request.dataset)
                    .unwrap_or_default(),
                usage: issued.map(|it| it.usage),
                settled: 0,
                violations: 0,
                head: B256::ZERO,
            }
        })
    }

    fn issued(&self, package: PackageId) -> Asked<'_, Option<PackageIssued>> {
        self.answer(move |told| told.issued.filter(|issued| issued.package == package))
    }

    fn node(&self, _: Address) -> Asked<'_, Option<NodeRecord>> {
        self.answer(|told| told.node)
    }

    fn requestor(&self, _: Address) -> Asked<'_, Option<RequestorRecord>> {
        self.answer(|told| told.requestor)
    }

    fn registration_nonce(&self, _: Address) -> Asked<'_, U256> {
        self.answer(|told| {
            told.requestor
                .map(|record| record.nonce)
                .unwrap_or_default()
        })
    }
}
