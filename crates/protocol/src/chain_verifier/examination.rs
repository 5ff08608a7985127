//! A served record by itself: the costly part of verification, which no block before it has a say in.

use alloy_primitives::B256;

use super::fault::{ChainName, Fault};
use crate::block::{
    Block, BlockError, ENVELOPE_BYTES, PARENT_MAGIC, ParentBody, SIDE_MAGIC, SideBody,
};
use crate::header::{HEADER_BYTES, Header};
use crate::id::{BlockId, LeafHash, Origin};
use crate::merkle::leaf_hash;

/// What a served record was found to be: for one chain and one leaf.
#[derive(Clone, Debug)]
pub struct Examined(Found);

#[derive(Clone, Debug)]
enum Found {
    Missing,
    /// Shorter than what stands before a body.
    Short {
        bytes: usize,
    },
    /// The body of another leaf.
    OtherLeaf(LeafHash),
    Malformed(BlockError),
    Served(Box<Served>),
}

/// A record whose body is the anchored one.
#[derive(Clone, Debug)]
pub(super) struct Served {
    leaf: LeafHash,
    pub envelope: Envelope,
    pub body: Body,
    /// Whether the node that the body names has signed it.
    pub is_signed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    Parent(ParentBody),
    Side(SideBody),
}

/// What stands before the body, as it was served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    bytes: [u8; ENVELOPE_BYTES],
    body_bytes: usize,
}

/// Examines the record that was served for a `leaf` of `chain`, whose blocks are signed under `origin`; `None`: nobody
/// serves it. Pure, and by far the most of what a verifier computes: many may be examined at once.
#[must_use]
pub fn examine(
    chain: ChainName,
    origin: Origin,
    leaf: LeafHash,
    record: Option<&[u8]>,
) -> Examined {
    Examined(found(chain, origin, leaf, record))
}

fn found(chain: ChainName, origin: Origin, leaf: LeafHash, record: Option<&[u8]>) -> Found {
    let Some(record) = record else {
        return Found::Missing;
    };
    let Some((envelope, bytes)) = record.split_first_chunk() else {
        let bytes = record.len();
        return Found::Short { bytes };
    };
    let found = leaf_hash(bytes);
    if found != leaf {
        return Found::OtherLeaf(found);
    }
    let read = match chain {
        ChainName::Thread(_) => {
            ParentBody::signed(bytes, origin).map(|(body, signed)| (Body::Parent(body), signed))
        }
        ChainName::Side(_) => {
            SideBody::signed(bytes, origin).map(|(body, signed)| (Body::Side(body), signed))
        }
    };
    match read {
        Ok((body, is_signed)) => Found::Served(Box::new(Served {
            leaf,
            envelope: Envelope {
                bytes: *envelope,
                body_bytes: bytes.len(),
            },
            body,
            is_signed,
        })),
        Err(error) => Found::Malformed(error),
    }
}

impl Examined {
    /// What there is to say of a record that nobody serves.
    #[must_use]
    pub const fn missing() -> Self {
        Self(Found::Missing)
    }

    /// The served body, when it is the one behind `leaf`.
    pub(super) fn into_served(self, leaf: LeafHash) -> Result<Served, Fault> {
        match self.0 {
            Found::Served(served) if served.leaf == leaf => Ok(*served),
            Found::Served(served) => Err(Fault::Leaf {
                anchored: leaf,
                found: served.leaf,
            }),
            Found::Missing => Err(Fault::BodyMissing { leaf }),
            Found::Short { bytes } => Err(Fault::Size {
                found: bytes,
                expected: ENVELOPE_BYTES,
            }),
            Found::OtherLeaf(found) => Err(Fault::Leaf {
                anchored: leaf,
                found,
            }),
            Found::Malformed(error) => Err(Fault::Malformed(error)),
        }
    }
}

impl Envelope {
    /// The id that stands in it.
    pub(super) fn id(&self) -> BlockId {
        BlockId(B256::from_slice(&self.bytes[4..36]))
    }

    fn size(&self) -> usize {
        let [a, b, c, d] = [36, 37, 38, 39].map(|at| self.bytes[at]);
        u32::from_le_bytes([a, b, c, d]) as usize
    }

    fn header(&self) -> Header {
        let last = self.bytes.last_chunk();
        Header::from_bytes(last.expect("an envelope ends with a header"))
    }

    /// The first difference from the envelope that `block`, with this header and id, has.
    pub(super) fn compare(&self, header: &Header, id: BlockId, block: &Block) -> Result<(), Fault> {
        let magic = [0, 1, 2, 3].map(|at| self.bytes[at]);
        let expected = match block {
            Block::Parent(_) => PARENT_MAGIC,
            Block::Side(_) => SIDE_MAGIC,
        };
        if magic != expected {
            let found = magic;
            return Err(Fault::Magic { found, expected });
        }
        let (found, expected) = (self.size(), HEADER_BYTES + self.body_bytes);
        if found != expected {
            return Err(Fault::Size { found, expected });
        }
        let served = self.header();
        if served.previous != header.previous {
            let (expected, found) = (header.previous, served.previous);
            return Err(Fault::Link { expected, found });
        }
        if served != *header {
            let (anchored, served) = (Box::new(*header), Box::new(served));
            return Err(Fault::HeaderDiffers { anchored, served });
        }
        let (found, expected) = (self.id(), id);
        if found != expected {
            return Err(Fault::Id { found, expected });
        }
        Ok(())
    }
}
