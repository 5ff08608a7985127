//! The beginning of a container (SPEC.md §7).

use std::io::Cursor;

use medshare_protocol::package::{
    MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, PackageHeader, PayloadCipher, SignedHeader,
    container_length,
};
use medshare_protocol::seal::{DataKey, Share};

use super::cbor::is_deterministic;

/// Any bytes as a signed header, and as the header in one.
pub fn check(data: &[u8]) {
    if let Ok(signed) = SignedHeader::read(&mut Cursor::new(data)) {
        let bytes = signed.to_bytes();
        assert_eq!(bytes, data[..bytes.len()], "a beginning has one encoding");
        assert!(signed.bytes.len() <= MAX_HEADER_BYTES as usize);
        usable(&signed);
    }
    if let Ok(header) = PackageHeader::from_bytes(data) {
        assert_eq!(header.to_bytes(), data, "a header has one encoding");
        assert!(is_deterministic(data));
        resigned(header);
    }
}

/// What a reader does with a header that it was given.
fn usable(signed: &SignedHeader) {
    let header = &signed.header;
    assert!(header.usage().is_some());
    assert_eq!(header.domain().chain_id(), header.chain_id);
    assert!(header.payload_length <= MAX_PAYLOAD_BYTES);
    let length = container_length(signed);
    assert!(length > signed.encoded_length() + header.payload_length);
    let share = Share::from_slice(&[1; 32]).expect("32 bytes");
    let key = DataKey::derive(&signed.bytes, &share, &share);
    let cipher = PayloadCipher::new(&key, header.payload_length).expect("within the limit");
    let (begin, last) = cipher.location(cipher.chunks() - 1);
    assert_eq!(signed.encoded_length() + begin + last as u64, length);
    // Chunks that were not made with the key. No memory is taken for what the header promises.
    let opened = cipher.decrypt_all(signed, &mut Cursor::new([0; 32]));
    assert!(opened.is_err());
}

/// Signed by the node that it names, it is read back, if it is of a header's size.
fn resigned(header: PackageHeader) {
    let node = super::key();
    let header = PackageHeader {
        node: node.address(),
        ..header
    };
    let signed = header.sign(&node).expect("the key signs");
    let read = SignedHeader::read(&mut Cursor::new(signed.to_bytes()));
    if signed.bytes.len() > MAX_HEADER_BYTES as usize {
        assert!(read.is_err());
    } else {
        assert_eq!(read.expect("what was signed is read"), signed);
        usable(&signed);
    }
}
