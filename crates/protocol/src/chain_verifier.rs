//! Verification of one chain: the entries that the contract emitted, and the block records that somebody serves (P23).
//!
//! Names every fault by chain, height and kind, the first one first, and whom it is to be blamed on: a fault in what
//! was anchored on the author, a fault in what was served on the one who served it. A bad block keeps its index and
//! stops nobody. Memory is O(log n) for a chain of n blocks, plus the findings.

mod fault;

use alloy_primitives::{Address, B256};

use crate::block::{
    Block, BlockError, ENVELOPE_BYTES, PARENT_MAGIC, ParentBlock, ParentBody, SIDE_MAGIC,
    SideBlock, SideBody,
};
use crate::header::{CompactTarget, Entry, HEADER_BYTES, Header};
use crate::id::{BlockId, LeafHash, Origin, PackageId};
use crate::merkle::{Log, leaf_hash};
use crate::origin::side_origin;

pub use fault::{Blame, ChainName, Fault, Finding};

/// One block as the contract and a node show it.
pub struct Anchored<'a> {
    /// What the contract emitted.
    pub entry: Entry,
    /// The whole record as it was served; `None`: nobody serves it.
    pub record: Option<Vec<u8>>,
    /// Whether an account was a registered node when the entry was anchored.
    pub is_registered_node: &'a dyn Fn(Address) -> bool,
    /// The easiest target allowed when the entry was anchored.
    pub work_limit: CompactTarget,
}

/// Verifies a chain block by block.
#[derive(Debug)]
pub struct ChainVerifier {
    chain: ChainName,
    origin: Origin,
    /// Id of the parent block of a side-chain, when it is known.
    parent: Option<BlockId>,
    log: Log,
    previous: B256,
    previous_time: u32,
    findings: Vec<Finding>,
}

/// Verifies a whole chain against the head that the contract holds: all findings, in order; none when it is sound.
pub fn verify_chain<'a>(
    mut verifier: ChainVerifier,
    blocks: impl IntoIterator<Item = Anchored<'a>>,
    expected_head: B256,
) -> Vec<Finding> {
    for block in blocks {
        verifier.push(&block);
    }
    verifier.finish(expected_head)
}

impl ChainVerifier {
    /// A requestor's thread with the origin of [`thread_origin`](crate::origin::thread_origin).
    #[must_use]
    pub fn thread(requestor: Address, origin: Origin) -> Self {
        Self::new(ChainName::Thread(requestor), origin, None)
    }

    /// The side-chain of a package. `parent` is the leaf hash of its parent block, `parent_id` that block's id.
    #[must_use]
    pub fn side(package: PackageId, parent: LeafHash, parent_id: Option<BlockId>) -> Self {
        Self::new(ChainName::Side(package), side_origin(parent), parent_id)
    }

    fn new(chain: ChainName, origin: Origin, parent: Option<BlockId>) -> Self {
        let previous = origin.0;
        let log = Log::default();
        Self {
            chain,
            origin,
            parent,
            log,
            previous,
            previous_time: 0,
            findings: Vec::new(),
        }
    }

