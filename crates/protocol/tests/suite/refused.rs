//! Everything that MUST be refused, beside the good bytes that it was made of: `test/vectors/refused.json`.

use std::io::Cursor;

use alloy_primitives::{Address, B256};
use medshare_protocol::block::{Block, ParentBody, SideBody};
use medshare_protocol::certificate::Certificate;
use medshare_protocol::form::Step;
use medshare_protocol::header::{CompactTarget, Header, entries};
use medshare_protocol::id::{LeafHash, LogRoot, Origin};
use medshare_protocol::merkle::{Log, header_root, verify_consistency, verify_inclusion};
use medshare_protocol::package::PackageHeader;
use medshare_protocol::report::ReportBody;
use medshare_protocol::typed::recover;
use serde_json::Value;

use crate::package;
use crate::vectors::{bytes, number, parsed, read};

/// The reason and the bytes of each case: [from, to) ranges of the good ones and literal bytes, joined.
pub fn cases(good: &[u8], refused: &Value) -> Vec<(String, Vec<u8>)> {
    let piece = |piece: &Value| match piece.as_str() {
        Some(literal) => alloy_primitives::hex::decode(literal).unwrap(),
        None => {
            let (from, to): (usize, usize) = serde_json::from_value(piece.clone()).unwrap();
            good[from..to].to_vec()
        }
    };
    let case = |case: &Value| {
        let joined = case["pieces"].as_array().unwrap().iter().flat_map(piece);
        (case["why"].to_string(), joined.collect())
    };
    refused.as_array().unwrap().iter().map(case).collect()
}

/// The reason and the bytes of each case that has them in one.
fn whole(refused: &Value, key: &str) -> Vec<(String, Vec<u8>)> {
    let case = |case: &Value| (case["why"].to_string(), bytes(case, key));
    refused.as_array().unwrap().iter().map(case).collect()
}

/// `takes` must take the good bytes and none of the cases.
fn refuses_all(good: &[u8], cases: &[(String, Vec<u8>)], takes: impl Fn(&[u8]) -> bool) {
    assert!(takes(good), "the good bytes are refused");
    assert!(!cases.is_empty());
    for (why, bytes) in cases {
        assert!(!takes(bytes), "took what must be refused: {why}");
    }
}

#[test]
fn signatures_of_another_form_are_refused() {
    let given = &read("refused.json")["signatures"];
    let (account, digest): (Address, B256) = (parsed(given, "account"), parsed(given, "digest"));
    let cases = whole(&given["refused"], "signature");
    refuses_all(&bytes(given, "good"), &cases, |signature| {
        recover(digest, signature) == Some(account)
    });
}

/// Twice over: the node's key is recovered the first time, and known from then on.
#[test]
fn bodies_that_their_node_has_not_signed_are_refused() {
    let given = &read("refused.json")["bodies"];
    let refuses = |kind: &str, is_signed: fn(&[u8], Origin) -> Option<bool>| {
        let (given, good) = (&given[kind], bytes(&given[kind], "good"));
        let (origin, cases) = (parsed(given, "origin"), cases(&good, &given["refused"]));
        for _ in 0..2 {
            refuses_all(&good, &cases, |body| {
                is_signed(body, origin).unwrap_or_default()
            });
        }
    };
    refuses("parent", |body, origin| {
        let body = ParentBody::from_bytes(body).ok()?;
        Some(body.is_signed(origin))
    });
    refuses("side", |body, origin| {
        let body = SideBody::from_bytes(body).ok()?;
        Some(body.is_signed(origin))
    });
}

#[test]
fn headers_without_their_work_are_refused() {
    let given = &read("refused.json")["headers"];
    let limit = CompactTarget(number(given, "limit"));
    let cases = whole(&given["refused"], "header");
    refuses_all(&bytes(given, "good"), &cases, |header| {
        <&[u8; 80]>::try_from(header)
            .map(Header::from_bytes)
            .is_ok_and(|header| {
                header.meets_its_target() && header.bits.is_at_least_as_hard_as(limit)
            })
    });
}

#[test]
fn bits_that_are_no_target_are_refused() {
    let file = read("refused.json");
    for case in file["targets"].as_array().unwrap() {
        assert_eq!(CompactTarget(number(case, "bits")).target(), None, "{case}");
    }
}

