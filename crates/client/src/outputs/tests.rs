#![allow(clippy::unwrap_used)]
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::typed::OutputDecision;

use super::*;

fn known(node: Address) -> GivenAway {
    GivenAway {
        number: 7,
        output: B256::repeat_byte(4),
        node,
        chain_id: 31337,
        contract: Address::repeat_byte(5),
    }
}

#[test]
fn a_decision_counts_if_the_package_s_node_signed_it_for_this_output() {
    let node = PrivateKeySigner::random();
    let (package, known) = (PackageId(B256::repeat_byte(1)), known(node.address()));
    let good = OutputDecision {
        package: package.0,
        number: known.number,
        output: known.output,
        released: true,
        reason: String::new(),
        time: 1,
    };
    let signed = |decision: OutputDecision, by: &PrivateKeySigner, chain_id| SignedDecision {
        signature: Domain::new(chain_id, known.contract)
            .sign(&decision, by)
            .unwrap()
            .to_vec()
            .into(),
        decision,
    };
    let holds = |signed: &SignedDecision| check(package, &known, signed).is_ok();
    assert!(holds(&signed(good.clone(), &node, 31337)));
    assert!(!holds(&signed(good.clone(), &node, 1)), "another chain");
    let stranger = PrivateKeySigner::random();
    assert!(
        !holds(&signed(good.clone(), &stranger, 31337)),
        "a stranger"
    );
    for change in [
        |decision: &mut OutputDecision| decision.package = B256::ZERO,
        |decision: &mut OutputDecision| decision.number = 8,
        |decision: &mut OutputDecision| decision.output = B256::ZERO,
    ] {
        let mut other = good.clone();
        change(&mut other);
        assert!(!holds(&signed(other.clone(), &node, 31337)), "{other:?}");
    }
    // Signed as refused, told as released.
    let refused = OutputDecision {
        released: false,
        ..good.clone()
    };
    let mut twisted = signed(refused, &node, 31337);
    twisted.decision.released = true;
    assert!(!holds(&twisted));
}

#[test]
fn what_is_kept_is_sealed_and_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let purse = crate::purse::Purse::at(&home.path().join("purse")).unwrap();
    let folder = purse.package(PackageId(B256::repeat_byte(1))).unwrap();
    assert!(given_away(&folder).unwrap().is_empty());
    let known = known(Address::ZERO);
    keep(&folder, &known, b"sealed").unwrap();
    assert_eq!(given_away(&folder).unwrap(), [(known.clone(), false)]);
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(sealed_path(&folder, 7)), 0o600);
    assert_eq!(mode(folder.outputs()), 0o700);
    std::fs::remove_file(sealed_path(&folder, 7)).unwrap();
    assert_eq!(given_away(&folder).unwrap(), [(known, true)]);
}
