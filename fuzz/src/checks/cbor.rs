//! Messages in CBOR (SPEC.md §10; §6, §7, §8): one spelling each.

use medshare_protocol::form::{Step, form_digest};
use medshare_protocol::package::PackageHeader;
use medshare_protocol::report::ReportBody;

/// Any bytes as a step of a form; and as each of the messages: what one takes no other does.
pub fn check(data: &[u8]) {
    let step = Step::from_bytes(data);
    let taken = [
        step.is_ok(),
        PackageHeader::from_bytes(data).is_ok(),
        ReportBody::from_bytes(data).is_ok(),
    ];
    if taken.contains(&true) {
        assert!(is_deterministic(data), "taken in another spelling");
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    }
    if let Ok(step) = step {
        assert_eq!(step.to_bytes(), data, "a step has one encoding");
        let json = serde_json::to_string(&step).expect("a step is JSON over HTTP");
        let back: Step = serde_json::from_str(&json).expect("and comes back");
        assert_eq!(back, step);
        assert_ne!(form_digest(&[step]), form_digest(&[]));
    }
}

/// Whether the bytes are exactly one item in RFC 8949's core deterministic encoding (§4.2.1), of the types that messages
/// have: written out here without the library that decodes them.
pub fn is_deterministic(data: &[u8]) -> bool {
    item(data, 0) == Some(&[])
}

/// No message is nested deeper.
const DEPTH: usize = 8;

/// What stands behind the first item.
fn item(data: &[u8], depth: usize) -> Option<&[u8]> {
    let (first, rest) = data.split_first()?;
    let (number, rest) = argument(first & 0x1f, rest)?;
    let length = usize::try_from(number).ok()?;
    match first >> 5 {
        _ if depth > DEPTH => None,
        0 => Some(rest),
        2 => rest.get(length..),
        3 => std::str::from_utf8(rest.get(..length)?)
            .ok()
            .and(rest.get(length..)),
        4 => (0..number).try_fold(rest, |rest, _| item(rest, depth + 1)),
        5 => map(number, rest, depth + 1),
        _ => None,
    }
}

/// The number of an item, in as few bytes as will do.
fn argument(low: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    if low < 24 {
        return Some((low.into(), rest));
    }
    let size = *[1, 2, 4, 8].get(usize::from(low) - 24)?;
    let (bytes, rest) = rest.split_at_checked(size)?;
    let number = bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    let least = [24, 1 << 8, 1 << 16, 1 << 32][usize::from(low) - 24];
    (number >= least).then_some((number, rest))
}

/// Entries in the bytewise order of their encoded keys, none twice.
fn map(number: u64, data: &[u8], depth: usize) -> Option<&[u8]> {
    let mut before: &[u8] = &[];
    (0..number).try_fold(data, |rest, _| {
        let behind = item(rest, depth)?;
        let key = &rest[..rest.len() - behind.len()];
        let ascends = key > std::mem::replace(&mut before, key);
        if ascends { item(behind, depth) } else { None }
    })
}
