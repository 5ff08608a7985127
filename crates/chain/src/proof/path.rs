//! Where the nodes of a proof lead, before `alloy-trie` follows them: it panics where they lead further than a key is long,
//! and takes nodes behind the end of the way.

use alloy::primitives::{B256, Bytes};
use alloy::rlp::{self, Header};

/// Half-bytes of a key.
const KEY_NIBBLES: usize = 64;
/// Items of a branch: a child for each half-byte, and a value.
const BRANCH_ITEMS: usize = 17;
/// How the hash of the next node is written: a string of 32 bytes.
const HASH_HEADER: u8 = 0xa0;
/// Bytes of that.
const HASH_ITEM: usize = 33;

/// What is wrong with the way that the nodes lead, if anything is. What is no node is refused later.
pub(super) fn fault(key: B256, nodes: &[Bytes]) -> Option<&'static str> {
    let mut way = Way {
        key: halves(key.as_slice()),
        walked: 0,
        goes_on: true,
    };
    nodes.iter().find_map(|node| {
        if !way.goes_on {
            return Some("nodes stand behind the end of its path");
        }
        way.follow(node);
        (way.walked > KEY_NIBBLES).then_some("its nodes' paths are longer than a key")
    })
}

/// The way from the root to a key.
struct Way {
    key: Vec<u8>,
    /// Half-bytes of it that are behind.
    walked: usize,
    /// Whether the last node names the next one, and is on the way to the key.
    goes_on: bool,
}

impl Way {
    /// Goes from a node into the nodes that stand in it, as far as it has them.
    fn follow(&mut self, mut node: &[u8]) {
        while self.walked <= KEY_NIBBLES
            && let Ok(items) = items(node)
        {
            node = match items[..] {
                [path, value] => {
                    self.pass(path);
                    value
                }
                _ if items.len() == BRANCH_ITEMS && self.walked < KEY_NIBBLES => {
                    let next = self.key[self.walked];
                    self.walked += 1;
                    items[usize::from(next)]
                }
                _ => break,
            };
        }
        self.goes_on &= node.len() == HASH_ITEM && node[0] == HASH_HEADER;
    }

    /// Passes a path in its compact form (Ethereum's yellow paper, appendix C). One of a leaf ends at a value; one that is
    /// not the key's ends where nobody looks for it.
    fn pass(&mut self, mut path: &[u8]) {
        let path = Header::decode_bytes(&mut path, false).unwrap_or_default();
        let flags = path.first().copied().unwrap_or_default();
        let (is_leaf, is_odd) = (flags & 0x20 != 0, flags & 0x10 != 0);
        let path = halves(path);
        let path = path.get(if is_odd { 1 } else { 2 }..).unwrap_or_default();
        let is_ours = self.key[self.walked..].starts_with(path);
        self.goes_on &= is_ours && !is_leaf;
        self.walked += path.len();
    }
}

/// The half-bytes of bytes, the high one first.
fn halves(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .collect()
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
pub(super) mod tests {
    use super::*;
    use alloy::primitives::keccak256;
    use proptest::prelude::*;

    fn string(bytes: &[u8]) -> Vec<u8> {
        rlp::encode(bytes)
    }

    /// A list of items that are RLP already.
    pub(in crate::proof) fn list(items: &[Vec<u8>]) -> Vec<u8> {
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

    const KEY: B256 = B256::repeat_byte(0x11);

    fn fault(nodes: &[Vec<u8>]) -> Option<&'static str> {
        let nodes: Vec<Bytes> = nodes.iter().cloned().map(Bytes::from).collect();
        super::fault(KEY, &nodes)
    }

    /// An extension whose compact path is of this byte, so many times, and which names another node.
    fn extension(half_bytes: u8, bytes: usize, next: &[u8]) -> Vec<u8> {
        let mut path = vec![half_bytes; bytes];
        path[0] = 0;
        list(&[string(&path), string(keccak256(next).as_slice())])
    }

    #[test]
    fn paths_longer_than_a_key_are_refused() {
        let long = Some("its nodes' paths are longer than a key");
        assert_eq!(fault(&[leaf(33, 0x20)]), None);
        assert_eq!(fault(&[leaf(34, 0x20)]), long);
        assert_eq!(fault(&[leaf(33, 0x31)]), long);
        let inner = leaf(33, 0x20);
        let outer = extension(0x11, 33, &inner);
        assert_eq!(fault(std::slice::from_ref(&outer)), None);
        assert_eq!(fault(&[outer, inner]), long);
        // A branch is a half-byte, also when the next node stands in it.
        let mut branch = vec![string(b""); 17];
        branch[1] = leaf(32, 0x31);
        assert_eq!(fault(&[list(&branch)]), None);
        branch[1] = leaf(33, 0x20);
        assert_eq!(fault(&[list(&branch)]), long);
        branch[1] = string(b"");
        branch[2] = leaf(33, 0x20);
        assert_eq!(fault(&[list(&branch)]), None, "nobody goes there");
        // Whoever left the key's way goes on within the node all the same.
        let astray = list(&[string(&[0x00, 0x22]), leaf(33, 0x20)]);
        assert_eq!(fault(&[astray]), long);
    }

    #[test]
    fn no_node_stands_behind_the_end_of_the_path() {
        let surplus = Some("nodes stand behind the end of its path");
        let last = leaf(17, 0x20);
        assert_eq!(fault(&[extension(0x11, 17, &last), last.clone()]), None);
        let after = |node: Vec<u8>| fault(&[node, last.clone()]);
        assert_eq!(
            after(extension(0x22, 17, &last)),
            surplus,
            "the path of another key"
        );
        assert_eq!(after(last.clone()), surplus, "a leaf");
        // The value of this leaf looks like the hash of a node.
        let value = string(keccak256(&last).as_slice());
        assert_eq!(
            after(list(&[string(&[0x20, 0x11]), value.clone()])),
            surplus
        );
        let mut branch = vec![string(b""); 17];
        assert_eq!(after(list(&branch)), surplus, "an empty child");
        branch[1] = value;
        assert_eq!(after(list(&branch)), None);
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
