//! What the child process does, and what it finds when it looks at itself: nobody else may, once it is hardened.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use medshare_client::content::{Checked, PayloadCheck};
use medshare_client::memory;

use crate::TASK;
use crate::package::{fill, marker, open};

#[test]
fn child() {
    match std::env::var(TASK).as_deref() {
        Ok("leave no traces") => leave_no_traces(),
        Ok("leave traces") => leave_traces(),
        Ok(task) => read_all(Path::new(task.strip_prefix("open ").unwrap())),
        Err(_) => {}
    }
}

/// A number of a file in /proc/self.
fn number(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let numbers = text.lines().filter_map(|line| line.strip_prefix(name));
    let numbers = numbers.map(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
    numbers.sum()
}

fn read_all(path: &Path) {
    let before = number("io", "rchar:");
    let between = number("io", "rchar:");
    let (header, content) = open(path);
    let after = number("io", "rchar:");
    // Less what reading the figure itself reads.
    println!("read at opening: {}", after - between - (between - before));
    let length = content.length();
    let mut out = vec![0; 200_000];
    let mut expected = out.clone();
    let mut compared = 0;
    let ascending = (0..)
        .map(|step| step * 200_000)
        .take_while(|at| *at < length);
    let mut random = 1_u64;
    let scattered = std::iter::repeat_with(|| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 16) % length
    });
    for at in ascending.chain(scattered.take(2_000)) {
        let read = content.read_at(at, &mut out).unwrap();
        fill(at, &mut expected[..read]);
        assert!(out[..read] == expected[..read], "{at}");
        compared += read;
    }
    let mut check = PayloadCheck::new(&header.header);
    while check.step(&content).unwrap() == Checked::More {}
    println!("read and compared: {compared}");
    println!("most KiB: {}", number("status", "VmHWM:"));
}

fn leave_no_traces() {
    memory::harden().unwrap();
    let (_, content) = open(Path::new("package.mds"));
    let mut secret = [0; 64];
    fill(0, &mut secret);
    content.write_at(100_000, &secret).unwrap();
    content.set_length((8 << 20) + 10).unwrap();
    content.write_at(8 << 20, &secret).unwrap();
    secret.fill(0);
    let mut out = vec![0; 64 << 10];
    for at in 0..128 {
        content.read_at(at << 16, &mut out).unwrap();
    }
    out.fill(0);
    println!("files looked into: {}", files().0);
    assert_eq!(files().1, 0);
    println!("locked KiB: {}", number("smaps", "Locked:"));
    println!("swapped KiB: {}", number("status", "VmSwap:"));
    println!("in memory when open: {}", u8::from(is_in_memory()));
    content.wipe();
    println!("in memory when wiped: {}", u8::from(is_in_memory()));
    std::process::abort();
}

fn leave_traces() {
    let mut secret = vec![0; 64];
    fill(0, &mut secret);
    fs::write("forgotten", &secret).unwrap();
    println!("files with it: {}", files().1);
    println!("in memory when wiped: {}", u8::from(is_in_memory()));
}

/// How many files there are in this folder and open here, and how many have the marker in them.
fn files() -> (usize, usize) {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let here = fs::read_dir(".").unwrap();
    let paths: Vec<_> = open
        .chain(here)
        .map(|entry| entry.unwrap().path())
        .collect();
    let regular = paths
        .iter()
        .filter(|path| path.metadata().is_ok_and(|file| file.is_file()));
    let read = regular.map(|path| fs::read(path).unwrap_or_default());
    let found: Vec<bool> = read.map(|bytes| marker::is_in(&bytes)).collect();
    (found.len(), found.iter().filter(|found| **found).count())
}

/// Whether the marker stands in any writable memory of this process.
fn is_in_memory() -> bool {
    let memory = fs::File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    // A buffer in which a hit would be a second one: emptied before anything else is read into it.
    let mut piece = vec![0; 1 << 20];
    let mut found = false;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (begin, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [begin, end] = [begin, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut at = begin;
        while at < end && !found {
            let count = piece.len().min(usize::try_from(end - at).unwrap());
            // What cannot be read is not there: guard pages.
            let read = memory.read_at(&mut piece[..count], at).unwrap_or(0);
            found = marker::is_in(&piece[..read]);
            at += count as u64;
        }
    }
    piece.fill(0);
    found
}
