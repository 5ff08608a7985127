//! One package, its requestor, and the parts they talk to.

mod clock;
mod ledger;
mod node;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use medshare_chain::PrivateKeySigner;
use medshare_client::agent::Agent;
use medshare_client::api::NodeApi;
use medshare_client::opening::{OpenError, Opening, open};
use medshare_client::requestor::Requestor;
use medshare_protocol::package::{PackageHeader, payload_hash, write_container};
use medshare_protocol::seal::{self, DataKey, SealedFor, SealingSecret, Share};
use medshare_protocol::typed::Domain;
use medshare_protocol::usage::{Action, Actions, Environment, Sensitivity, UsageContract};

pub use clock::FakeClock;
pub use ledger::FakeLedger;
pub use node::{FakeNode, LEASE_SECONDS};

/// What is in every package here.
pub const PAYLOAD: &[u8] = b"age,sex,code\n40-59,F,E11\n60-79,M,I10\n";
pub const CUSTODIAN: Address = Address::repeat_byte(0xc0);
/// The wall clock when a stage is set, ms.
pub const BEGINNING_MS: u64 = 1_700_000_000_000;
const SALT: B256 = B256::repeat_byte(8);
const EXPIRY_MS: u64 = BEGINNING_MS + 30 * 24 * 3_600_000;

pub struct Stage {
    pub folder: tempfile::TempDir,
    pub requestor: Requestor,
    pub node: FakeNode,
    pub ledger: Arc<FakeLedger>,
    pub clock: Arc<FakeClock>,
    pub header: PackageHeader,
    pub opening: Opening,
}

/// What must happen soon, or the test fails instead of hanging.
pub async fn within<T>(happening: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, happening)
        .await
        .expect("it did not happen")
}

pub fn domain() -> Domain {
    Domain::new(31_337, Address::repeat_byte(1))
}

/// High sensitivity, with these actions granted.
pub fn granting(granted: &[Action]) -> UsageContract {
    UsageContract {
        sensitivity: Sensitivity::High,
        granted: granted.iter().copied().collect(),
        exempt: Actions::NONE,
        environment: Environment::Any,
        expiry: EXPIRY_MS,
        contract_key: B256::ZERO,
    }
}

impl Stage {
    pub async fn granting(granted: &[Action]) -> Self {
        Self::set(granting(granted)).await
    }

    /// Issues a package under `usage` (its contract key is set here), starts the node, writes the package file.
    pub async fn set(usage: UsageContract) -> Self {
        Self::claiming(usage, payload_hash(SALT, PAYLOAD).0).await
    }

    /// As [`Stage::set`], with any payload hash in the header and on the ledger.
    pub async fn claiming(usage: UsageContract, payload_hash: B256) -> Self {
        Self::holding(usage, PAYLOAD, payload_hash).await
    }

    /// As [`Stage::claiming`], with any payload.
    pub async fn holding(usage: UsageContract, payload: &[u8], payload_hash: B256) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (wallet, node_key) = (PrivateKeySigner::random(), PrivateKeySigner::random());
        let sealing = SealingSecret::generate().unwrap();
        let contract_secret = SealingSecret::generate().unwrap();
        let usage = UsageContract {
            contract_key: contract_secret.public(),
            ..usage
        };
        let own_share = Share::generate().unwrap();
        let custodian_share = Share::generate().unwrap();
        let header = header(
            &usage,
            wallet.address(),
            node_key.address(),
            &sealing,
            &own_share,
            (payload_hash, payload.len() as u64),
        );
        let signed = header.sign(&node_key).unwrap();
        let key = DataKey::derive(&signed.bytes, &own_share, &custodian_share);
        let mut container = Vec::new();
        write_container(&signed, &key, &mut &*payload, &mut container).unwrap();

        let opening = Opening {
            container: folder.path().join("package.mds"),
            journal: folder.path().join("journal.jsonl"),
            environment: Environment::Any,
            patience: Duration::ZERO,
        };
        std::fs::write(&opening.container, &container).unwrap();
        let ledger = Arc::new(FakeLedger::of(&header, &usage, sealing.public()));
        let clock = Arc::new(FakeClock::default());
        let node = FakeNode::start(node::Parts {
            key: node_key,
            header: header.clone(),
            share: custodian_share,
            requestor_key: sealing.public(),
            contract_secret,
            container,
            clock: clock.clone(),
        })
        .await;
        let requestor = Requestor {
            wallet,
            sealing,
            ledger: ledger.clone(),
            node: NodeApi::new(&node.url()).unwrap(),
            clock: clock.clone(),
        };
        Self {
            folder,
            requestor,
            node,
            ledger,
            clock,
            header,
            opening,
        }
    }

    pub async fn open(&self) -> Result<Agent, OpenError> {
        open(&self.requestor, &self.opening).await
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn header(
    usage: &UsageContract,
    requestor: Address,
    node: Address,
    sealing: &SealingSecret,
    own_share: &Share,
    (payload_hash, payload_length): (B256, u64),
) -> PackageHeader {
    let package = B256::repeat_byte(9);
    let context = seal::share_context(package.into(), requestor);
    let to = sealing.public();
    PackageHeader {
        dataset: B256::repeat_byte(4),
        package,
        node,
        owner: CUSTODIAN,
        requestor,
        payload_hash,
        payload_salt: SALT,
        payload_length,
        media_type: "text/csv".into(),
        verifier: Address::repeat_byte(7),
        processed: BEGINNING_MS,
        chain_id: domain().chain_id(),
        contract: domain().contract(),
        sensitivity: usage.sensitivity as u8,
        granted: usage.granted.0,
        exempt: usage.exempt.0,
        environment: usage.environment as u8,
        expiry: usage.expiry,
        contract_key: usage.contract_key,
        sealed_share: seal::seal(to, SealedFor::RequestorShare, &context, own_share.expose())
            .unwrap(),
    }
}
