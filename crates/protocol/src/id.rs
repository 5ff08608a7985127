//! One small type per meaning of a hash, so that none can stand where another is meant.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::{B256, U256};
use serde::{Deserialize, Serialize};

macro_rules! name_hash {
    ($(#[$doc:meta])* pub struct $name:ident;) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub B256);

        impl $name {
            /// The 32 bytes.
            #[must_use]
            pub fn as_slice(&self) -> &[u8] {
                self.0.as_slice()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&HexOf(&self.0), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = alloy_primitives::hex::FromHexError;
            /// 64 hexadecimal digits, with or without `0x`.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<B256> for $name {
            fn from(bytes: B256) -> Self {
                Self(bytes)
            }
        }

        impl From<$name> for B256 {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

/// All 64 digits: alloy's own `Display` shortens with an ellipsis.
struct HexOf<'a>(&'a B256);

impl fmt::Display for HexOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:?}", self.0))
    }
}

name_hash! {
    /// EIP-712 digest of an [`AccessRequest`](crate::typed::AccessRequest): names the request and its package alike.
    pub struct PackageId;
}

name_hash! {
    /// A custodian's id of a dataset; unique within the custodian only.
    pub struct DatasetId;
}

name_hash! {
    /// RFC 6962 leaf hash of a block record's body: names a block for ever, also when it is mined again.
    pub struct LeafHash;
}

name_hash! {
    /// sha256d of an 80-byte header, in internal byte order (as on Bitcoin's wire).
    pub struct HeaderHash;
}

name_hash! {
    /// What the first header of a chain has as its previous hash.
    pub struct Origin;
}

name_hash! {
    /// The id field of a block record: `HeaderHash` for a parent block, half parent and half own for a side-block.
    pub struct BlockId;
}

name_hash! {
    /// RFC 6962 root (MTH) of the leaves of a chain.
    pub struct LogRoot;
}

name_hash! {
    /// sha256d(salt ‖ plaintext) of a payload.
    pub struct PayloadHash;
}

name_hash! {
    /// sha256d of a whole container file; auditors check it without keys.
    pub struct ContainerHash;
}

name_hash! {
    /// Running digest of a form (P11).
    pub struct FormDigest;
}

name_hash! {
    /// EIP-712 digest of a [`Report`](crate::typed::Report).
    pub struct ReportDigest;
}

impl HeaderHash {
    /// The number that Bitcoin compares with the target: the bytes are little-endian.
    pub(crate) const fn number(self) -> U256 {
        U256::from_le_bytes(self.0.0)
    }
}

impl DatasetId {
    /// The id of the dataset that a custodian calls `name`: keccak256("medshare/dataset/v1" ‖ name).
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self(alloy_primitives::keccak256(
            [b"medshare/dataset/v1".as_slice(), name.as_bytes()].concat(),
        ))
    }
}
