//! A side-chain, as a node builds it.

use alloy_primitives::{Address, B256};
use alloy_signer::SignerSync;
use medshare_protocol::block::{NodeSignature, SideBlock, SideBody, SideTransaction, next_header};
use medshare_protocol::header::{CompactTarget, Entry};
use medshare_protocol::id::{BlockId, LeafHash, Origin, PackageId, ReportDigest};
use medshare_protocol::merkle::Log;
use medshare_protocol::origin::side_origin;
use medshare_protocol::usage::{Action, Actions};

/// Difficulty 0: a target that all but one hash in 65,536 meet.
pub const ANY_HASH: CompactTarget = CompactTarget(0x2100_ffff);
pub const SECRET: B256 = B256::repeat_byte(0x11);
pub const PACKAGE: PackageId = PackageId(B256::repeat_byte(0x7a));
pub const PARENT_LEAF: LeafHash = LeafHash(B256::repeat_byte(0x96));
pub const PARENT_ID: BlockId = BlockId(B256::repeat_byte(0x30));
/// Domain, origin, action counter, transaction without signature and locktime of a side-block (SPEC §1.6).
pub const PREIMAGE_BYTES: usize = 16 + 32 + 4 + 170 + 8;

/// A chain with its records.
pub struct Made {
    pub origin: Origin,
    pub bodies: Vec<SideBody>,
    pub blocks: Vec<(Entry, Vec<u8>)>,
    pub head: B256,
}

impl Made {
    /// Builds and signs a chain of `length` blocks.
    pub fn of(length: u32, signer: &impl SignerSync) -> Self {
        let node = alloy_signer_local::PrivateKeySigner::from_bytes(&SECRET)
            .unwrap()
            .address();
        let origin = side_origin(PARENT_LEAF);
        let mut made = Self {
            origin,
            bodies: Vec::new(),
            blocks: Vec::new(),
            head: origin.0,
        };
        let mut log = Log::default();
        for number in 1..=length {
            let body = body(number, node).sign(origin, signer).unwrap();
            let leaf = body.leaf();
            log.push(leaf);
            let header = next_header(number, made.head, &log, 1_700_000_000, 0, ANY_HASH);
            made.head = header.hash().0;
            let record = SideBlock::new(PARENT_ID, header, body).to_bytes();
            made.blocks.push((Entry::of(&header, leaf), record));
            made.bodies.push(body);
        }
        made
    }
}

fn body(number: u32, node: Address) -> SideBody {
    let action = if number == 1 {
        Action::Decrypt
    } else {
        Action::Read
    };
    SideBody {
        action_counter: 0,
        transaction: SideTransaction {
            time: 1_700_000_000_000,
            owner: Address::repeat_byte(0x70),
            requestor: Address::repeat_byte(0x3c),
            reported: Actions::NONE.with(action),
            violated: Actions::NONE,
            package: PACKAGE,
            number,
            report: ReportDigest(B256::repeat_byte(0xe0)),
            sealed_report: B256::repeat_byte(0xb0),
            node,
            signature: NodeSignature::ZERO,
        },
        locktime: 1_700_000_000_005,
    }
}
