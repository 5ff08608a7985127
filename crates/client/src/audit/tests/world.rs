//! A real chain and contract, and a custodian whose node writes the blocks of a ledger into a folder: soundly, or as
//! a test wants it.

use std::collections::HashMap;

use alloy_sol_types::SolStruct;
use medshare_chain::anvil::{self, AnvilChild, AnvilOptions};
use medshare_chain::{
    Address, B256, Bytes, Chain, ChainConfig, IssueItem, LoggedEvent, PrivateKeySigner,
    ReportSegment, Response, TxReceipt, U256,
};
use medshare_protocol::block::{
    DATA_VERSION_TABULAR, NodeSignature, ParentBlock, ParentBody, ParentTransaction, Place,
    SideBlock, SideBody, SideTransaction, body_of, next_header, record_with,
};
use medshare_protocol::header::{CompactTarget, Entry, Header};
use medshare_protocol::id::{
    BlockId, ContainerHash, DatasetId, FormDigest, LeafHash, PackageId, PayloadHash,
};
use medshare_protocol::merkle::Log;
use medshare_protocol::origin::{side_origin, thread_origin};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::typed::{AccessRequest, Registration, Report, Selection, Validation};
use medshare_protocol::usage::{Action, Actions, Environment, Sensitivity, UsageContract};
use tempfile::TempDir;

use crate::audit::{AuditReport, Auditor, BlockSource, Heads, audit_with};

pub const BITS: CompactTarget = CompactTarget(0x207f_ffff);
pub const SEALING_KEY: B256 = B256::repeat_byte(0x5e);
const DAY_MS: u64 = 86_400_000;

pub struct World {
    pub anvil: AnvilChild,
    pub governance: Chain,
    pub custodians: [Chain; 2],
    pub nodes: [Chain; 2],
    pub wallet: PrivateKeySigner,
    pub dataset: DatasetId,
    pub folder: TempDir,
    pub now_ms: u64,
    pub committed: Committed,
    thread: Growing,
    packages: HashMap<PackageId, Package>,
}

/// What blocks say of files.
pub struct Committed {
    pub container: ContainerHash,
    pub form: FormDigest,
    /// The form as the second node saw it.
    pub validated_form: FormDigest,
    pub sealed_report: B256,
}

/// A chain of the ledger that grows.
struct Growing {
    log: Log,
    head: B256,
}

struct Package {
    parent: BlockId,
    leaf: LeafHash,
    side: Growing,
    /// Leaf of the last side-block.
    last: LeafHash,
}

/// What a dishonest or careless node does to its own blocks before it anchors them.
pub struct Changes<B> {
    pub body: fn(&mut B),
    pub header: fn(Header) -> Header,
    pub signer: Option<PrivateKeySigner>,
}

impl<B> Changes<B> {
    pub fn none() -> Self {
        Self {
            body: |_| (),
            header: |header| header,
            signer: None,
        }
    }

    pub fn body(body: fn(&mut B)) -> Self {
        Self {
            body,
            ..Self::none()
        }
    }

    pub fn header(header: fn(Header) -> Header) -> Self {
        Self {
            header,
            ..Self::none()
        }
    }
}

impl Growing {
    fn from(origin: B256) -> Self {
        Self {
            log: Log::default(),
            head: origin,
        }
    }

    fn grow(
        &mut self,
        version: u32,
        leaf: LeafHash,
        now_ms: u64,
        change: fn(Header) -> Header,
    ) -> Header {
        self.log.push(leaf);
        let seconds = u32::try_from(now_ms / 1000).unwrap();
        let header = change(next_header(version, self.head, &self.log, seconds, 0, BITS)).mine();
        self.head = header.hash().0;
        header
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with_responses(&[]).await
    }

