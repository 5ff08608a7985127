//! Where the nodes of a proof lead, before `alloy-trie` follows them: it panics where they lead further than a key is long,
//! and takes nodes behind the end of the way and some that are none (SPEC §9.2).

use alloy::primitives::{B256, Bytes};

use super::node::{Child, LEAST_ALONE, Node, halves};

/// Half-bytes of a key.
const KEY_NIBBLES: usize = 64;
const TOO_LONG: &str = "its nodes' paths are longer than a key";

/// What is wrong with the way that the nodes lead, if anything is.
pub(super) fn fault(key: B256, nodes: &[Bytes]) -> Option<&'static str> {
    follow(&halves(key.as_slice()), nodes).err()
}

fn follow(key: &[u8], nodes: &[Bytes]) -> Result<(), &'static str> {
    let mut next = Some(0);
    for (index, node) in nodes.iter().enumerate() {
        let walked = next.ok_or("nodes stand behind the end of its path")?;
        if index > 0 && node.len() < LEAST_ALONE {
            return Err("a node that stands inside the one above it is given by itself");
        }
        next = descend(node, walked, Some(key))?;
    }
    Ok(())
}

/// Checks a node below so many half-bytes, and all that stand in it. Where the way of `key` leaves it, if it goes on to another
/// node; without a key nobody comes by, and the node only has to be one.
fn descend(node: &[u8], walked: usize, key: Option<&[u8]>) -> Result<Option<usize>, &'static str> {
    match Node::read(node)? {
        Node::Leaf { path } => match (walked + path.len()).cmp(&KEY_NIBBLES) {
            std::cmp::Ordering::Less => Err("a leaf that ends before its key"),
            std::cmp::Ordering::Equal => Ok(None),
            std::cmp::Ordering::Greater => Err(TOO_LONG),
        },
        Node::Extension { path, child } => {
            let ours = key.filter(|key| key[walked..].starts_with(&path));
            below(child, walked + path.len(), ours)
        }
        Node::Branch { children } => {
            let mut way = None;
            for (half, child) in (0..).zip(children) {
                let ours = key.filter(|key| key.get(walked) == Some(&half));
                way = way.or(below(child, walked + 1, ours)?);
            }
            Ok(way)
        }
    }
}

fn below(child: Child, walked: usize, key: Option<&[u8]>) -> Result<Option<usize>, &'static str> {
    if walked > KEY_NIBBLES {
        return Err(TOO_LONG);
    }
    match child {
        Child::Empty => Ok(None),
        Child::Hash => Ok(key.map(|_| walked)),
        // Less than 32 bytes each time: it ends soon.
        Child::Inside(node) => descend(node, walked, key),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloy::primitives::keccak256;
    use alloy::rlp::{self, Header};
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

    /// A leaf at the end of so many half-bytes.
    fn leaf(half_bytes: usize) -> Vec<u8> {
        list(&[string(&compact(half_bytes, 0x20)), string(b"value")])
    }

    /// So many half-bytes of 1, in their compact form.
    fn compact(half_bytes: usize, flags: u8) -> Vec<u8> {
        let odd = half_bytes % 2 == 1;
        let first = if odd { flags + 0x11 } else { flags };
        [vec![first], vec![0x11; half_bytes / 2]].concat()
    }

    /// An extension by so many half-bytes, which names another node.
    fn extension(half_bytes: usize, next: &[u8]) -> Vec<u8> {
        let path = string(&compact(half_bytes, 0));
        list(&[path, string(keccak256(next).as_slice())])
    }

    fn branch(children: &[(usize, Vec<u8>)]) -> Vec<u8> {
        let mut items = vec![string(b""); 17];
        for (half, child) in children {
            items[*half].clone_from(child);
        }
        list(&items)
    }

    const KEY: B256 = B256::repeat_byte(0x11);

    fn fault(nodes: &[Vec<u8>]) -> Option<&'static str> {
        let nodes: Vec<Bytes> = nodes.iter().cloned().map(Bytes::from).collect();
        super::fault(KEY, &nodes)
    }

    #[test]
    fn paths_are_as_long_as_a_key() {
        let (long, short) = (Some(TOO_LONG), Some("a leaf that ends before its key"));
        assert_eq!(fault(&[leaf(64)]), None);
        assert_eq!(fault(&[leaf(65)]), long);
        assert_eq!(fault(&[leaf(63)]), short);
        let last = leaf(0);
        assert_eq!(fault(&[extension(64, &last)]), None);
        assert_eq!(fault(&[extension(65, &last)]), long);
        // A branch is a half-byte, also of a node that stands in it, and where nobody goes.
        for half in [1, 2] {
            let with =
                |half_bytes| fault(&[extension(40, b""), branch(&[(half, leaf(half_bytes))])]);
            assert_eq!(with(23), None);
            assert_eq!(with(24), long);
            assert_eq!(with(22), short);
        }
        let child = (3, string(keccak256(b"").as_slice()));
        assert_eq!(
            fault(&[extension(63, b""), branch(std::slice::from_ref(&child))]),
            None
        );
        assert_eq!(fault(&[extension(64, b""), branch(&[child])]), long);
    }

    #[test]
    fn no_node_stands_behind_the_end_of_the_path() {
        let surplus = Some("nodes stand behind the end of its path");
        let last = list(&[string(&compact(31, 0x20)), string(&[7; 32])]);
        assert_eq!(fault(&[extension(33, &last), last.clone()]), None);
        let after = |node: Vec<u8>| fault(&[node, last.clone()]);
        let astray = list(&[string(&[0x00, 0x22]), string(keccak256(&last).as_slice())]);
        assert_eq!(after(astray), surplus, "the path of another key");
        // The value of this leaf looks like the hash of a node.
        let leaf = [
            string(&compact(64, 0x20)),
            string(keccak256(&last).as_slice()),
        ];
        assert_eq!(after(list(&leaf)), surplus, "a leaf");
        let child = string(keccak256(&last).as_slice());
        assert_eq!(
            after(branch(&[(2, child.clone())])),
            surplus,
            "an empty child"
        );
        let on_its_way = [extension(32, b""), branch(&[(1, child)]), last.clone()];
        assert_eq!(fault(&on_its_way), None);
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
