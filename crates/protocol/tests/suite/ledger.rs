//! A small ledger to test with: made by the crate, as a node makes it.

use alloy_primitives::{Address, B256, address};
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::block::{
    DATA_VERSION_TABULAR, NodeSignature, ParentBlock, ParentBody, ParentTransaction, SideBlock,
    SideBody, SideTransaction, next_header,
};
use medshare_protocol::header::{CompactTarget, Entry, Header};
use medshare_protocol::id::{
    BlockId, ContainerHash, DatasetId, FormDigest, LeafHash, Origin, PackageId, PayloadHash,
    ReportDigest,
};
use medshare_protocol::merkle::Log;
use medshare_protocol::origin::{side_origin, thread_origin};
use medshare_protocol::usage::{Action, Actions, Sensitivity};

pub const BITS: CompactTarget = CompactTarget(0x207f_ffff);
pub const REQUESTOR: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
pub const PACKAGE: PackageId = PackageId(B256::repeat_byte(0x7a));

pub fn node() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(0x11)).unwrap()
}

pub fn origin() -> Origin {
    thread_origin(31337, Address::repeat_byte(0x5f), REQUESTOR)
}

pub fn parent_body(index: u8) -> ParentBody {
    let time = 1_700_000_000_000 + u64::from(index) * 1000;
    ParentBody {
        action_counter: 5,
        transaction: ParentTransaction {
            received: time,
            processing_ms: 40,
            sent: time + 50,
            owner: Address::repeat_byte(0x70),
            requestor: REQUESTOR,
            sensitivity: Sensitivity::High,
            purpose: "HRESCH".parse().unwrap(),
            dataset: DatasetId(B256::repeat_byte(0xd1)),
            package: PackageId(B256::repeat_byte(index)),
            payload_hash: PayloadHash(B256::repeat_byte(0xa2)),
            container_hash: ContainerHash(B256::repeat_byte(0xc3)),
            form_digest: FormDigest(B256::repeat_byte(0xf4)),
            verifier: Address::repeat_byte(0x90),
            node: node().address(),
            signature: NodeSignature::ZERO,
        },
        locktime: time + 60,
    }
}

pub fn side_body(number: u32) -> SideBody {
    let time = 1_700_000_100_000 + u64::from(number);
    SideBody {
        action_counter: 0,
        transaction: SideTransaction {
            time,
            owner: Address::repeat_byte(0x70),
            requestor: REQUESTOR,
            reported: Actions::NONE.with(if number == 1 {
                Action::Decrypt
            } else {
                Action::Read
            }),
            violated: Actions::NONE,
            package: PACKAGE,
            number,
            report: ReportDigest(B256::repeat_byte(0xe0)),
            sealed_report: B256::repeat_byte(0xb0),
            node: node().address(),
            signature: NodeSignature::ZERO,
        },
        locktime: time + 5,
    }
}

/// A chain being made.
pub struct Chain {
    log: Log,
    pub head: B256,
    time: u32,
}

impl Chain {
    pub fn from(origin: Origin) -> Self {
        Self {
            log: Log::default(),
            head: origin.0,
            time: 0,
        }
    }

    pub fn header(&mut self, version: u32, leaf: LeafHash) -> Header {
        self.log.push(leaf);
        let now = 1_700_000_000 + u32::try_from(self.log.size()).unwrap();
        let header = next_header(version, self.head, &self.log, now, self.time, BITS);
        self.head = header.hash().0;
        self.time = header.time;
        header
    }
}

/// Entries, records and head of a thread of `length` blocks.
pub fn thread(length: u8) -> (Vec<(Entry, Vec<u8>)>, B256) {
    let mut chain = Chain::from(origin());
    let blocks = (0..length)
        .map(|index| {
            let body = parent_body(index).sign(origin(), &node()).unwrap();
            let header = chain.header(DATA_VERSION_TABULAR, body.leaf());
            (
                Entry::of(&header, body.leaf()),
                ParentBlock { header, body }.to_bytes(),
            )
        })
        .collect();
    (blocks, chain.head)
}

pub const PARENT_LEAF: LeafHash = LeafHash(B256::repeat_byte(0x96));
pub const PARENT_ID: BlockId = BlockId(B256::repeat_byte(0x30));

/// Entries, records and head of a side-chain of `length` blocks.
pub fn side(length: u32) -> (Vec<(Entry, Vec<u8>)>, B256) {
    let origin = side_origin(PARENT_LEAF);
    let mut chain = Chain::from(origin);
    let blocks = (1..=length)
        .map(|number| {
            let body = side_body(number).sign(origin, &node()).unwrap();
            let header = chain.header(number, body.leaf());
            let block = SideBlock::new(PARENT_ID, header, body);
            (Entry::of(&header, body.leaf()), block.to_bytes())
        })
        .collect();
    (blocks, chain.head)
}
