//! Rules that no honest program breaks: broken here in what was read from the committed bundle.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use medshare_protocol::block::{Block, ParentBlock};

use super::{BundleError, Evidence, verify};

const BUNDLE: &[u8] = include_bytes!("../../../../test/vectors/evidence.zip");

fn evidence() -> Evidence {
    Evidence::read(Cursor::new(BUNDLE)).unwrap()
}

fn flaws(evidence: &Evidence) -> String {
    let flaws = verify(evidence).flaws.into_iter();
    flaws
        .map(|flaw| format!("{}: {}\n", flaw.part, flaw.what))
        .collect()
}

#[test]
fn a_report_is_earlier_than_its_sessions_end() {
    let mut evidence = evidence();
    assert_eq!(flaws(&evidence), "");
    let submission = &mut evidence.dossier.reports[0].submission;
    submission.session.expiry = submission.report.time;
    let flaws = flaws(&evidence);
    assert!(
        flaws.contains("report 1 is later than its session's end"),
        "{flaws}"
    );
}

#[test]
fn a_report_that_the_contract_has_settled_is_there() {
    let mut evidence = evidence();
    evidence.dossier.reports.truncate(1);
    evidence.blocks.sides.truncate(1);
    evidence.proofs.sides.truncate(1);
    let flaws = flaws(&evidence);
    assert!(
        flaws.contains("which the contract has settled, is missing"),
        "{flaws}"
    );
}

#[test]
fn a_part_has_one_name_in_the_whole_archive() {
    let name = b"form.json";
    let mut places = BUNDLE.windows(name.len()).enumerate();
    let (place, _) = places.find(|(_, bytes)| bytes == name).unwrap();
    let mut bundle = BUNDLE.to_vec();
    bundle[place] = b'g';
    let refused = Evidence::read(Cursor::new(bundle)).unwrap_err();
    assert!(matches!(refused, BundleError::Added), "{refused}");
}

/// The parent block's header, changed; its side-blocks' records follow.
fn with_header(change: impl Fn(&mut ParentBlock)) -> Evidence {
    let mut evidence = evidence();
    let mut parent = ParentBlock::from_bytes(&evidence.blocks.parent).unwrap();
    change(&mut parent);
    while !parent.header.meets_its_target() {
        parent.header.nonce += 1;
    }
    evidence.blocks.parent = parent.to_bytes().into();
    for side in &mut evidence.blocks.sides {
        let mut record = side.to_vec();
        record[4..20].copy_from_slice(&parent.id().0[..16]);
        assert!(matches!(Block::from_bytes(&record), Ok(Block::Side(_))));
        *side = record.into();
    }
    evidence
}

#[test]
fn the_parent_blocks_header_is_that_of_its_place() {
    assert_eq!(flaws(&with_header(|_| {})), "");
    let other_root = with_header(|parent| parent.header.merkle_root.0[0] ^= 1);
    let flaws = flaws(&other_root);
    assert!(
        flaws.contains("header is not the one of its place in the thread"),
        "{flaws}"
    );
}

/// A second `form.json`, which stands in no list: whoever reads an archive from its beginning finds it.
#[test]
fn nothing_stands_between_the_parts() {
    let end = BUNDLE.len() - 22;
    let list = u32::from_le_bytes(BUNDLE[end + 16..end + 20].try_into().unwrap());
    let (parts, rest) = BUNDLE.split_at(list as usize);
    let added = b"PK\x03\x04 another part";
    let mut bundle = [parts, added, rest].concat();
    let place = bundle.len() - 6;
    let moved = list + added.len() as u32;
    bundle[place..place + 4].copy_from_slice(&moved.to_le_bytes());
    let refused = Evidence::read(Cursor::new(bundle)).unwrap_err();
    assert!(matches!(refused, BundleError::Added), "{refused}");
}

#[test]
fn a_stranger_adds_no_line_to_what_is_proven() {
    let mut evidence = evidence();
    evidence.dossier.form[1] = {
        let mut step = evidence.dossier.form[1].clone();
        step.action = "processed\nproven: all\u{1b}[2K".into();
        step
    };
    let verdict = verify(&evidence);
    let said = verdict.proven.iter().map(|claim| &claim.what);
    for text in said.chain(verdict.flaws.iter().map(|flaw| &flaw.what)) {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}
