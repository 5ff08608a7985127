//! How far the nodes of a proof lead, before `alloy-trie` follows them: it panics where they lead further than a key is long.

use alloy::primitives::{B256, Bytes};
use alloy::rlp::{self, Header};

/// Half-bytes of a key.
const KEY_NIBBLES: usize = 64;
/// Items of a branch: a child for each half-byte, and a value.
const BRANCH_ITEMS: usize = 17;

/// Whether the path under `key` is no longer than a key. What is no node is refused later.
pub(super) fn fits(key: B256, nodes: &[Bytes]) -> bool {
    let mut walked = 0;
    nodes.iter().all(|node| {
        let led = follow(key, node, walked);
        walked = led.unwrap_or(walked);
        led.is_some()
    })
}

/// Goes from a node into the nodes that stand in it. Half-bytes walked; nothing: more than a key has.
fn follow(key: B256, node: &[u8], mut walked: usize) -> Option<usize> {
    let mut node = node;
    while let Ok(items) = items(node) {
        node = match items[..] {
            [path, value] => {
                walked += nibbles(path);
                value
            }
            _ if items.len() == BRANCH_ITEMS && walked < KEY_NIBBLES => {
                let byte = key[walked / 2];
                let next = if walked.is_multiple_of(2) {
                    byte >> 4
                } else {
                    byte & 0xf
                };
                walked += 1;
                items[usize::from(next)]
            }
            _ => break,
        };
        if walked > KEY_NIBBLES {
            return None;
        }
    }
    Some(walked)
}

/// Half-bytes of a path in its compact form (Ethereum's yellow paper, appendix C).
fn nibbles(mut path: &[u8]) -> usize {
    let Ok(bytes) = Header::decode_bytes(&mut path, false) else {
        return 0;
    };
    let is_odd = bytes.first().is_some_and(|flags| flags & 0x10 != 0);
    bytes.len().saturating_sub(1) * 2 + usize::from(is_odd)
}

/// The items of a list, each with its header; one more than a branch has at most.
fn items(mut list: &[u8]) -> Result<Vec<&[u8]>, rlp::Error> {
    let mut payload = Header::decode_bytes(&mut list, true)?;
    let mut items = Vec::new();
    while !payload.is_empty() && items.len() <= BRANCH_ITEMS {
        let mut rest = payload;
        let header = Header::decode(&mut rest)?;
        let rest = rest
            .get(header.payload_length..)
            .ok_or(rlp::Error::InputTooShort)?;
        items.push(&payload[..payload.len() - rest.len()]);
        payload = rest;
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::keccak256;
    use proptest::prelude::*;

    fn string(bytes: &[u8]) -> Vec<u8> {
        rlp::encode(bytes)
    }

    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        let payload = items.concat();
        let mut out = Vec::new();
        let header = Header {
            list: true,
            payload_length: payload.len(),
        };
        header.encode(&mut out);
        out.extend(payload);
        out
    }

    /// A leaf whose compact path has so many bytes.
    fn leaf(bytes: usize, flags: u8) -> Vec<u8> {
        let mut path = vec![0x11; bytes];
        path[0] = flags;
        list(&[string(&path), string(b"value")])
    }

    #[test]
    fn paths_longer_than_a_key_do_not_fit() {
        let key = B256::repeat_byte(0x11);
        let fits = |nodes: &[Vec<u8>]| {
            let nodes: Vec<Bytes> = nodes.iter().cloned().map(Bytes::from).collect();
            super::fits(key, &nodes)
        };
        assert!(fits(&[leaf(33, 0x20)]));
        assert!(!fits(&[leaf(34, 0x20)]));
        assert!(!fits(&[leaf(33, 0x31)]));
        let inner = leaf(33, 0x20);
        let hash = keccak256(&inner);
        let mut path = vec![0x22; 33];
        path[0] = 0;
        let outer = list(&[string(&path), string(hash.as_slice())]);
        assert!(fits(std::slice::from_ref(&outer)));
        assert!(!fits(&[outer, inner]));
        // A branch is a half-byte, also when the next node stands in it.
        let mut branch = vec![string(b""); 17];
        branch[1] = leaf(32, 0x31);
        assert!(fits(&[list(&branch)]));
        branch[1] = leaf(33, 0x20);
        assert!(!fits(&[list(&branch)]));
        branch[1] = string(b"");
        branch[2] = leaf(33, 0x20);
        assert!(fits(&[list(&branch)]), "nobody goes there");
    }

    proptest! {
        /// Whatever a stranger's nodes are, nothing panics, the library included.
        #[test]
        fn any_nodes_are_followed_or_refused(
            key: [u8; 32],
            shapes in prop::collection::vec((0_u8..4, prop::collection::vec(any::<u8>(), 0..40), any::<u8>()), 1..5),
        ) {
            let mut next = string(b"value");
            let mut nodes = Vec::new();
            for (shape, bytes, flags) in shapes.into_iter().rev() {
                let path = [&[flags][..], &bytes].concat();
                let node = match shape {
                    0 => list(&[string(&path), next.clone()]),
                    1 => list(&vec![next.clone(); 17]),
                    2 => bytes,
                    _ => list(&[string(&bytes), next.clone()]),
                };
                next = if node.len() < 32 { node.clone() } else { string(keccak256(&node).as_slice()) };
                nodes.insert(0, Bytes::from(node));
            }
            let root = keccak256(&nodes[0]);
            let shown = super::super::verify::prove(root, key.into(), None, &nodes);
            prop_assert!(shown.is_ok());
        }
    }
}