    pub async fn with_responses(responses: &[Response]) -> Self {
        let anvil = anvil::spawn(&AnvilOptions::default()).await.unwrap();
        let admin = anvil.keys[0].clone();
        let contract = Chain::deploy(&anvil.rpc_url, admin.clone(), BITS.0)
            .await
            .unwrap();
        let config = ChainConfig::new(&anvil.rpc_url, contract);
        let governance = Chain::connect(&config).await.unwrap().with_signer(admin);
        let actor = |index: usize| governance.with_signer(anvil.keys[index].clone());
        let (custodians, nodes) = ([actor(1), actor(2)], [actor(3), actor(4)]);
        for (custodian, node) in custodians.iter().zip(&nodes) {
            governance
                .admit_custodian(custodian.sender().unwrap())
                .await
                .unwrap();
            let node = node.sender().unwrap();
            custodian
                .register_node(node, SEALING_KEY, "http://node.example")
                .await
                .unwrap();
        }
        let dataset = DatasetId::of_name("admissions");
        custodians[0]
            .publish_dataset(dataset, SEALING_KEY, &[], responses)
            .await
            .unwrap();
        let wallet = anvil.keys[5].clone();
        let origin = thread_origin(governance.chain_id(), contract, wallet.address());
        let world = Self {
            now_ms: governance.block_time().await.unwrap() * 1000,
            folder: TempDir::new().unwrap(),
            committed: Committed {
                container: ContainerHash(SEALING_KEY),
                form: FormDigest(SEALING_KEY),
                validated_form: FormDigest(SEALING_KEY),
                sealed_report: SEALING_KEY,
            },
            thread: Growing::from(origin.0),
            packages: HashMap::new(),
            governance,
            custodians,
            nodes,
            wallet,
            dataset,
            anvil,
        };
        world.register().await;
        world
    }

    async fn register(&self) {
        let registration = Registration {
            requestor: self.wallet.address(),
            sealingKey: SEALING_KEY,
            class: 1,
            credential: SEALING_KEY,
            nonce: U256::ZERO,
            deadline: self.now_ms + DAY_MS,
        };
        let signature = self.signed(&registration, &self.wallet);
        self.nodes[0]
            .register_requestor(&registration, &signature)
            .await
            .unwrap();
    }

    fn signed<T: SolStruct>(&self, message: &T, signer: &PrivateKeySigner) -> Bytes {
        self.governance
            .domain()
            .sign(message, signer)
            .unwrap()
            .into()
    }

    pub fn custodian(&self) -> Address {
        self.custodians[0].sender().unwrap()
    }

    pub fn node_key(&self) -> PrivateKeySigner {
        self.anvil.keys[3].clone()
    }

    pub fn usage(&self) -> UsageContract {
        UsageContract {
            sensitivity: Sensitivity::High,
            granted: Actions::NONE.with(Action::Read),
            exempt: Actions::NONE,
            environment: Environment::Any,
            expiry: self.now_ms + DAY_MS,
            contract_key: SEALING_KEY,
        }
    }

    pub async fn issue(&mut self, salt: u8) -> PackageId {
        self.issue_with(salt, Changes::none()).await
    }

    /// The id of the package that is issued with this salt.
    pub fn package_id(&self, salt: u8) -> PackageId {
        self.governance.domain().package_id(&self.request(salt))
    }

    fn request(&self, salt: u8) -> AccessRequest {
        AccessRequest {
            requestor: self.wallet.address(),
            custodian: self.custodian(),
            dataset: self.dataset.0,
            purpose: "HRESCH".parse::<Purpose>().unwrap().bytes(),
            selection: Selection {
                fields: vec![],
                filter: String::new(),
            },
            salt: B256::repeat_byte(salt),
            deadline: self.now_ms + DAY_MS,
        }
    }

    /// Issues a package with a parent block that is changed before it is signed or mined.
    pub async fn issue_with(&mut self, salt: u8, changes: Changes<ParentBody>) -> PackageId {
        let origin = thread_origin(
            self.governance.chain_id(),
            self.governance.contract(),
            self.wallet.address(),
        );
        let request = self.request(salt);
        let package = self.governance.domain().package_id(&request);
        let mut body = self.parent_body(package);
        (changes.body)(&mut body);
        let body = body
            .sign(origin, &changes.signer.unwrap_or_else(|| self.node_key()))
            .unwrap();
        let expected_head = self.thread.head;
        let header = self.thread.grow(
            DATA_VERSION_TABULAR,
            body.leaf(),
            self.now_ms,
            changes.header,
        );
        self.keep(body.leaf(), &ParentBlock { header, body }.to_bytes());
        let entry = Entry::of(&header, body.leaf());
        let item = self.item(request, package, expected_head, entry);
        let receipt = self.nodes[0].issue(&[item]).await.unwrap();
        assert_eq!(receipt.skipped().next(), None);
        let (parent, leaf) = (BlockId(header.hash().0), body.leaf());
        let side = Growing::from(side_origin(leaf).0);
        self.packages.insert(
            package,
            Package {
                parent,
                leaf,
                side,
                last: leaf,
            },
        );
        package
    }

