use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use medshare_chain::PrivateKeySigner;
use medshare_chain::keystore::{
    KeystoreError, read_secret, read_wallet, wallet_address, write_secret, write_wallet,
};
use proptest::prelude::*;

const PASSPHRASE: &str = "correct horse, pferd Ω";

fn wallet_file() -> (tempfile::TempDir, PathBuf, PrivateKeySigner) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.json");
    let wallet = PrivateKeySigner::random();
    write_wallet(&path, PASSPHRASE, &wallet).unwrap();
    (folder, path, wallet)
}

#[test]
fn wallets_survive_the_file_and_only_their_passphrase_opens_it() {
    let (_folder, path, wallet) = wallet_file();
    let read = read_wallet(&path, PASSPHRASE).unwrap();
    assert_eq!(read.to_bytes(), wallet.to_bytes());
    assert_eq!(wallet_address(&path).unwrap(), Some(wallet.address()));
    let error = read_wallet(&path, "wrong").unwrap_err();
    assert!(matches!(error, KeystoreError::WrongPassphrase(_)));
    assert_eq!(
        error.to_string(),
        format!("the passphrase does not open {}", path.display())
    );
}

#[test]
fn files_are_private_costly_and_never_overwritten() {
    let (folder, path, wallet) = wallet_file();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(json["crypto"]["kdfparams"]["n"].as_u64().unwrap() >= 1 << 17);
    assert!(!text.contains(&wallet.to_bytes().to_string()[2..]));
    let error = write_wallet(&path, PASSPHRASE, &PrivateKeySigner::random()).unwrap_err();
    assert!(matches!(error, KeystoreError::Exists(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    // Nothing is left beside it.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn secrets_survive_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sealing.json");
    let secret = [0x42; 32];
    write_secret(&path, PASSPHRASE, &secret).unwrap();
    assert_eq!(*read_secret(&path, PASSPHRASE).unwrap(), secret);
    assert_eq!(wallet_address(&path).unwrap(), None);
    let error = read_secret(&path, "").unwrap_err();
    assert!(
        matches!(error, KeystoreError::WrongPassphrase(_)),
        "{error}"
    );
}

#[test]
fn another_implementation_reads_ours_and_we_read_its() {
    let (folder, path, wallet) = wallet_file();
    let theirs = PrivateKeySigner::decrypt_keystore(&path, PASSPHRASE).unwrap();
    assert_eq!(theirs.to_bytes(), wallet.to_bytes());
    // eth-keystore's published example of scrypt, made by neither of the two.
    let published = folder.path().join("published.json");
    std::fs::write(&published, PUBLISHED).unwrap();
    let read = read_wallet(&published, "testpassword");
    let error = read.unwrap_err().to_string();
    assert!(
        error.contains("n=262144 r=1 p=8 is out of range"),
        "{error}"
    );
}

/// The Web3 Secret Storage page's own scrypt example. Its cost breaks RFC 7914 (N < 2^(128·r/8)), so it is refused.
const PUBLISHED: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
"ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",
"kdfparams":{"dklen":32,"n":262144,"p":8,"r":1,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
"mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

fn cast() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cast = root.join("node_modules/.bin/cast");
    assert!(cast.is_file(), "cast is missing: run `npm ci`");
    cast
}

fn cast_wallet(arguments: &[&str]) -> String {
    let output = Command::new(cast())
        .arg("wallet")
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn cast_opens_our_file() {
    let (_folder, path, wallet) = wallet_file();
    let file = path.to_str().unwrap();
    let told = cast_wallet(&["address", "--keystore", file, "--password", PASSPHRASE]);
    assert_eq!(told.trim(), wallet.address().to_string());
}

#[test]
fn we_open_casts_file() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = PrivateKeySigner::random();
    let key = wallet.to_bytes().to_string();
    let place = folder.path().to_str().unwrap();
    cast_wallet(&[
        "import",
        "theirs",
        "--keystore-dir",
        place,
        "--private-key",
        &key,
        "--unsafe-password",
        PASSPHRASE,
    ]);
    let read = read_wallet(&folder.path().join("theirs"), PASSPHRASE).unwrap();
    assert_eq!(read.address(), wallet.address());
}

fn refusal(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.json");
    std::fs::write(&path, text).unwrap();
    read_wallet(&path, PASSPHRASE).unwrap_err().to_string()
}

#[test]
fn what_is_no_usable_keystore_is_refused_with_the_reason() {
    let (_folder, path, _) = wallet_file();
    let good = std::fs::read_to_string(&path).unwrap();
    for (from, to, reason) in [
        ("\"version\":3", "\"version\":4", "version is 4"),
        ("aes-128-ctr", "aes-256-gcm", "cipher is not aes-128-ctr"),
        ("\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\"", "not scrypt"),
        ("\"n\":131072", "\"n\":131071", "out of range"),
        ("\"n\":131072", "\"n\":9223372036854775808", "out of range"),
        ("\"n\":131072", "\"n\":1073741824", "out of range"),
        ("\"r\":8", "\"r\":0", "out of range"),
        ("\"p\":1", "\"p\":4000000000", "out of range"),
        ("\"dklen\":32", "\"dklen\":16", "16 bytes, not 32"),
        ("\"iv\":\"", "\"iv\":\"00", "iv has 17 bytes, not 16"),
        ("\"mac\":\"", "\"mac\":\"zz", "mac is not hexadecimal"),
        ("\"crypto\"", "\"cripto\"", "missing field"),
    ] {
        assert!(good.contains(from), "{from} is not in {good}");
        let told = refusal(&good.replacen(from, to, 1));
        assert!(told.contains(reason), "{from} -> {to}: {told}");
    }
    assert!(refusal("").contains("no usable Ethereum keystore"));
    assert!(refusal(&" ".repeat(70_000)).contains("the limit is 65536"));
    let missing = read_wallet(Path::new("/nowhere/wallet.json"), "").unwrap_err();
    assert!(matches!(missing, KeystoreError::Missing(_)), "{missing}");
}

#[test]
fn a_changed_address_or_ciphertext_is_found() {
    let (folder, path, wallet) = wallet_file();
    let good = std::fs::read_to_string(&path).unwrap();
    let json: serde_json::Value = serde_json::from_str(&good).unwrap();
    let other = folder.path().join("other.json");
    let address = json["address"].as_str().unwrap();
    std::fs::write(&other, good.replace(address, &"11".repeat(20))).unwrap();
    let error = read_wallet(&other, PASSPHRASE).unwrap_err();
    let held = wallet.address();
    assert!(matches!(error, KeystoreError::OtherAccount { held: found, .. } if found == held));
    let ciphertext = json["crypto"]["ciphertext"].as_str().unwrap();
    std::fs::write(&other, good.replace(ciphertext, &"22".repeat(32))).unwrap();
    let error = read_wallet(&other, PASSPHRASE).unwrap_err();
    assert!(
        matches!(error, KeystoreError::WrongPassphrase(_)),
        "{error}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let path = Path::new("/nowhere/at/all/wallet.json");
    let error = write_secret(path, "", &[1; 32]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot write /nowhere/at/all/wallet.json"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Cut or changed at any place, a file is refused or still opens; it never ends the program.
    #[test]
    fn damaged_files_are_refused_without_a_panic(place in 0..PUBLISHED.len(), byte: u8, cut: bool) {
        let mut bytes = PUBLISHED.as_bytes().to_vec();
        if cut { bytes.truncate(place) } else { bytes[place] = byte }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.json");
        std::fs::write(&path, bytes).unwrap();
        prop_assert!(read_wallet(&path, "x").is_err());
    }
}
