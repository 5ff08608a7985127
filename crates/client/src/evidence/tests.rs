//! Rules that no honest program breaks: broken here in what was read from the committed bundle.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use medshare_protocol::block::{Block, ParentBlock};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{BundleError, Evidence, verify};

const BUNDLE: &[u8] = include_bytes!("../../../../test/vectors/evidence.zip");
/// What stands before a part's name, and what the file ends with (APPNOTE.TXT, 4.3.7 and 4.3.16).
const LOCAL_BYTES: usize = 30;
const END_BYTES: usize = 22;

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

/// What does not belong to a part: everything that stands before, between and behind them.
fn bytes_of_the_archive_itself() -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 0;
    for (name, bytes) in evidence().parts() {
        let data = at + LOCAL_BYTES + name.len();
        places.extend(at..data);
        at = data + bytes.len();
    }
    places.extend(at..BUNDLE.len());
    places
}

#[test]
fn no_bit_of_the_archive_itself_can_be_changed() {
    let places = bytes_of_the_archive_itself();
    assert!(places.len() > 1_400, "{}", places.len());
    for place in places {
        for bit in 0..8 {
            let mut bundle = BUNDLE.to_vec();
            bundle[place] ^= 1 << bit;
            let read = Evidence::read(Cursor::new(bundle));
            assert!(read.is_err(), "bit {bit} of byte {place}");
        }
    }
}

/// Whatever a reader of zip files overlooks: a second part in no list, a comment, bytes before the first part.
#[test]
fn nothing_stands_beside_the_parts() {
    let added = b"PK\x03\x04 another part";
    let list = u32::from_le_bytes(BUNDLE[BUNDLE.len() - 6..][..4].try_into().unwrap()) as usize;
    for place in [0, list, BUNDLE.len() - END_BYTES, BUNDLE.len()] {
        let (before, behind) = BUNDLE.split_at(place);
        let mut bundle = [before, added, behind].concat();
        if place == list {
            let end = bundle.len() - 6;
            let moved = u32::try_from(list + added.len()).unwrap();
            bundle[end..][..4].copy_from_slice(&moved.to_le_bytes());
        }
        let refused = Evidence::read(Cursor::new(bundle)).unwrap_err();
        let is_told = matches!(refused, BundleError::Repacked | BundleError::Archive(_));
        assert!(is_told, "{place}: {refused}");
    }
    let mut commented = BUNDLE.to_vec();
    commented[BUNDLE.len() - 2] = 3;
    commented.extend(b"yes");
    let refused = Evidence::read(Cursor::new(commented)).unwrap_err();
    assert!(matches!(refused, BundleError::Archive(_)), "{refused}");
}

/// An archive's list takes ten times its bytes in memory.
#[test]
fn an_archive_of_many_entries_is_refused_before_they_are_listed() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..65 {
        let name = number.to_string();
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
    }
    let refused = Evidence::read(&archive.finish().unwrap().into_inner()[..]).unwrap_err();
    assert!(matches!(refused, BundleError::Repacked), "{refused}");
    // A list of its own in Zip64's place (4.3.14), which the last record only points to.
    let mut elsewhere = BUNDLE.to_vec();
    let place = BUNDLE.len() - 6;
    elsewhere[place..place + 4].fill(0xff);
    let refused = Evidence::read(Cursor::new(elsewhere)).unwrap_err();
    assert!(matches!(refused, BundleError::Repacked), "{refused}");
}

/// Empty texts take eight times their bytes in memory: a part is weighed before it is read.
#[test]
fn a_part_longer_than_any_is_refused_before_it_is_read() {
    const MIB: usize = 1 << 20;
    let limits = [
        ("evidence.json", 4 * MIB),
        ("request.json", 4 * MIB),
        ("usage.json", 4 * MIB),
        ("form.json", 4 * MIB),
        ("validation.json", 4 * MIB),
        ("contract.json", 4 * MIB),
        ("wallet.json", 4 * MIB),
        ("code.hex", 4 * MIB),
        ("blocks.json", 16 * MIB),
    ];
    for (name, limit) in limits {
        let of = |length: usize| {
            let mut parts = evidence().parts();
            parts.get_mut(name).unwrap().resize(length, b' ');
            let bundle = super::bundle::archive(&parts).unwrap();
            Evidence::read(&bundle[..]).unwrap_err()
        };
        let (longest, longer) = (of(limit), of(limit + 1));
        assert!(
            matches!(longest, BundleError::Respelled(part) if part == name),
            "{longest}"
        );
        let is_weighed = matches!(&longer, BundleError::Unreadable { part, reason }
            if *part == name && reason.contains("more than"));
        assert!(is_weighed, "{longer}");
    }
}

#[test]
fn another_programs_archive_of_the_same_parts_is_refused() {
    let packed = |mode| {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .unix_permissions(mode);
        for (name, bytes) in evidence().parts() {
            archive.start_file(name, options).unwrap();
            archive.write_all(&bytes).unwrap();
        }
        Evidence::read(&archive.finish().unwrap().into_inner()[..])
    };
    assert_eq!(packed(0o644).unwrap(), evidence());
    let refused = packed(0o600).unwrap_err();
    assert!(matches!(refused, BundleError::Repacked), "{refused}");
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
