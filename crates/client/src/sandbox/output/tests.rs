//! Listing and handing out.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::sandbox::scratch::ROOT;
use std::os::unix::fs::PermissionsExt;

#[test]
fn what_is_handed_out_is_its_owner_s_alone_and_replaces_nothing() {
    let scratch = Scratch::new(crate::hidden::Keeper::new().unwrap());
    scratch.take("stdout", &b"hello"[..]).unwrap();
    let folder = scratch.tree().create(ROOT, "a".as_ref(), true).unwrap();
    let file = scratch.tree().create(folder, "b".as_ref(), false).unwrap();
    scratch.tree().write(file, 0, b"x").unwrap();
    let output = Output::new(scratch, false);
    let files = output.list(&[]).unwrap();
    let names: Vec<_> = files
        .iter()
        .map(|file| file.path.to_str().unwrap())
        .collect();
    assert_eq!(names, ["a/b", "stdout"]);
    assert_eq!(files[1].sha256, sha256(&[b"hello"]));
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("out");
    output.hand_out(&files, &to).unwrap();
    assert_eq!(std::fs::read(to.join("a/b")).unwrap(), b"x");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&to), mode(&to.join("stdout"))), (0o700, 0o600));
    assert!(output.hand_out(&files, &to).is_err());
}

#[test]
fn each_field_of_a_file_is_in_the_manifest() {
    let file = Listed {
        path: "a".into(),
        size: 1,
        sha256: B256::ZERO,
        rows: vec![0, 0],
        inode: 2,
    };
    let base = manifest(std::slice::from_ref(&file), 1);
    for change in [
        |file: &mut Listed| file.path = "b".into(),
        |file: &mut Listed| file.size = 2,
        |file: &mut Listed| file.sha256 = B256::repeat_byte(1),
        |file: &mut Listed| file.rows[1] = 1,
    ] {
        let mut other = file.clone();
        change(&mut other);
        assert_ne!(manifest(&[other], 1), base);
    }
}
