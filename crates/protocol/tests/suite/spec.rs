//! SPEC.md's examples: every hexadecimal digit of them stands in the vectors, or is computed here from what does.

use std::collections::BTreeSet;

use alloy_primitives::{B256, hex};
use medshare_protocol::chain_verifier::{Anchored, ChainVerifier};
use medshare_protocol::digest::sha256d;
use medshare_protocol::header::{CompactTarget, Entry};
use medshare_protocol::id::{BlockId, LeafHash, PackageId};
use serde_json::{Value, json};

use crate::{refused, vectors};

const SPEC: &str = include_str!("../../SPEC.md");
const FILES: [&str; 7] = [
    "blocks", "headers", "judge", "merkle", "package", "proofs", "refused",
];
/// Fewer digits than this, outside of columns of bytes, are numbers and names.
const LITERAL_DIGITS: usize = 16;

/// The lines of each example.
fn examples() -> Vec<Vec<&'static str>> {
    let mut examples = Vec::new();
    let mut open = None;
    for line in SPEC.lines() {
        match (line.starts_with("```"), open.take()) {
            (true, None) => open = Some(Vec::new()),
            (true, Some(lines)) => examples.push(lines),
            (false, Some(mut lines)) => {
                lines.push(line);
                open = Some(lines);
            }
            (false, None) => {}
        }
    }
    assert!(open.is_none(), "an example without an end");
    examples
}

