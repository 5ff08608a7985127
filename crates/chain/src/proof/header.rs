//! What a proof needs of an EVM block's header.

use alloy::primitives::B256;
use alloy::rlp::{Decodable, Error, Header as Item};

/// Fields of the first headers (Ethereum's yellow paper, 4.4). Later forks append others, which nobody reads here.
const FIRST_FIELDS: usize = 15;

/// The fields that are read.
pub(super) struct Header {
    /// The fourth: the root of the state trie.
    pub state_root: B256,
    /// The ninth.
    pub number: u64,
    /// The twelfth: s since the Unix epoch.
    pub time: u64,
}

/// Reads a header in RLP: a list of strings, nothing behind it.
pub(super) fn read(mut rlp: &[u8]) -> Result<Header, Error> {
    let mut payload = Item::decode_bytes(&mut rlp, true)?;
    if !rlp.is_empty() {
        return Err(Error::Custom("bytes are behind it"));
    }
    let mut fields = Vec::new();
    while !payload.is_empty() {
        let whole = payload;
        Item::decode_bytes(&mut payload, false)?;
        fields.push(&whole[..whole.len() - payload.len()]);
    }
    if fields.len() < FIRST_FIELDS {
        return Err(Error::Custom("it has too few fields"));
    }
    Ok(Header {
        state_root: B256::decode(&mut &fields[3][..])?,
        number: u64::decode(&mut &fields[8][..])?,
        time: u64::decode(&mut &fields[11][..])?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloy::rlp::encode;

    use super::super::path::tests::list;
    use super::*;

    fn fields() -> Vec<Vec<u8>> {
        let mut fields = vec![encode(b"any".as_slice()); FIRST_FIELDS];
        fields[3] = encode(B256::repeat_byte(7));
        fields[8] = encode(300_u64);
        fields[11] = encode(u64::MAX);
        fields
    }

    #[test]
    fn three_fields_are_read_of_as_many_as_there_are() {
        for more in [0, 1, 6, 300] {
            let mut all = fields();
            all.extend(vec![encode(B256::ZERO); more]);
            let header = read(&list(&all)).unwrap();
            assert_eq!(header.state_root, B256::repeat_byte(7));
            assert_eq!((header.number, header.time), (300, u64::MAX));
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let with = |at: usize, field: Vec<u8>| {
            let mut all = fields();
            all[at] = field;
            list(&all)
        };
        let refused = [
            Vec::new(),
            vec![0xc0],
            encode(b"no list".as_slice()),
            list(&fields()[1..]),
            [list(&fields()), vec![0]].concat(),
            list(&fields())[..60].to_vec(),
            with(3, encode([7; 31].as_slice())),
            with(3, encode([7; 33].as_slice())),
            with(8, encode(u128::MAX)),
            with(8, encode([0, 1].as_slice())),
            with(11, encode(1_u128 << 64)),
            with(0, vec![0xc0]),
            with(14, vec![0x81, 0x05]),
        ];
        for rlp in refused {
            assert!(read(&rlp).is_err(), "{rlp:02x?}");
        }
    }
}