#[test]
fn ragged_entries_are_refused() {
    let given = &read("refused.json")["entries"];
    let cases = whole(&given["refused"], "entries");
    refuses_all(&bytes(given, "good"), &cases, |bytes| {
        entries(bytes).is_ok()
    });
}

fn hashes(value: &Value) -> Vec<B256> {
    serde_json::from_value(value.clone()).unwrap()
}

fn log(leaves: &Value) -> Log {
    Log::from_leaves(hashes(leaves).into_iter().map(LeafHash))
}

/// CVE-2012-2459: to Bitcoin both lists have one root. And no proof from the one holds for the other.
#[test]
fn doubled_leaves_and_what_they_would_prove_are_refused() {
    let file = read("refused.json");
    for given in file["logs"].as_array().unwrap() {
        let (one, doubled) = (log(&given["leaves"]), log(&given["doubled"]));
        assert_eq!(one.root(), parsed(given, "root"));
        assert_eq!(doubled.root(), parsed(given, "doubled_root"));
        assert_eq!(one.header_root(), parsed::<B256>(given, "header_root"));
        assert_eq!(
            doubled.header_root(),
            parsed::<B256>(given, "doubled_header_root")
        );
        assert_ne!(one.root(), doubled.root());
        assert_ne!(one.header_root(), doubled.header_root());

        let holds = |leaf: B256, index, size, proof: &Value, root| {
            header_root(root, size) == one.header_root()
                && verify_inclusion(LeafHash(leaf), index, size, &hashes(proof), root)
        };
        let leaves = hashes(&given["leaves"]);
        for (index, leaf) in (0..).zip(&leaves) {
            let proof = &given["proofs"][usize::try_from(index).unwrap()];
            assert!(holds(*leaf, index, one.size(), proof, one.root()));
        }
        for case in given["inclusion"].as_array().unwrap() {
            let (index, size) = (number(case, "index"), number(case, "size"));
            let (leaf, root) = (parsed(case, "leaf"), parsed(case, "root"));
            assert!(!holds(leaf, index, size, &case["proof"], root), "{case}");
        }
        for case in given["consistency"].as_array().unwrap() {
            let (old, new) = (number(case, "old_size"), number(case, "new_size"));
            let (was, is): (LogRoot, LogRoot) =
                (parsed(case, "old_root"), parsed(case, "new_root"));
            let proof = hashes(&case["proof"]);
            assert!(!verify_consistency(old, was, new, is, &proof), "{case}");
        }
    }
}

#[test]
fn records_that_are_none_are_refused() {
    let given = &read("refused.json")["records"];
    for kind in ["parent", "side"] {
        let good = bytes(&given[kind], "good");
        let cases = cases(&good, &given[kind]["refused"]);
        refuses_all(&good, &cases, |record| Block::from_bytes(record).is_ok());
    }
}

#[test]
fn messages_in_another_spelling_are_refused() {
    let given = &read("refused.json")["cbor"];
    let refuses = |kind: &str, takes: fn(&[u8]) -> bool| {
        let good = bytes(&given[kind], "good");
        refuses_all(&good, &cases(&good, &given[kind]["refused"]), takes);
    };
    refuses("package_header", |bytes| {
        PackageHeader::from_bytes(bytes).is_ok()
    });
    refuses("form_step", |bytes| Step::from_bytes(bytes).is_ok());
    refuses("report_body", |bytes| ReportBody::from_bytes(bytes).is_ok());
}

#[test]
fn certificates_that_are_none_are_refused() {
    let given = &read("refused.json")["certificate"];
    let good = bytes(given, "good");
    let takes = |text: &[u8]| Certificate::from_text(std::str::from_utf8(text).unwrap()).is_ok();
    refuses_all(&good, &cases(&good, &given["refused"]), takes);
    let taken = cases(&good, &given["taken"]);
    assert!(!taken.is_empty());
    for (why, text) in taken {
        assert!(takes(&text), "refused {why}");
    }
}

#[test]
fn containers_that_were_cut_or_shuffled_or_badly_made_are_refused() {
    let given = &read("refused.json")["container"];
    let vector = read("package.json");
    let takes = |container: &[u8]| package::opened(&vector, &mut Cursor::new(container)).is_some();
    let short = bytes(&given["short"], "good");
    refuses_all(&short, &cases(&short, &given["short"]["refused"]), takes);
    let long = package::container(&vector);
    assert_eq!(long.len(), number::<usize>(&given["long"], "length"));
    refuses_all(&long, &cases(&long, &given["long"]["refused"]), takes);
}
