//! One function for each target: it takes any bytes and panics when a decoder does not hold to what it promises.
//!
//! The fuzzer calls them, and so does `crates/protocol/tests/suite/fuzzed.rs`, which includes this folder by its path: what
//! tests need stays out of the crate's interface.

pub mod cbor;
pub mod header;
pub mod package_header;
pub mod proof;
pub mod record;
pub mod report;

use alloy_primitives::{B256, hex};
use alloy_signer_local::PrivateKeySigner;
use serde_json::Value;

/// A vector file, from its text.
fn vector(text: &str) -> Value {
    serde_json::from_str(text).expect("the vectors are JSON")
}

/// The bytes that stand in hex in a vector.
fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("the vectors are hexadecimal")
}

/// The hash that stands in hex in a vector.
fn hash(value: &Value) -> B256 {
    B256::from_slice(&bytes(value))
}

/// A key to sign with what was decoded.
fn key() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(0x11)).expect("a number below the order")
}