    /// How many blocks were taken in: the height of the next one.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.log.size()
    }

    /// Hash of the last header, or the origin.
    #[must_use]
    pub const fn head(&self) -> B256 {
        self.previous
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Takes out what was found so far, for those who want each finding beside its block.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Takes in the next block. Gives it back when its record is the one that was anchored, whether or not its author
    /// made mistakes in it.
    pub fn push(&mut self, anchored: &Anchored<'_>) -> Option<Block> {
        let header = anchored.entry.header(self.previous);
        let height = self.height();
        self.log.push(anchored.entry.leaf);
        let mut faults = self.header_faults(&header, anchored.work_limit);
        let block = match self.served(&header, anchored) {
            Ok(block) => {
                faults.extend(self.author_faults(&block, anchored.is_registered_node));
                Some(block)
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        let chain = self.chain;
        self.findings
            .extend(faults.into_iter().map(|fault| Finding {
                chain,
                height,
                fault,
            }));
        self.previous = header.hash().0;
        self.previous_time = self.previous_time.max(header.time);
        block
    }

    /// All findings, with the last one: whether the head is the one that the contract holds.
    #[must_use]
    pub fn finish(mut self, expected_head: B256) -> Vec<Finding> {
        if self.previous != expected_head {
            let fault = Fault::HeadDiffers {
                computed: self.previous,
                held: expected_head,
            };
            self.findings.push(Finding {
                chain: self.chain,
                height: self.height(),
                fault,
            });
        }
        self.findings
    }

    /// Faults of the header by itself and behind its predecessor.
    fn header_faults(&self, header: &Header, limit: CompactTarget) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !header.meets_its_target() {
            faults.push(Fault::ProofOfWork {
                hash: header.hash(),
                bits: header.bits,
            });
        }
        if !header.bits.is_at_least_as_hard_as(limit) {
            faults.push(Fault::WorkLimit {
                bits: header.bits,
                limit,
            });
        }
        let expected = self.log.header_root();
        if header.merkle_root != expected {
            faults.push(Fault::MerkleRoot {
                expected,
                found: header.merkle_root,
            });
        }
        if header.time < self.previous_time {
            faults.push(Fault::TimeOrder {
                previous: self.previous_time,
                time: header.time,
            });
        }
        faults
    }

    /// The block, when what was served is what was anchored.
    fn served(&self, header: &Header, anchored: &Anchored<'_>) -> Result<Block, Fault> {
        let leaf = anchored.entry.leaf;
        let Some(record) = &anchored.record else {
            return Err(Fault::BodyMissing { leaf });
        };
        let Some((envelope, body)) = record.split_first_chunk::<ENVELOPE_BYTES>() else {
            return Err(Fault::Size {
                found: record.len(),
                expected: ENVELOPE_BYTES,
            });
        };
        let found = leaf_hash(body);
        if found != leaf {
            return Err(Fault::Leaf {
                anchored: leaf,
                found,
            });
        }
        // From here on the body is what its author anchored; what stands before it follows from the chain.
        let parent = self
            .parent
            .unwrap_or_else(|| BlockId(B256::from_slice(&envelope[4..36])));
        let block = self
            .rebuilt(*header, parent, body)
            .map_err(Fault::Malformed)?;
        self.compare_envelopes(envelope, &block, body.len())?;
        Ok(block)
    }

    /// The block that the anchored header and this body make.
    fn rebuilt(&self, header: Header, parent: BlockId, body: &[u8]) -> Result<Block, BlockError> {
        match self.chain {
            ChainName::Thread(_) => {
                ParentBody::from_bytes(body).map(|body| Block::Parent(ParentBlock { header, body }))
            }
            ChainName::Side(_) => SideBody::from_bytes(body)
                .map(|body| Block::Side(SideBlock::new(parent, header, body))),
        }
    }

    fn compare_envelopes(
        &self,
        envelope: &[u8; ENVELOPE_BYTES],
        block: &Block,
        body_bytes: usize,
    ) -> Result<(), Fault> {
        let magic = [envelope[0], envelope[1], envelope[2], envelope[3]];
        let expected_magic = match self.chain {
            ChainName::Thread(_) => PARENT_MAGIC,
            ChainName::Side(_) => SIDE_MAGIC,
        };
        if magic != expected_magic {
            return Err(Fault::Magic {
                found: magic,
                expected: expected_magic,
            });
        }
        let size = u32::from_le_bytes([envelope[36], envelope[37], envelope[38], envelope[39]]);
        let expected_size = HEADER_BYTES + body_bytes;
        if size as usize != expected_size {
            return Err(Fault::Size {
                found: size as usize,
                expected: expected_size,
            });
        }
        let header = Header::from_bytes(
            envelope
                .last_chunk()
                .expect("an envelope ends with a header"),
        );
        if header.previous != block.header().previous {
            let expected = block.header().previous;
            return Err(Fault::Link {
                expected,
                found: header.previous,
            });
        }
        if header != *block.header() {
            let anchored = Box::new(*block.header());
            return Err(Fault::HeaderDiffers {
                anchored,
                served: Box::new(header),
            });
        }
        let found = BlockId(B256::from_slice(&envelope[4..36]));
        if found != block.id() {
            return Err(Fault::Id {
                found,
                expected: block.id(),
            });
        }
        Ok(())
    }

    /// Faults that the block's author made.
    fn author_faults(&self, block: &Block, is_registered: &dyn Fn(Address) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        match (self.chain, block) {
            (ChainName::Thread(requestor), Block::Parent(parent)) => {
                let found = parent.body.transaction.requestor;
                if found != requestor {
                    faults.push(Fault::Requestor {
                        found,
                        expected: requestor,
                    });
                }
            }
            (ChainName::Side(package), Block::Side(side)) => {
                let found = side.body.transaction.package;
                if found != package {
                    faults.push(Fault::Package {
                        found,
                        expected: package,
                    });
                }
                faults.extend(side.check_number().err().map(Fault::Malformed));
            }
            // `rebuilt` makes the kind that belongs to the chain.
            (ChainName::Thread(_), Block::Side(_)) | (ChainName::Side(_), Block::Parent(_)) => {}
        }
        let node = block.node();
        let recovered = block.signer(self.origin);
        if recovered != Some(node) {
            faults.push(Fault::Signature { node, recovered });
        }
        if !is_registered(node) {
            faults.push(Fault::UnknownNode { node });
        }
        faults
    }
}
