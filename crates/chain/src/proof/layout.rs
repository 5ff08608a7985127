//! Where the contract keeps what (SPEC §9.2): slots as the Solidity compiler lays them out, and what is packed in one.

use alloy::primitives::{Address, B256, U256, keccak256};
use medshare_protocol::id::PackageId;

const NODES: u64 = 5;
const DATASETS: u64 = 11;
const RECORDS: u64 = 12;
const RELATIONS: u64 = 13;
const PACKAGES: u64 = 14;
const HEADS: u64 = 15;
const THREADS: u64 = 16;

/// The slot of a mapping's value: keccak256(key ‖ slot of the mapping), each 32 bytes.
fn mapped(key: B256, mapping: B256) -> B256 {
    keccak256([key.as_slice(), mapping.as_slice()].concat())
}

fn slot(number: u64) -> B256 {
    U256::from(number).into()
}

fn number(key: u32) -> B256 {
    U256::from(key).into()
}

/// The first, second or third slot of a package.
pub(super) fn package(id: PackageId, index: u8) -> B256 {
    let first: U256 = mapped(id.0, slot(PACKAGES)).into();
    first.wrapping_add(U256::from(index)).into()
}

/// The owner of a dataset, beside its response actions.
pub(super) fn dataset_owner(dataset: u32) -> B256 {
    mapped(number(dataset), slot(DATASETS))
}

/// The owner's id of a dataset.
pub(super) fn dataset_id(dataset: u32) -> B256 {
    let first: U256 = dataset_owner(dataset).into();
    first.wrapping_add(U256::ONE).into()
}

/// A requestor's violations on a dataset, and its epoch.
pub(super) fn record(requestor: Address, dataset: u32) -> B256 {
    mapped(
        number(dataset),
        mapped(requestor.into_word(), slot(RECORDS)),
    )
}

/// A requestor's epoch with an owner, and whether it is refused.
pub(super) fn relation(requestor: Address, custodian: Address) -> B256 {
    let of_requestor = mapped(requestor.into_word(), slot(RELATIONS));
    mapped(custodian.into_word(), of_requestor)
}

/// Head of a package's side-chain.
pub(super) fn head(custodian: Address, id: PackageId) -> B256 {
    mapped(id.0, mapped(custodian.into_word(), slot(HEADS)))
}

/// Head of a requestor's thread; zero before its first block.
pub(super) fn thread(requestor: Address) -> B256 {
    mapped(requestor.into_word(), slot(THREADS))
}

/// The custodian of a node; zero for an account that is none.
pub(super) fn node(node: Address) -> B256 {
    mapped(node.into_word(), slot(NODES))
}

/// The number that `bytes` bytes of a slot hold from `offset` on, counted from the low-order end.
pub(super) fn packed(value: U256, offset: usize, bytes: usize) -> u64 {
    let mask = if bytes == 8 {
        u64::MAX
    } else {
        (1 << (8 * bytes)) - 1
    };
    (value >> (8 * offset)).wrapping_to::<u64>() & mask
}

/// The address in the low-order 20 bytes.
pub(super) fn address(value: U256) -> Address {
    Address::from_word(value.into())
}
