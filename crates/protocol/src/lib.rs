//! medshare-protocol