    fn item(
        &self,
        request: AccessRequest,
        package: PackageId,
        head: B256,
        entry: Entry,
    ) -> IssueItem {
        let usage = self.usage();
        let validation = Validation {
            package: package.0,
            payloadHash: SEALING_KEY,
            formDigest: self.committed.validated_form.0,
            sensitivity: usage.sensitivity as u8,
            usage: usage.typed().eip712_hash_struct(),
            deadline: self.now_ms + DAY_MS,
        };
        IssueItem {
            request_signature: self.signed(&request, &self.wallet),
            request,
            usage,
            payload_hash: PayloadHash(SEALING_KEY),
            form_digest: self.committed.validated_form,
            verifier: self.nodes[1].sender().unwrap(),
            validation_deadline: validation.deadline,
            validation_signature: self.signed(&validation, &self.anvil.keys[4]),
            expected_head: head,
            entry: entry.to_bytes(),
        }
    }

    fn parent_body(&self, package: PackageId) -> ParentBody {
        ParentBody {
            action_counter: 5,
            transaction: ParentTransaction {
                received: self.now_ms,
                processing_ms: 1,
                sent: self.now_ms,
                owner: self.custodian(),
                requestor: self.wallet.address(),
                sensitivity: Sensitivity::High,
                purpose: "HRESCH".parse().unwrap(),
                dataset: self.dataset,
                package,
                payload_hash: PayloadHash(SEALING_KEY),
                container_hash: self.committed.container,
                form_digest: self.committed.form,
                verifier: self.nodes[1].sender().unwrap(),
                node: self.nodes[0].sender().unwrap(),
                signature: NodeSignature::ZERO,
            },
            locktime: self.now_ms,
        }
    }

    /// The requestor's report.
    pub fn report_of(&self, package: PackageId, number: u32, actions: &[Action]) -> Report {
        Report {
            package: package.0,
            number,
            previous: B256::ZERO,
            actions: actions.iter().copied().collect::<Actions>().0,
            time: self.now_ms,
            body: SEALING_KEY,
        }
    }

    pub async fn report(&mut self, package: PackageId, actions: &[Action]) -> u32 {
        self.report_with(package, actions, Changes::none()).await
    }

    /// Anchors a side-block that is changed before it is signed or mined. The number of its report.
    pub async fn report_with(
        &mut self,
        package: PackageId,
        actions: &[Action],
        changes: Changes<SideBody>,
    ) -> u32 {
        let number = u32::try_from(self.packages[&package].side.log.size()).unwrap() + 1;
        let mut body = self.side_body(package, number, actions);
        (changes.body)(&mut body);
        let signer = changes.signer.unwrap_or_else(|| self.node_key());
        let Package {
            parent,
            leaf,
            side,
            last,
        } = self.packages.get_mut(&package).unwrap();
        let body = body.sign(side_origin(*leaf), &signer).unwrap();
        let expected_head = side.head;
        *last = body.leaf();
        let header = side.grow(number, body.leaf(), self.now_ms, changes.header);
        let record = SideBlock::new(*parent, header, body).to_bytes();
        self.keep(body.leaf(), &record);
        let entry = Entry::of(&header, body.leaf()).to_bytes();
        self.anchor(ReportSegment {
            package,
            expected_head,
            entries: vec![entry],
        })
        .await;
        number
    }

    async fn anchor(&self, segment: ReportSegment) {
        let receipt = self.nodes[0].anchor_reports(&[segment]).await.unwrap();
        assert_eq!(receipt.skipped().next(), None);
    }

    /// Anchors the leaf hash of a block that stands elsewhere in a package's side-chain, and keeps its record there.
    pub async fn copy(&mut self, leaf: LeafHash, package: PackageId) {
        let height = self.packages[&package].side.log.size();
        let header = self.anchor_junk(package, leaf).await;
        let original = std::fs::read(self.file(leaf)).unwrap();
        let parent = self.packages[&package].parent;
        let copied = record_with(&header, Some(parent), body_of(&original).unwrap());
        let name = BlockSource::file_name_at(leaf, Place::Side(package, height));
        std::fs::write(self.folder.path().join(name), copied).unwrap();
    }

    /// Anchors a side-block whose leaf is not that of any block.
    pub async fn anchor_junk(&mut self, package: PackageId, leaf: LeafHash) -> Header {
        let side = &mut self.packages.get_mut(&package).unwrap().side;
        let expected_head = side.head;
        let version = u32::try_from(side.log.size()).unwrap() + 1;
        let header = side.grow(version, leaf, self.now_ms, |header| header);
        let entry = Entry::of(&header, leaf).to_bytes();
        self.anchor(ReportSegment {
            package,
            expected_head,
            entries: vec![entry],
        })
        .await;
        header
    }

