//! The package container, `.mds` (P15, P16): Algorithm 2's fields, the usage contract and the sealed payload in one
//! file that is streamed in and out.
//!
//! magic `MDSPKG01` ‖ header length u32 ‖ header (CBOR) ‖ node signature (65) ‖ payload in chunks of 64 KiB,
//! AES-256-GCM in the STREAM construction (BE32), each chunk followed by its 16-byte tag.

pub mod aead;
mod beside;
mod header;
mod payload;

pub use aead::TAG_BYTES;
pub use header::{MAX_HEADER_BYTES, PackageError, PackageHeader, SignedHeader};
pub use payload::{
    CHUNK_BYTES, MAX_PAYLOAD_BYTES, PayloadCipher, container_length, payload_hash, write_container,
};

#[cfg(test)]
mod tests;
