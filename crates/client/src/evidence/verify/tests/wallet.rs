//! A requestor whose wallet is a contract: its signatures show nothing by themselves, and the verdict says so.

use medshare_protocol::usage::State;

use super::super::Assumption::{self, Algorithms, Clocks, Contract, EvmBlock, NodesWord};
use super::{Changes, SOUND, examined};

const WITH_CODE: Changes = Changes {
    // The report of a violation.
    of: 3,
    forged: &["AccessRequest", "Session", "Deletion"],
    held: |held| held.wallet_has_code = true,
    ..SOUND
};

/// What is proven by a part, and on what each statement rests.
fn shown(changes: &Changes, part: &str) -> Vec<(String, Vec<Assumption>)> {
    let (proven, flaws) = examined(changes);
    assert_eq!(flaws, [""; 0]);
    let of_part = proven.into_iter().filter(|claim| claim.part == part);
    of_part.map(|claim| (claim.what, claim.rests_on)).collect()
}

#[test]
fn the_request_is_what_the_contract_saw() {
    let shown = shown(&WITH_CODE, "request.json");
    let [(what, rests_on)] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert!(
        what.contains("(a contract) agreed to the request"),
        "{what}"
    );
    assert_eq!(rests_on[..], [EvmBlock, Contract, Algorithms]);
}

#[test]
fn reports_rest_on_the_nodes_word() {
    let reports = shown(&WITH_CODE, "reports.json");
    assert!(
        reports[0].0.contains("the custodian's node says"),
        "{reports:?}"
    );
    assert!(reports[1].0.contains("a violation"), "{reports:?}");
    for (what, rests_on) in &reports[..2] {
        assert!(rests_on.contains(&NodesWord), "{what}");
    }
    let by_key = shown(&SOUND, "reports.json");
    assert!(by_key[0].0.contains("by keys that the wallet delegated"));
    assert!(!by_key[0].1.contains(&NodesWord));
}

#[test]
fn that_it_was_deleted_the_contract_saw_and_when_the_node_alone() {
    let agreed = "agreed that the data was deleted: the contract holds it as retrieved";
    let time = "the custodian's node says that this wallet gave";
    let deletion = shown(&WITH_CODE, "deletion.json");
    let [first, second] = &deletion[..] else {
        panic!("{deletion:?}")
    };
    assert!(first.0.contains(agreed) && second.0.contains(time));
    assert_eq!(first.1[..], [EvmBlock, Contract, Algorithms]);
    assert_eq!(second.1[..], [Clocks, NodesWord]);
    let not_taken_back = Changes {
        held: |held| {
            held.wallet_has_code = true;
            held.status.state = State::Revoked;
        },
        ..WITH_CODE
    };
    let deletion = shown(&not_taken_back, "deletion.json");
    let [only] = &deletion[..] else {
        panic!("{deletion:?}")
    };
    assert!(only.0.contains(time), "{}", only.0);
    assert!(
        shown(&SOUND, "deletion.json")[0]
            .0
            .contains("the requestor signed that")
    );
}

/// Whatever is said of the contract, or measured by what it held, rests on it and on its block.
#[test]
fn what_the_contract_held_rests_on_its_block() {
    for (part, says) in [
        ("reports.json", "a violation"),
        ("deletion.json", "the contract holds it as retrieved"),
        ("usage.json", "grants"),
    ] {
        let shown = shown(&SOUND, part);
        let (what, rests_on) = shown.iter().find(|(what, _)| what.contains(says)).unwrap();
        assert!(rests_on.starts_with(&[EvmBlock, Contract]), "{what}");
    }
}
