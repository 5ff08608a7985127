//! What a node of a Merkle-Patricia trie is: Ethereum's yellow paper, appendices C and D.

use alloy::rlp::{self, EMPTY_LIST_CODE, EMPTY_STRING_CODE, Header};

/// Items of a branch: a child for each half-byte, and a value.
const BRANCH_ITEMS: usize = 17;
/// A node shorter than this stands in the one above it.
pub(super) const LEAST_ALONE: usize = 32;
/// How the hash of a node begins: a string of 32 bytes.
const HASH_HEADER: u8 = 0xa0;
/// Bytes of a hash with its header.
const HASH_ITEM: usize = 33;
const NOT_RLP: &str = "a node that is no RLP";

/// A node. Paths are half-bytes.
pub(super) enum Node<'a> {
    /// The end of a key's path, and what is under the key.
    Leaf { path: Vec<u8> },
    /// What several keys have in common.
    Extension { path: Vec<u8>, child: Child<'a> },
    /// A child for each half-byte.
    Branch { children: Vec<Child<'a>> },
}

/// What a node says is below it.
#[derive(Clone, Copy)]
pub(super) enum Child<'a> {
    /// Nothing.
    Empty,
    /// A node that does not stand here.
    Hash,
    /// A node that is too short for a hash.
    Inside(&'a [u8]),
}

impl<'a> Node<'a> {
    /// Reads one; in words, why it is none.
    pub(super) fn read(node: &'a [u8]) -> Result<Self, &'static str> {
        match items(node).map_err(|_| NOT_RLP)?[..] {
            [path, below] => {
                let (path, is_leaf) = path_of(path)?;
                match (is_leaf, is_empty(below)) {
                    (_, true) => Err("a node with nothing below it"),
                    (true, _) if is_list(below) => Err("a leaf whose value is a list"),
                    (true, _) => Ok(Self::Leaf { path }),
                    (false, _) if path.is_empty() => Err("an extension by nothing"),
                    (false, _) => Ok(Self::Extension {
                        path,
                        child: Child::read(below)?,
                    }),
                }
            }
            [ref children @ .., value] if children.len() + 1 == BRANCH_ITEMS => {
                if !is_empty(value) {
                    return Err("a branch with a value, where all keys are of one length");
                }
                let children = children.iter().map(|&child| Child::read(child));
                Ok(Self::Branch {
                    children: children.collect::<Result<_, _>>()?,
                })
            }
            _ => Err("a node that is neither a path nor a branch"),
        }
    }
}

impl<'a> Child<'a> {
    fn read(item: &'a [u8]) -> Result<Self, &'static str> {
        match item {
            _ if is_empty(item) => Ok(Self::Empty),
            [HASH_HEADER, ..] if item.len() == HASH_ITEM => Ok(Self::Hash),
            _ if is_list(item) && item.len() < LEAST_ALONE => Ok(Self::Inside(item)),
            _ => Err("a child that is neither a node nor the hash of one"),
        }
    }
}

/// The half-bytes of a compact path (appendix C), and whether it ends at a leaf.
fn path_of(mut item: &[u8]) -> Result<(Vec<u8>, bool), &'static str> {
    let bytes = Header::decode_bytes(&mut item, false).map_err(|_| NOT_RLP)?;
    let mut path = halves(bytes);
    let flags = path.first().copied().unwrap_or(u8::MAX);
    let begin = match (flags, path.get(1)) {
        (1 | 3, _) => 1,
        (0 | 2, Some(0)) => 2,
        _ => return Err("a path that is not in its compact form"),
    };
    Ok((path.split_off(begin), flags >= 2))
}

/// The half-bytes of bytes, the high one first.
pub(super) fn halves(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .collect()
}

const fn is_empty(item: &[u8]) -> bool {
    matches!(item, [EMPTY_STRING_CODE])
}

const fn is_list(item: &[u8]) -> bool {
    matches!(item, [(EMPTY_LIST_CODE..), ..])
}

/// The items of a list and nothing behind it, each with its header; at most one more than a branch has.
fn items(mut list: &[u8]) -> Result<Vec<&[u8]>, rlp::Error> {
    let mut payload = Header::decode_bytes(&mut list, true)?;
    if !list.is_empty() {
        return Err(rlp::Error::UnexpectedLength);
    }
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