/// The bytes with which a line begins, when it is a row of them: digits, then nothing or what they are.
fn row(line: &str) -> Option<&str> {
    let digits = line.split("  ").next()?;
    let is_bytes = digits.len() >= 2 && digits.len().is_multiple_of(2);
    (is_bytes && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

/// Long runs of hexadecimal digits in a line, without `0x`.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_ascii_hexdigit())
        .filter(|run| run.len() >= LITERAL_DIGITS)
}

/// All texts that examples may quote, in lower case.
struct Known(Vec<String>);

impl Known {
    fn new() -> Self {
        let mut texts: Vec<String> = FILES
            .iter()
            .map(|name| vectors::read(&format!("{name}.json")).to_string())
            .collect();
        texts.extend([origin_preimage(), signing_preimage(), target()]);
        texts.extend(nonces());
        texts.extend(refused_bodies());
        for text in &mut texts {
            text.make_ascii_lowercase();
        }
        Self(texts)
    }

    fn has(&self, digits: &str) -> bool {
        let digits = digits.to_ascii_lowercase();
        self.0.iter().any(|text| text.contains(&digits))
    }

    /// Rows that follow each other are one value, or each is one.
    fn has_rows(&self, rows: &[&str]) -> bool {
        let each = |row: &&str| row.len() >= LITERAL_DIGITS && self.has(row);
        self.has(&rows.concat()) || rows.iter().all(each)
    }
}

/// §1.2: what a thread's origin is the hash of.
fn origin_preimage() -> String {
    let blocks = vectors::read("blocks.json");
    let bytes = [
        b"medshare/thread/v1".as_slice(),
        &vectors::number::<u64>(&blocks, "chain_id").to_be_bytes(),
        &vectors::bytes(&blocks, "contract"),
        &vectors::bytes(&blocks["parent"]["fields"], "requestor"),
    ]
    .concat();
    let origin: B256 = vectors::parsed(&blocks["parent"], "origin");
    assert_eq!(sha256d(&[&bytes]), origin);
    hex::encode(bytes)
}

/// §1.6: what the node of the second side-block signed.
fn signing_preimage() -> String {
    let blocks = vectors::read("blocks.json");
    let side = &blocks["side"][1];
    let body = vectors::bytes(side, "body");
    let (rest, locktime) = body.split_at(body.len() - 8);
    let unsigned = &rest[..rest.len() - 64];
    let origin = vectors::bytes(side, "origin");
    let bytes = [b"medshare/side/v1", origin.as_slice(), unsigned, locktime].concat();
    let digest: B256 = vectors::parsed(side, "signing_digest");
    assert_eq!(sha256d(&[&bytes]), digest);
    hex::encode(bytes)
}

/// §1.3: the target of Bitcoin's first headers.
fn target() -> String {
    let first = &vectors::read("headers.json")["headers"][0];
    let bits = CompactTarget(vectors::number(first, "bits"));
    hex::encode(bits.target().unwrap().to_be_bytes::<32>())
}

/// §7.2: the nonces of the two chunks.
fn nonces() -> [String; 2] {
    let derived = vectors::bytes(&vectors::read("package.json")["package"], "key_and_prefix");
    [(0, 0), (1, 1)].map(|(chunk, last): (u32, u8)| {
        let nonce = [&derived[32..], &chunk.to_be_bytes(), &[last]].concat();
        hex::encode(nonce)
    })
}

/// §10: other spellings of a report's body.
fn refused_bodies() -> Vec<String> {
    let vector = &vectors::read("refused.json")["cbor"]["report_body"];
    let good = vectors::bytes(vector, "good");
    let cases = refused::cases(&good, &vector["refused"]);
    cases.iter().map(|(_, bytes)| hex::encode(bytes)).collect()
}

#[test]
fn every_digit_of_the_examples_is_the_vectors() {
    let known = Known::new();
    let (mut rows_seen, mut literals_seen) = (0, 0);
    for lines in examples() {
        for group in lines.chunk_by(|a, b| row(a).is_some() == row(b).is_some()) {
            let rows: Vec<&str> = group.iter().filter_map(|line| row(line)).collect();
            if !rows.is_empty() {
                rows_seen += rows.len();
                assert!(known.has_rows(&rows), "in no vector: {rows:#?}");
                continue;
            }
            for literal in group.iter().flat_map(|line| literals(line)) {
                literals_seen += 1;
                assert!(known.has(literal), "in no vector: {literal}");
            }
        }
    }
    assert!(rows_seen > 100, "only {rows_seen} rows of bytes");
    assert!(literals_seen > 50, "only {literals_seen} literals");
}

/// The digits with another first, middle or last one.
fn changed(digits: &str) -> impl Iterator<Item = String> {
    [0, digits.len() / 2, digits.len() - 1]
        .into_iter()
        .map(|at| {
            let other = match digits.as_bytes()[at] {
                b'7' => "3",
                _ => "7",
            };
            format!("{}{other}{}", &digits[..at], &digits[at + 1..])
        })
}

/// Whoever changes a digit of an example is told.
#[test]
fn a_changed_digit_is_in_no_vector() {
    let known = Known::new();
    for lines in examples() {
        for group in lines.chunk_by(|a, b| row(a).is_some() == row(b).is_some()) {
            let rows: Vec<&str> = group.iter().filter_map(|line| row(line)).collect();
            for (index, digits) in rows.iter().enumerate() {
                for other in changed(digits) {
                    let mut rows = rows.clone();
                    rows[index] = &other;
                    assert!(!known.has_rows(&rows), "{digits} may be {other}");
                }
            }
            let others = group.iter().filter(|line| row(line).is_none());
            for digits in others.flat_map(|line| literals(line)) {
                for other in changed(digits) {
                    assert!(!known.has(&other), "{digits} may be {other}");
                }
            }
        }
    }
}

/// §6.1: the certificate's text, which stands there in several lines.
#[test]
fn the_certificate_is_the_vectors() {
    let vector = vectors::read("package.json");
    let shown = examples()
        .into_iter()
        .find(|lines| lines[0].starts_with("{\"version\":1"));
    let shown = shown.unwrap();
    let text: String = shown
        .into_iter()
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(text, vector["certificate"]["text"].as_str().unwrap());
}

/// Every section that says how bytes or numbers are made begins with an example.
#[test]
fn sections_begin_with_an_example() {
    let beginning = |title: &str| {
        let section = SPEC.split_once(&format!("\n{title}")).unwrap().1;
        let first = section.split("\n#").next().unwrap();
        let example = first.find("```").unwrap_or_else(|| panic!("{title}"));
        let rule = first.find("\n|").unwrap_or(usize::MAX);
        assert!(example < rule, "{title}: a rule before the example");
        assert!(
            !first[..example].contains("MUST"),
            "{title}: a rule before the example"
        );
    };
    let titles: BTreeSet<&str> = SPEC
        .lines()
        .filter(|line| line.starts_with("##"))
        .filter(|line| {
            !EXAMPLE_ELSEWHERE
                .iter()
                .any(|title| line.starts_with(title))
        })
        .collect();
    assert!(titles.len() > 15, "{titles:#?}");
    titles.into_iter().for_each(beginning);
}

/// Headlines alone, sections whose example is the one before, and lists of what is checked.
const EXAMPLE_ELSEWHERE: [&str; 5] = ["## 1. ", "### 1.5 ", "### 3.1 ", "### 5.1 ", "### 9.1 "];

#[test]
fn the_judge_answers_as_the_spec_says() {
    let vector = vectors::read("judge.json");
    let answers = vector["answers"].as_str().unwrap().as_bytes();
    let lines = SPEC.lines().filter(|line| line.starts_with("judge("));
    let mut seen = 0;
    for line in lines {
        let (call, rest) = line.split_once(')').unwrap();
        let numbers: Vec<usize> = call
            .split([' ', ',', '('])
            .filter_map(|word| match word.strip_prefix("0b") {
                Some(bits) => usize::from_str_radix(bits, 2).ok(),
                None => word.parse().ok(),
            })
            .collect();
        let [sensitivity, granted, exempt, action] = numbers[..] else {
            panic!("{line}");
        };
        let index = ((sensitivity * 64 + granted) * 64 + exempt) * 8 + action;
        let answer = rest.trim_start().as_bytes()[0];
        assert_eq!(char::from(answers[index]), char::from(answer), "{line}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// §3: the record of §1.1 with its last byte changed.
#[test]
fn the_finding_is_the_one_that_the_spec_shows() {
    let blocks = vectors::read("blocks.json");
    let sides = vectors::cases(&blocks["side"], 2);
    let package = PackageId(vectors::parsed(&sides[0]["fields"], "package"));
    let leaf = LeafHash(vectors::parsed(&blocks["parent"], "leaf"));
    let parent = BlockId(vectors::parsed(&blocks["parent"], "id"));
    let mut verifier = ChainVerifier::side(package, leaf, Some(parent));
    for (index, side) in sides.iter().enumerate() {
        let entry = Entry::from_bytes(&vectors::bytes(side, "entry").try_into().unwrap());
        let mut record = vectors::bytes(side, "record");
        if index == 1 {
            let last = record.last_mut().unwrap();
            assert_eq!(std::mem::replace(last, 1), 0);
        }
        verifier.push(&Anchored {
            entry,
            record: Some(record),
            is_registered_node: &|_| true,
            work_limit: entry.bits,
        });
    }
    let findings = verifier.finish(vectors::parsed(&sides[1], "header_hash"));
    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    let mut found = json!(finding);
    found.as_object_mut().unwrap().remove("message");
    let shown = SPEC.lines().find(|line| line.starts_with("{\"chain\":"));
    let shown: Value = serde_json::from_str(shown.unwrap()).unwrap();
    assert_eq!(found, shown);
}
