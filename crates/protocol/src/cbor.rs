//! CBOR in the one spelling that RFC 8949 §4.2.1 calls core deterministic encoding.
//!
//! The types' own encoders write it: definite lengths, shortest heads, keys in ascending order. What is read is written
//! anew and compared, so every other spelling is refused whatever it is that differs, and so is a byte behind it.

use minicbor::decode::Error;
use minicbor::{Decode, Encode};

/// The encoding of `value`.
pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to a vector cannot fail")
}

/// The value that [`encode`] gives exactly these bytes for.
pub(crate) fn decode<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, Error> {
    let value = minicbor::decode(bytes)?;
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(Error::message("it is not in deterministic encoding"))
    }
}
