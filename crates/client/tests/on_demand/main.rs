//! What open data leaves behind and what it costs, asked of the system: a child process opens a package, and is looked at.
//! A program of its own, which starts itself.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod child;
mod package;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use package::{marker, write_package};

/// Names what the child does; without it the test `child` does nothing.
const TASK: &str = "MEDSHARE_TEST_TASK";

/// This program again, in `folder`, with core dumps as large as the system allows.
fn child(task: &str, folder: &Path) -> Output {
    let exe = std::env::current_exe().unwrap();
    Command::new("sh")
        .args(["-c", "ulimit -c $(ulimit -Hc); exec \"$0\" \"$@\""])
        .arg(exe)
        .args(["--exact", "child::child", "--nocapture"])
        .env(TASK, task)
        .env("TMPDIR", folder)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The number that the child told behind `name`.
fn told(output: &Output, name: &str) -> u64 {
    let said = String::from_utf8_lossy(&output.stdout);
    let found = said.lines().find_map(|line| line.split_once(name));
    let number = found.unwrap_or_else(|| panic!("{name}: {output:?}")).1;
    number.trim().parse().unwrap()
}

#[test]
fn two_gibibytes_open_as_two_kibibytes_do_and_are_read_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    write_package(&folder.path().join("small.mds"), 2 << 10);
    write_package(&folder.path().join("large.mds"), 2 << 30);
    let small = child("open small.mds", folder.path());
    let large = child("open large.mds", folder.path());
    // Of the package file: header, and the one chunk that shows whether the key is right.
    let [few, many] = [&small, &large].map(|output| told(output, "read at opening: "));
    assert!(few < 4 << 10, "{few} bytes");
    assert!(
        many < few + (64 << 10),
        "{many} bytes, {few} of the small one"
    );
    let read = told(&large, "read and compared: ");
    assert!(read > 2 << 30, "{read} bytes");
    let most = told(&large, "most KiB: ");
    println!("{most} KiB at most for {read} bytes");
    assert!(most < 64 << 10, "{most} KiB");
}

#[test]
fn plaintext_stands_in_locked_memory_and_nowhere_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    write_package(&folder.path().join("package.mds"), 8 << 20);
    let output = child("leave no traces", folder.path());
    assert_eq!(output.status.signal(), Some(6), "{output:?}");
    assert!(!output.status.core_dumped());
    // The child has looked into every file that it had open; here is what it leaves.
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!marker::is_in(&bytes), "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 2, "package and overlay; no core");
    assert!(told(&output, "files looked into: ") >= 2);
    assert!(told(&output, "locked KiB: ") > 1 << 10);
    assert_eq!(told(&output, "swapped KiB: "), 0);
    assert_eq!(told(&output, "in memory when open: "), 1);
    assert_eq!(told(&output, "in memory when wiped: "), 0);
}

#[test]
fn the_search_would_find_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = child("leave traces", folder.path());
    assert_eq!(told(&output, "files with it: "), 1);
    assert_eq!(told(&output, "in memory when wiped: "), 1);
}
