//! medshare-chain
