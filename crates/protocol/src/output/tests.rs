#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn package() -> PackageId {
    PackageId(B256::repeat_byte(1))
}

fn files(of: &[(&str, &[u8])]) -> OutputFiles {
    let mut files = OutputFiles::default();
    of.iter()
        .for_each(|(path, content)| files.add(path, content).unwrap());
    files
}

fn listed(files: &OutputFiles) -> Vec<(String, Vec<u8>)> {
    let owned = |(path, content): (&str, &[u8])| (path.to_owned(), content.to_owned());
    files.iter().map(owned).collect()
}

#[test]
fn an_output_opens_for_whom_and_what_it_was_sealed() {
    let made = files(&[("table.csv", b"a,1\n"), ("plots/a.svg", b"<svg/>")]);
    let [custodian, requestor] = [(); 2].map(|()| SealingSecret::generate().unwrap());
    let held = made.seal_held(custodian.public(), package()).unwrap();
    let opened = OutputFiles::open_held(&held, &custodian, package()).unwrap();
    assert_eq!(listed(&opened), listed(&made));
    let released = opened
        .seal_released(requestor.public(), package(), 7)
        .unwrap();
    let taken = OutputFiles::open_released(&released, &requestor, package(), 7).unwrap();
    assert_eq!(listed(&taken), listed(&made));

    let other = PackageId(B256::repeat_byte(2));
    assert!(OutputFiles::open_held(&held, &requestor, package()).is_err());
    assert!(OutputFiles::open_held(&held, &custodian, other).is_err());
    assert!(OutputFiles::open_released(&released, &requestor, package(), 8).is_err());
    assert!(OutputFiles::open_released(&released, &requestor, other, 7).is_err());
    // The same key and files, for the other use.
    let released = made
        .seal_released(custodian.public(), package(), 7)
        .unwrap();
    assert!(OutputFiles::open_held(&released, &custodian, package()).is_err());
}

#[test]
fn the_cbor_is_that_of_the_spec() {
    let bytes = files(&[("b", b"2"), ("a", b"1")]).to_bytes();
    assert_eq!(hex::encode(&bytes), "8282616141318261624132");
    assert!(OutputFiles::from_bytes(&bytes).is_ok());
    let refused = |digits: &str| OutputFiles::from_bytes(&hex::decode(digits).unwrap()).is_err();
    assert!(refused("8282616241328261614131"), "not in order");
    assert!(refused("8282616141318261614132"), "one path twice");
    assert!(refused("9f82616141318261624132ff"), "indefinite length");
    assert!(refused("828261614131826162413200"), "a byte behind it");
    assert!(refused("81826161613100"), "a text for content");
}

#[test]
fn no_path_leads_out_of_the_folder() {
    for path in [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "./a", "a/.", "a\0b",
    ] {
        assert!(OutputFiles::default().add(path, b"").is_err(), "{path:?}");
    }
    for path in ["a", "a/b", "...", "a b/ö", ".a", "a\\b"] {
        OutputFiles::default().add(path, b"").unwrap();
    }
    // As little from what somebody else packed.
    let there = hex::encode("../a");
    let bytes = hex::decode(format!("818264{there}4131")).unwrap();
    let refused = OutputFiles::from_bytes(&bytes);
    assert!(matches!(refused, Err(OutputError::BadPath(_))));
}

#[test]
fn what_is_too_long_is_not_sealed() {
    let key = SealingSecret::generate().unwrap().public();
    let most = MAX_SEALED_OUTPUT_BYTES - seal::SEAL_OVERHEAD_BYTES - 9;
    let sealed = |length: usize| files(&[("a", &vec![0; length])]).seal_held(key, package());
    assert_eq!(sealed(most).unwrap().len(), MAX_SEALED_OUTPUT_BYTES);
    assert!(matches!(sealed(most + 1), Err(OutputError::TooLong(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_the_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(files) = OutputFiles::from_bytes(&bytes) {
            prop_assert_eq!(files.to_bytes().to_vec(), bytes);
        }
    }

    #[test]
    fn what_is_packed_is_unpacked(of in prop::collection::btree_map("[a-z]{1,3}(/[a-z]{1,3})?", prop::collection::vec(any::<u8>(), 0..40), 0..5)) {
        let mut made = OutputFiles::default();
        for (path, content) in &of {
            made.add(path, content).unwrap();
        }
        let read = OutputFiles::from_bytes(&made.to_bytes()).unwrap();
        prop_assert_eq!(listed(&read), of.into_iter().collect::<Vec<_>>());
    }
}
