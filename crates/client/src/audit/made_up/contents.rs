//! What the blocks of a made-up ledger say, and who says it.

use alloy_signer_local::{PrivateKeySigner, Secp256k1Signer};
use medshare_chain::{Address, B256, Event, IssuedRequest, PackageIssued};
use medshare_protocol::block::{
    NodeSignature, ParentBody, ParentTransaction, SideBody, SideTransaction,
};
use medshare_protocol::digest::sha256;
use medshare_protocol::header::{CompactTarget, ENTRY_BYTES};
use medshare_protocol::id::{
    ContainerHash, DatasetId, FormDigest, Origin, PackageId, PayloadHash, ReportDigest,
};
use medshare_protocol::origin::{side_origin, thread_origin};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::typed::Domain;
use medshare_protocol::usage::{Action, Actions, Environment, Sensitivity, UsageContract};

/// Difficulty 0: a target that all but one hash in 65,536 meet.
pub(super) const ANY_HASH: CompactTarget = CompactTarget(0x2100_ffff);
/// Time of EVM block 0, s since the Unix epoch.
const BEGINNING: u32 = 1_700_000_000;
/// Stands where a hash or a key is due that an audit does not look behind.
const SOMETHING: B256 = B256::repeat_byte(0x5e);
const CUSTODIANS: [Address; 2] = [Address::repeat_byte(0xc1), Address::repeat_byte(0xc2)];
const SECOND_NODE: Address = Address::repeat_byte(0xd2);

/// A requestor.
pub(super) fn requestor(index: u32) -> Address {
    Address::left_padding_from(&(index + 1).to_be_bytes())
}

/// Time of an EVM block, s since the Unix epoch.
pub(super) fn seconds(block: u64) -> u32 {
    BEGINNING.saturating_add(u32::try_from(block).unwrap_or(u32::MAX))
}

/// The deployment, and the key of the first custodian's node.
pub(super) struct Contents {
    domain: Domain,
    node: Secp256k1Signer,
    purpose: Purpose,
}

impl Contents {
    pub(super) fn new() -> Self {
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x11));
        let purpose = "HRESCH".parse();
        Self {
            domain: Domain::new(31_337, Address::repeat_byte(0x5f)),
            // libsecp256k1 signs three times as fast as k256, and a million signatures are wanted.
            node: key.expect("it is a key").into_secp256k1(),
            purpose: purpose.expect("it is a purpose code"),
        }
    }

    pub(super) const fn domain(&self) -> &Domain {
        &self.domain
    }

    pub(super) const fn custodian(&self) -> Address {
        CUSTODIANS[0]
    }

    pub(super) fn dataset(&self) -> DatasetId {
        DatasetId(SOMETHING)
    }

    pub(super) fn thread_origin(&self, requestor: Address) -> Origin {
        thread_origin(self.domain.chain_id(), self.domain.contract(), requestor)
    }

    pub(super) fn usage(&self) -> UsageContract {
        UsageContract {
            sensitivity: Sensitivity::High,
            granted: Actions::NONE.with(Action::Read),
            exempt: Actions::NONE,
            environment: Environment::Any,
            expiry: u64::MAX,
            contract_key: SOMETHING,
        }
    }

    /// What comes before all packages.
    pub(super) fn founding(&self) -> Vec<Event> {
        let mut events = vec![Event::WorkLimitSet { bits: ANY_HASH.0 }];
        for (custodian, node) in CUSTODIANS
            .into_iter()
            .zip([self.node.address(), SECOND_NODE])
        {
            events.push(Event::CustodianAdmitted { custodian });
            events.push(Event::NodeRegistered {
                custodian,
                node,
                sealing_key: SOMETHING,
                endpoint: "http://node.example".to_owned(),
            });
        }
        events
    }

    /// The request behind a package.
    fn request(&self, package: u32, requestor: Address) -> IssuedRequest {
        IssuedRequest {
            requestor,
            custodian: self.custodian(),
            dataset: self.dataset(),
            purpose: self.purpose.bytes(),
            selection: SOMETHING,
            salt: B256::left_padding_from(&package.to_be_bytes()),
            deadline: u64::MAX,
        }
    }

    fn package(&self, package: u32, requestor: Address) -> PackageId {
        self.request(package, requestor).package_id(&self.domain)
    }

    /// The event that issues a package with this parent block's entry.
    pub(super) fn issued(&self, package: u32, requestor: Address, entry: &[u8]) -> Event {
        let request = self.request(package, requestor);
        let mut anchored = [0; ENTRY_BYTES];
        anchored.copy_from_slice(entry);
        Event::PackageIssued(Box::new(PackageIssued {
            package: request.package_id(&self.domain),
            request,
            usage: self.usage(),
            payload_hash: PayloadHash(SOMETHING),
            form_digest: FormDigest(SOMETHING),
            node: self.node.address(),
            verifier: SECOND_NODE,
            entry: anchored,
        }))
    }

    /// The event that anchors side-blocks of a package.
    pub(super) fn anchored(&self, package: u32, requestor: Address, entries: Vec<u8>) -> Event {
        Event::ReportsAnchored {
            package: self.package(package, requestor),
            node: self.node.address(),
            entries,
        }
    }

    /// The signed bodies of a package's blocks.
    pub(super) fn signed(
        &self,
        package: u32,
        requestor: Address,
        side_blocks: u32,
    ) -> (ParentBody, Vec<SideBody>) {
        let id = self.package(package, requestor);
        let parent = self
            .parent(id, requestor)
            .sign(self.thread_origin(requestor), &self.node)
            .expect("a sound body can be signed");
        let origin = side_origin(parent.leaf());
        let sides = (1..=side_blocks).map(|number| {
            self.side(id, requestor, number)
                .sign(origin, &self.node)
                .expect("a sound body can be signed")
        });
        (parent, sides.collect())
    }

    fn parent(&self, package: PackageId, requestor: Address) -> ParentBody {
        let time = u64::from(BEGINNING) * 1_000;
        ParentBody {
            action_counter: self.usage().violation_count(),
            transaction: ParentTransaction {
                received: time,
                processing_ms: 40,
                sent: time,
                owner: self.custodian(),
                requestor,
                sensitivity: Sensitivity::High,
                purpose: self.purpose,
                dataset: self.dataset(),
                package,
                payload_hash: PayloadHash(SOMETHING),
                container_hash: ContainerHash(SOMETHING),
                form_digest: FormDigest(SOMETHING),
                verifier: SECOND_NODE,
                node: self.node.address(),
                signature: NodeSignature::ZERO,
            },
            locktime: time,
        }
    }

    fn side(&self, package: PackageId, requestor: Address, number: u32) -> SideBody {
        let time = u64::from(BEGINNING) * 1_000 + u64::from(number);
        let action = if number == 1 {
            Action::Decrypt
        } else {
            Action::Read
        };
        SideBody {
            action_counter: 0,
            transaction: SideTransaction {
                time,
                owner: self.custodian(),
                requestor,
                reported: Actions::NONE.with(action),
                violated: Actions::NONE,
                package,
                number,
                report: ReportDigest(sha256(&[package.as_slice(), &number.to_le_bytes()])),
                sealed_report: SOMETHING,
                node: self.node.address(),
                signature: NodeSignature::ZERO,
            },
            locktime: u64::from(BEGINNING) * 1_000,
        }
    }
}
