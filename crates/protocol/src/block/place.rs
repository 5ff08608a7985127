//! Where a block stands, and its record there.

use std::fmt;

use super::side::{first_half, side_id};
use super::{PARENT_MAGIC, SIDE_MAGIC, record};
use crate::header::Header;
use crate::id::{BlockId, PackageId};

/// The place of a block. A leaf hash may be anchored at several, by whoever copies it: this names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The parent block of a package.
    Parent(PackageId),
    /// The block at this height of a package's side-chain, from 0.
    Side(PackageId, u64),
}

impl Place {
    /// The package.
    #[must_use]
    pub const fn package(self) -> PackageId {
        match self {
            Self::Parent(package) | Self::Side(package, _) => package,
        }
    }

    /// The height in the package's side-chain; nothing of a parent block.
    #[must_use]
    pub const fn height(self) -> Option<u64> {
        match self {
            Self::Parent(_) => None,
            Self::Side(_, height) => Some(height),
        }
    }

    /// The place with this height in the package's side-chain, or of its parent block.
    #[must_use]
    pub const fn new(package: PackageId, height: Option<u64>) -> Self {
        match height {
            None => Self::Parent(package),
            Some(height) => Self::Side(package, height),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parent(package) => write!(f, "the parent block of package {package}"),
            Self::Side(package, height) => {
                write!(f, "block {height} of the side-chain of package {package}")
            }
        }
    }
}

/// The record of the block with this header (SPEC §1.5), whatever its body is: a parent block's, or a side-block's of
/// the parent block `parent`.
#[must_use]
pub fn record_with(header: &Header, parent: Option<BlockId>, body: &[u8]) -> Vec<u8> {
    let hash = header.hash();
    let (magic, id) = match parent {
        None => (PARENT_MAGIC, BlockId(hash.0)),
        Some(parent) => (SIDE_MAGIC, side_id(first_half(parent), hash)),
    };
    record(magic, id, header, body)
}
