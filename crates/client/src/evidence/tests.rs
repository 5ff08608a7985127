//! Rules that no honest program breaks: broken here in what was read from the committed bundle.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

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
