//! What the contract held. Nobody signs it: each change breaks a hash, and it is the one that is asked for.

use super::{Change, Evidence, OTHER, bundle, examination, told};

/// What is changed, what is told, and whether the examination goes on.
type Row = (Change<Evidence>, &'static str, bool);

#[test]
fn it_is_proven_of_this_deployment_with_its_wallet_and_code() {
    let rows: [Row; 5] = [
        (
            |evidence| evidence.subject.contract.0[0] ^= 1,
            "contract.json: the contract is",
            false,
        ),
        (
            |evidence| evidence.contract.account.code_hash = OTHER,
            "contract.json: ",
            false,
        ),
        (
            |evidence| evidence.contract.storage.clear(),
            "contract.json: the proof lacks",
            false,
        ),
        (
            |evidence| evidence.wallet.code_hash = OTHER,
            "wallet.json: ",
            true,
        ),
        (
            |evidence| evidence.code = [&evidence.code[..], &[0]].concat().into(),
            "code.hex: the hash of the code is",
            true,
        ),
    ];
    for (change, expected, goes_on) in rows {
        let (mut evidence, _) = bundle();
        change(&mut evidence);
        let mut examination = examination(&evidence);
        assert_eq!(examination.contract().is_some(), goes_on, "{expected}");
        let told = told(examination);
        assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}");
    }
}
