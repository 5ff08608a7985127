//! A deployed contract with two custodians, a node each, a dataset and a registered requestor.

use medshare_chain::anvil::{self, AnvilChild, AnvilOptions};
use medshare_chain::{
    Address, B256, Bytes, Chain, ChainConfig, IssueItem, PrivateKeySigner, ReportSegment, Response,
    ResponseKind,
};
use medshare_protocol::header::{CompactTarget, Entry};
use medshare_protocol::id::{DatasetId, FormDigest, LeafHash, PackageId, PayloadHash};
use medshare_protocol::merkle::Log;
use medshare_protocol::typed::{
    AccessRequest, Registration, Report, Selection, Session, SignatureBytes, Validation,
};
use medshare_protocol::usage::{Action, Actions, Environment, Sensitivity, UsageContract};
use medshare_protocol::{block, wire};

use alloy::sol_types::SolStruct;

pub const WORK_LIMIT: u32 = CompactTarget::DEFAULT_LIMIT.0;
pub const SEALING_KEY: B256 = B256::repeat_byte(0x5e);
const SESSION_KEY: B256 = B256::repeat_byte(0x5c);
pub const CREDENTIAL: B256 = B256::repeat_byte(0xc4);
pub const DESCRIPTOR: B256 = B256::repeat_byte(0xde);
const DAY_MS: u64 = 86_400_000;

/// A development chain, which ends with its value.
pub trait Evm {
    fn rpc_url(&self) -> &str;
    /// Accounts that hold currency.
    fn keys(&self) -> &[PrivateKeySigner];
}

impl Evm for AnvilChild {
    fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    fn keys(&self) -> &[PrivateKeySigner] {
        &self.keys
    }
}

pub async fn start() -> AnvilChild {
    anvil::spawn(&AnvilOptions::default()).await.unwrap()
}

/// Governance with a freshly deployed contract.
pub async fn deployed(evm: &impl Evm) -> Chain {
    let governance = evm.keys()[0].clone();
    let contract = Chain::deploy(evm.rpc_url(), governance.clone(), WORK_LIMIT)
        .await
        .unwrap();
    let config = ChainConfig::new(evm.rpc_url(), contract);
    Chain::connect(&config)
        .await
        .unwrap()
        .with_signer(governance)
}

pub struct World<E = AnvilChild> {
    pub evm: E,
    pub governance: Chain,
    /// Two custodians.
    pub custodians: [Chain; 2],
    /// Their nodes.
    pub nodes: [Chain; 2],
    pub requestor: PrivateKeySigner,
    pub dataset: DatasetId,
    /// The requestor's thread.
    thread: Log,
    /// When the contract was deployed.
    now_ms: u64,
}

impl World {
    pub async fn new() -> Self {
        Self::with_responses(&[]).await
    }

    pub async fn with_responses(responses: &[Response]) -> Self {
        Self::on(start().await, responses).await
    }
}

impl<E: Evm> World<E> {
    /// On a chain without blocks.
    pub async fn on(evm: E, responses: &[Response]) -> Self {
        let governance = deployed(&evm).await;
        let actor = |index: usize| governance.with_signer(evm.keys()[index].clone());
        let (custodians, nodes) = ([actor(1), actor(2)], [actor(3), actor(4)]);
        for (custodian, node) in custodians.iter().zip(&nodes) {
            let (name, key) = (custodian.sender().unwrap(), node.sender().unwrap());
            governance.admit_custodian(name).await.unwrap();
            custodian
                .register_node(key, SEALING_KEY, "http://node.example")
                .await
                .unwrap();
        }
        let dataset = DatasetId::of_name("admissions");
        let purposes = ["DUO:0000042".parse().unwrap()];
        custodians[0]
            .publish_dataset(dataset, DESCRIPTOR, &purposes, responses)
            .await
            .unwrap();
        let world = Self {
            requestor: evm.keys()[5].clone(),
            now_ms: governance.time_of_block(1).await.unwrap().unwrap() * 1_000,
            dataset,
            thread: Log::default(),
            evm,
            governance,
            custodians,
            nodes,
        };
        world.register(world.requestor.address()).await;
        world
    }

    async fn register(&self, wallet: Address) {
        let registration = self.registration(wallet, 0);
        let signature = self.sign(&registration);
        self.nodes[0]
            .register_requestor(&registration, signature.as_slice())
            .await
            .unwrap();
    }

    pub fn registration(&self, wallet: Address, nonce: u64) -> Registration {
        Registration {
            requestor: wallet,
            sealingKey: SEALING_KEY,
            class: wire::Class::University as u8,
            credential: CREDENTIAL,
            nonce: medshare_chain::U256::from(nonce),
            deadline: self.deadline(),
        }
    }

    /// A day from the chain's time, ms.
    pub fn deadline(&self) -> u64 {
        self.now_ms + DAY_MS
    }

