//! Reading the vector files that Rust, Solidity and Python share.

use std::path::PathBuf;

use alloy_primitives::{Address, hex};
use alloy_signer_local::PrivateKeySigner;
use serde_json::Value;

/// The vector file of this name.
pub fn read(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../test/vectors")
        .join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The cases in a list, which must be so many: a file that lost some does not pass for one that was looked through.
pub fn cases(list: &Value, count: usize) -> &[Value] {
    let cases = list.as_array().unwrap();
    assert_eq!(cases.len(), count);
    cases
}

/// The bytes that stand in hex at `key`.
pub fn bytes(value: &Value, key: &str) -> Vec<u8> {
    hex::decode(value[key].as_str().unwrap_or_else(|| panic!("no `{key}`"))).unwrap()
}

/// What stands at `key`, parsed from its text.
pub fn parsed<T: std::str::FromStr>(value: &Value, key: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no `{key}`"))
        .parse()
        .unwrap()
}

/// The number at `key`.
pub fn number<T: TryFrom<u64>>(value: &Value, key: &str) -> T
where
    T::Error: std::fmt::Debug,
{
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("no `{key}`"))
        .try_into()
        .unwrap()
}

/// The account of a secret key.
pub fn address_of(key: &[u8]) -> Address {
    PrivateKeySigner::from_slice(key).unwrap().address()
}
