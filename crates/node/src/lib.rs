//! medshare-node
