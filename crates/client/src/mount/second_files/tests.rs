#![allow(clippy::unwrap_used)]
use super::*;

fn with(content: &[u8]) -> (SecondFiles, u64) {
    let mut files = SecondFiles::beside_the_data();
    let second = files.create("b".as_ref()).unwrap();
    files.write(second, 0, content).unwrap();
    (files, second)
}

#[test]
fn names_are_unique_and_the_data_is_never_replaced() {
    let (mut files, second) = with(b"one");
    for taken in ["b", DATA_FILE] {
        assert_eq!(files.create(taken.as_ref()), Err(Refused::Exists));
    }
    assert_eq!(
        files.rename(second, DATA_FILE.as_ref()),
        Err(Refused::Exists)
    );
    files.rename(DATA, "c".as_ref()).unwrap();
    assert_eq!(
        (files.find("c".as_ref()), files.find(DATA_FILE.as_ref())),
        (Some(DATA), None)
    );
    files.rename(DATA, "b".as_ref()).unwrap();
    assert_eq!(files.find("b".as_ref()), Some(DATA), "a second file may be");
    assert_eq!(files.names().count(), 0);
}

#[test]
fn what_is_unlinked_stays_for_those_who_have_it_open() {
    let (mut files, second) = with(b"one");
    files.unlink(second).unwrap();
    assert_eq!(files.find("b".as_ref()), None);
    assert_eq!(files.read(second, 0, 9).unwrap().as_slice(), b"one");
    files.forget_nameless(second);
    assert!(files.read(second, 0, 9).is_none());
    assert_eq!(files.unlink(second), Err(Refused::NotThere));
}

#[test]
fn writing_behind_the_end_fills_with_zeros() {
    let (mut files, second) = with(b"");
    files.write(second, 3, b"xy").unwrap();
    assert_eq!(files.read(second, 0, 99).unwrap().as_slice(), b"\0\0\0xy");
    files.truncate(second, 4).unwrap();
    assert_eq!(files.read(second, 2, 99).unwrap().as_slice(), b"\0x");
    assert_eq!(files.read(second, 99, 1).unwrap().as_slice(), b"");
    assert_eq!(files.write(second, u64::MAX, b"x"), Err(Refused::TooLong));
    assert_eq!(files.truncate(second, u64::MAX), Err(Refused::TooLong));
}

#[test]
fn a_write_has_to_be_looked_at_until_it_is_judged() {
    let (mut files, second) = with(b"row");
    let (rows, version) = files.rows(second).unwrap();
    assert_eq!(rows, Rows::Unknown);
    files.write(second, 3, b"more").unwrap();
    files.set_rows(second, version, Rows::None);
    assert_eq!(files.unjudged(), [second], "it was written to meanwhile");
    let (_, version) = files.rows(second).unwrap();
    files.set_rows(second, version, Rows::None);
    assert_eq!(files.unjudged(), [] as [u64; 0]);
    files.write(second, 0, b"x").unwrap();
    files.set_rows(second, version + 1, Rows::Held(Duration::ZERO));
    files.write(second, 0, b"y").unwrap();
    assert_eq!(files.unjudged(), [second]);
    assert_eq!(files.rows(second).unwrap().0, Rows::Held(Duration::ZERO));
    files.truncate(second, 0).unwrap();
    assert_eq!(files.rows(second).unwrap().0, Rows::None);
    files.set_rows(second, 0, Rows::Judged);
    files.write(second, 0, b"x").unwrap();
    assert_eq!(files.unjudged(), [] as [u64; 0], "once is enough");
}

#[test]
fn after_the_wipe_nothing_is_left_and_nothing_can_be_made() {
    let (mut files, second) = with(b"secret");
    assert_eq!(files.wipe(), [second]);
    assert!(files.read(second, 0, 9).is_none());
    assert_eq!(files.create("b".as_ref()), Err(Refused::Wiped));
    assert_eq!(files.write(second, 0, b"x"), Err(Refused::Wiped));
}

#[test]
fn files_are_counted() {
    let mut files = SecondFiles::beside_the_data();
    for number in 0..MAX_FILES {
        files.create(number.to_string().as_ref()).unwrap();
    }
    assert_eq!(files.create("x".as_ref()), Err(Refused::TooMany));
}