    /// The requestor's signature.
    pub fn sign<T: SolStruct>(&self, message: &T) -> SignatureBytes {
        self.governance
            .domain()
            .sign(message, &self.requestor)
            .unwrap()
    }

    pub fn custodian(&self) -> Address {
        self.custodians[0].sender().unwrap()
    }

    pub fn usage(&self) -> UsageContract {
        UsageContract {
            sensitivity: Sensitivity::High,
            granted: [Action::Read, Action::Write].into_iter().collect(),
            exempt: Actions::NONE,
            environment: Environment::Any,
            expiry: self.deadline(),
            contract_key: B256::repeat_byte(0xcc),
        }
    }

    pub fn request(&self, salt: u8) -> AccessRequest {
        AccessRequest {
            requestor: self.requestor.address(),
            custodian: self.custodian(),
            dataset: self.dataset.0,
            purpose: "DUO:0000042"
                .parse::<medshare_protocol::purpose::Purpose>()
                .unwrap()
                .bytes(),
            selection: Selection {
                fields: vec!["age".into()],
                filter: "{}".into(),
            },
            salt: B256::repeat_byte(salt),
            deadline: self.deadline(),
        }
    }

    /// A whole item, signed by requestor and second node, its block mined on `head`.
    pub fn item_on(&self, salt: u8, head: B256) -> IssueItem {
        let request = self.request(salt);
        let usage = self.usage();
        let domain = self.governance.domain();
        let (payload_hash, form_digest) = (B256::repeat_byte(0xaa), B256::repeat_byte(0xff));
        let validation = Validation {
            package: domain.package_id(&request).0,
            payloadHash: payload_hash,
            formDigest: form_digest,
            sensitivity: usage.sensitivity as u8,
            usage: usage.typed().eip712_hash_struct(),
            deadline: self.deadline(),
        };
        let second = &self.evm.keys()[4];
        let mut log = self.thread.clone();
        IssueItem {
            request_signature: Bytes::copy_from_slice(self.sign(&request).as_slice()),
            payload_hash: PayloadHash(payload_hash),
            form_digest: FormDigest(form_digest),
            verifier: second.address(),
            validation_deadline: validation.deadline,
            validation_signature: domain.sign(&validation, second).unwrap().into(),
            expected_head: head,
            entry: self.mine(&mut log, head, LeafHash(B256::repeat_byte(salt))),
            usage,
            request,
        }
    }

    fn mine(&self, log: &mut Log, head: B256, leaf: LeafHash) -> [u8; 80] {
        log.push(leaf);
        let seconds = u32::try_from(self.now_ms / 1_000).unwrap();
        let bits = CompactTarget(WORK_LIMIT);
        let header = block::next_header(block::DATA_VERSION_TABULAR, head, log, seconds, 0, bits);
        Entry::of(&header, leaf).to_bytes()
    }

    /// Issues a package; `salt` makes it another one each time.
    pub async fn issue(&mut self, salt: u8) -> PackageId {
        let head = self.nodes[0]
            .thread_head(self.requestor.address())
            .await
            .unwrap();
        let item = self.item_on(salt, head);
        let receipt = self.nodes[0]
            .issue(std::slice::from_ref(&item))
            .await
            .unwrap();
        assert_eq!(receipt.skipped().next(), None);
        self.thread.push(LeafHash(B256::repeat_byte(salt)));
        self.governance.domain().package_id(&item.request)
    }

    /// Side-blocks of a package, mined on its head.
    pub fn segment(&self, package: PackageId, head: B256, leaves: &[u8]) -> ReportSegment {
        let (mut log, mut previous, mut entries) = (Log::default(), head, Vec::new());
        for leaf in leaves {
            let entry = self.mine(&mut log, previous, LeafHash(B256::repeat_byte(*leaf)));
            previous = Entry::from_bytes(&entry).header(previous).hash().0;
            entries.push(entry);
        }
        ReportSegment {
            package,
            expected_head: head,
            entries,
        }
    }

    pub fn report(&self, package: PackageId, number: u32, actions: &[Action]) -> Report {
        Report {
            package: package.0,
            number,
            previous: B256::ZERO,
            actions: actions.iter().copied().collect::<Actions>().0,
            time: self.now_ms,
            body: B256::repeat_byte(0xbb),
        }
    }

    /// A session key with the wallet's delegation.
    pub fn session(&self, package: PackageId) -> (PrivateKeySigner, Session, SignatureBytes) {
        let key = PrivateKeySigner::from_bytes(&SESSION_KEY).unwrap();
        let session = Session {
            package: package.0,
            key: key.address(),
            expiry: self.deadline(),
        };
        let signature = self.sign(&session);
        (key, session, signature)
    }
}

/// What a segment tells of the head that it was mined on, as a word of the chain.
pub fn sent_of(head: B256) -> B256 {
    B256::right_padding_from(&head[..8])
}

/// Takes the package from the requestor at the first violation.
pub const STRICT: Response = Response {
    kind: ResponseKind::RefuseRequests,
    threshold: 1,
};
