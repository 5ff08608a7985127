#![allow(clippy::unwrap_used)]
use alloy_primitives::{Address, B256, Bytes};
use medshare_protocol::typed::{AccessRequest, Selection};
use medshare_protocol::wire::SignedRequest;

use super::*;

fn purse() -> (tempfile::TempDir, Purse) {
    let folder = tempfile::tempdir().unwrap();
    let purse = Purse::at(&folder.path().join("home")).unwrap();
    (folder, purse)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn folders_and_files_are_for_their_owner_alone() {
    let (_folder, purse) = purse();
    let profile = Profile {
        node: "http://127.0.0.1:8080".into(),
        rpc: "http://127.0.0.1:8545".into(),
        contract: Address::repeat_byte(1),
    };
    purse.save_profile(&profile).unwrap();
    assert_eq!(purse.profile().unwrap(), profile);
    assert_eq!(mode(purse.home()), 0o700);
    assert_eq!(mode(&purse.profile_path()), 0o600);
    let package = purse.package(PackageId(B256::repeat_byte(2))).unwrap();
    assert_eq!(mode(package.path()), 0o700);
    let socket = purse.socket(package.id()).unwrap();
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
}

#[test]
fn a_home_that_others_may_use_is_refused() {
    let (_folder, purse) = purse();
    fs::set_permissions(purse.home(), fs::Permissions::from_mode(0o750)).unwrap();
    let refused = Purse::at(purse.home()).unwrap_err();
    assert!(matches!(refused, PurseError::TooOpen { mode: 0o750, .. }));
    assert!(refused.to_string().contains("chmod 700"), "{refused}");
}

#[test]
fn a_missing_or_wrong_profile_is_told_from_another() {
    let (_folder, purse) = purse();
    assert!(matches!(purse.profile(), Err(PurseError::NoProfile(_))));
    for text in [
        "node = 1",
        "",
        "node = 'a'\nrpc = 'b'\ncontract = '0x12'",
        "\u{0}",
    ] {
        fs::write(purse.profile_path(), text).unwrap();
        let error = purse.profile().unwrap_err();
        assert!(
            matches!(error, PurseError::BadProfile { .. }),
            "{text}: {error}"
        );
        assert!(!error.to_string().contains('\n'), "one sentence: {error}");
    }
}

#[test]
fn keys_are_kept_once_and_open_with_their_passphrase_only() {
    let (_folder, purse) = purse();
    let wallet = PrivateKeySigner::random();
    assert!(matches!(
        purse.wallet("x"),
        Err(PurseError::Keystore(KeystoreError::Missing(_)))
    ));
    purse.keep_wallet("right", &wallet).unwrap();
    assert_eq!(purse.wallet("right").unwrap().address(), wallet.address());
    assert!(matches!(
        purse.wallet("wrong"),
        Err(PurseError::Keystore(KeystoreError::WrongPassphrase(_)))
    ));
    assert!(
        purse
            .keep_wallet("right", &PrivateKeySigner::random())
            .is_err()
    );
    let sealing = purse.sealing("right").unwrap();
    assert_eq!(purse.sealing("right").unwrap().public(), sealing.public());
    assert!(purse.sealing("wrong").is_err());
    assert_eq!(mode(&purse.wallet_path()), 0o600);
}

#[test]
fn packages_are_listed_and_foreign_folders_are_not() {
    let (_folder, purse) = purse();
    assert!(purse.packages().unwrap().is_empty());
    let id = PackageId(B256::repeat_byte(3));
    assert!(matches!(
        purse.known_package(id),
        Err(PurseError::NoPackage { .. })
    ));
    let package = purse.package(id).unwrap();
    purse.package(PackageId(B256::repeat_byte(2))).unwrap();
    fs::create_dir(purse.home().join("packages/notes")).unwrap();
    let ids: Vec<_> = purse
        .packages()
        .unwrap()
        .iter()
        .map(PackageFolder::id)
        .collect();
    assert_eq!(ids, [PackageId(B256::repeat_byte(2)), id]);

    assert_eq!(package.request().unwrap(), None);
    let request = SignedRequest {
        request: AccessRequest {
            requestor: Address::ZERO,
            custodian: Address::ZERO,
            dataset: B256::ZERO,
            purpose: B256::ZERO,
            selection: Selection::default(),
            salt: B256::ZERO,
            deadline: 1,
        },
        signature: Bytes::from_static(&[1]),
    };
    package.save_request(&request).unwrap();
    assert_eq!(
        purse.known_package(id).unwrap().request().unwrap(),
        Some(request)
    );
}

#[test]
fn a_path_too_long_for_a_socket_is_told_before_binding() {
    let folder = tempfile::tempdir().unwrap();
    let purse = Purse::at(&folder.path().join("x".repeat(100))).unwrap();
    let id = PackageId(B256::repeat_byte(3));
    assert!(matches!(
        purse.socket(id),
        Err(PurseError::SocketPathTooLong(_))
    ));
}
