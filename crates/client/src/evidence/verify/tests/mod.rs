//! Each rule of SPEC §9.1 by itself. Whoever changes a value that was signed breaks the signature first, and the rule that
//! is meant for the value is never asked. So here is evidence of one's own making: what is changed in it is signed anew by
//! whoever signs it, what follows from it follows, and nothing else is wrong.
#![allow(clippy::unwrap_used)]

mod chain;
mod contract;
mod form;
mod keys;
mod make;
mod parent;
mod reports;
mod sides;
mod wallet;
mod words;

use std::io::Cursor;

use alloy_primitives::B256;
use medshare_protocol::block::{ParentBody, SideBody};
use medshare_protocol::certificate::Certificate;
use medshare_protocol::form::Step;
use medshare_protocol::header::Header;
use medshare_protocol::typed::{AccessRequest, Deletion, Receipt, Report, Session, Validation};

use super::{Claim, Examination, Held};
use crate::evidence::Evidence;

const BUNDLE: &[u8] = include_bytes!("../../../../../../test/vectors/evidence.zip");
/// Stands where something else belongs.
const OTHER: B256 = B256::repeat_byte(9);

type Change<T> = fn(&mut T);

/// What is changed, each just before it is signed: of reports, sessions, receipts and side-blocks those with the number
/// `of`.
struct Changes {
    of: u32,
    request: Change<AccessRequest>,
    certificate: Change<Certificate>,
    form: Change<Vec<Step>>,
    validation: Change<Validation>,
    parent: Change<ParentBody>,
    /// The parent block's, after it was mined.
    header: Change<Header>,
    report: Change<Report>,
    session: Change<Session>,
    receipt: Change<Receipt>,
    side: Change<SideBody>,
    deletion: Change<Deletion>,
    /// What a stranger signs: the messages' names in §4, `Parent`, `Side`.
    forged: &'static [&'static str],
    /// How many of the reports are in side-blocks.
    anchored: usize,
    /// All of it, in the end.
    evidence: Change<Evidence>,
    /// What the contract held.
    held: Change<Held>,
}

/// Nothing is changed.
const SOUND: Changes = Changes {
    of: 2,
    request: |_| (),
    certificate: |_| (),
    form: |_| (),
    validation: |_| (),
    parent: |_| (),
    header: |_| (),
    report: |_| (),
    session: |_| (),
    receipt: |_| (),
    side: |_| (),
    deletion: |_| (),
    forged: &[],
    anchored: usize::MAX,
    evidence: |_| (),
    held: |_| (),
};

fn examination(evidence: &Evidence) -> Examination<'_> {
    Examination {
        evidence,
        domain: evidence.subject.domain(),
        proven: Vec::new(),
        flaws: Vec::new(),
    }
}

/// The committed bundle, and what its contract held.
fn bundle() -> (Evidence, Held) {
    let evidence = Evidence::read(Cursor::new(BUNDLE)).unwrap();
    let held = examination(&evidence).contract().unwrap();
    (evidence, held)
}

/// What is proven by the evidence that is made with these changes, and all its flaws: everything is examined but the proof of
/// what the contract held.
fn examined(changes: &Changes) -> (Vec<Claim>, Vec<String>) {
    let (evidence, held) = make::make(changes);
    let mut examination = examination(&evidence);
    examination.request(&held);
    examination.usage(&held);
    if let Some(parent) = examination.parent(&held) {
        examination.form(&parent);
        examination.validation(&parent);
        let sides = examination.sides(&held, &parent);
        examination.reports(&held, &parent, &sides);
        examination.deletion(&held);
    }
    let proven = std::mem::take(&mut examination.proven);
    (proven, told(examination))
}

fn told(examination: Examination<'_>) -> Vec<String> {
    let flaws = examination.flaws.into_iter();
    flaws
        .map(|flaw| format!("{}: {}", flaw.part, flaw.what))
        .collect()
}

/// Holds that just these flaws are told, in this order: each has this in it.
#[track_caller]
fn assert_flaws(changes: &Changes, expected: &[&str]) {
    let (_, flaws) = examined(changes);
    let as_expected = |(flaw, expected): (&String, &&str)| flaw.contains(expected);
    assert!(
        flaws.len() == expected.len() && flaws.iter().zip(expected).all(as_expected),
        "{expected:?} expected, {flaws:#?} told"
    );
}

/// Holds that each of the changes is told by the one flaw beside it.
#[track_caller]
fn assert_each(rules: &[(Changes, &str)]) {
    for (changes, expected) in rules {
        assert_flaws(changes, &[expected]);
    }
}

#[test]
fn what_is_made_anew_is_sound() {
    assert_flaws(&SOUND, &[]);
}

/// Every part is examined: of a sound bundle each one shows something.
#[test]
fn no_part_is_left_out() {
    let (evidence, _) = bundle();
    let proven = super::verify(&evidence).proven;
    for part in [
        "request",
        "usage",
        "form",
        "validation",
        "blocks",
        "proofs",
        "contract",
        "reports",
        "deletion",
    ] {
        let shown = proven
            .iter()
            .any(|claim| claim.part == format!("{part}.json"));
        assert!(shown, "{part}");
    }
}