    fn side_body(&self, package: PackageId, number: u32, actions: &[Action]) -> SideBody {
        let reported: Actions = actions.iter().copied().collect();
        let violated = self.usage().violations(reported);
        let report = self.report_of(package, number, actions);
        SideBody {
            action_counter: violated.count(),
            transaction: SideTransaction {
                time: self.now_ms,
                owner: self.custodian(),
                requestor: self.wallet.address(),
                reported,
                violated,
                package,
                number,
                report: self.governance.domain().report_digest(&report),
                sealed_report: self.committed.sealed_report,
                node: self.nodes[0].sender().unwrap(),
                signature: NodeSignature::ZERO,
            },
            locktime: self.now_ms,
        }
    }

    /// Brings a violation to the contract.
    pub async fn settle(&self, package: PackageId, number: u32, actions: &[Action]) -> TxReceipt {
        let report = self.report_of(package, number, actions);
        let signature = self.signed(&report, &self.wallet);
        self.nodes[0]
            .report_violation(&report, &signature, None)
            .await
            .unwrap()
    }

    /// The requestor's deletion, and what the owner does with it.
    pub async fn retrieve(&self, package: PackageId) {
        let deletion = medshare_protocol::typed::Deletion {
            package: package.0,
            time: self.now_ms,
        };
        let signature = self.signed(&deletion, &self.wallet);
        self.custodians[0]
            .retrieve(package, deletion.time, &signature)
            .await
            .unwrap();
    }

    /// Lets the chain's clock run.
    pub async fn pass(&self, seconds: u64) {
        self.anvil
            .request("evm_increaseTime", serde_json::json!([seconds]))
            .await
            .unwrap();
        self.anvil
            .request("evm_mine", serde_json::json!([]))
            .await
            .unwrap();
    }

    fn keep(&self, leaf: LeafHash, record: &[u8]) {
        std::fs::write(self.file(leaf), record).unwrap();
    }

    pub fn file(&self, leaf: LeafHash) -> std::path::PathBuf {
        self.folder.path().join(BlockSource::file_name(leaf))
    }

    /// Leaf of a package's parent block.
    pub fn leaf(&self, package: PackageId) -> LeafHash {
        self.packages[&package].leaf
    }

    /// Leaf of a package's last side-block.
    pub fn last_leaf(&self, package: PackageId) -> LeafHash {
        self.packages[&package].last
    }

    pub async fn audit(&self) -> AuditReport {
        let source = BlockSource::Directory(self.folder.path().to_owned());
        audit_with(&self.governance, &source, &|_| ())
            .await
            .unwrap()
    }

    /// Kinds of what an audit finds.
    pub async fn findings(&self) -> Vec<&'static str> {
        let report = self.audit().await;
        report
            .findings
            .iter()
            .map(|finding| finding.fault.kind())
            .collect()
    }

    /// What an auditor is told: events with their records, and heads.
    pub async fn told(&self) -> (Vec<(LoggedEvent, Vec<Option<Vec<u8>>>)>, Heads) {
        let last = self.governance.block_number().await.unwrap();
        let events = self.governance.events(0, last).await.unwrap();
        let mut auditor = Auditor::new(self.governance.domain().clone(), String::new());
        let read = |event: &LoggedEvent| {
            crate::audit::auditor::leaves(&event.event)
                .into_iter()
                .map(|leaf| std::fs::read(self.file(leaf)).ok())
                .collect::<Vec<_>>()
        };
        let told: Vec<_> = events
            .into_iter()
            .map(|event| {
                let records = read(&event);
                (event, records)
            })
            .collect();
        for (event, records) in &told {
            auditor.take(event, records.clone()).unwrap();
        }
        (told, self.heads(&auditor, last).await)
    }

    /// What the contract holds at EVM block `last` of everything that `auditor` was told about.
    async fn heads(&self, auditor: &Auditor, last: u64) -> Heads {
        let chain = &self.governance;
        let evm_time = chain.time_of_block(last).await.unwrap().unwrap();
        let mut heads = Heads {
            evm_time,
            now: evm_time,
            ..Heads::default()
        };
        for requestor in auditor.requestors() {
            let head = chain.thread_head_at(requestor, last).await.unwrap();
            heads.threads.insert(requestor, head);
        }
        for package in auditor.packages() {
            let held = chain.package_at(package, last).await.unwrap();
            heads.packages.insert(package, held);
        }
        heads
    }
}
