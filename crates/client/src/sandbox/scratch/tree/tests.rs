//! Files and folders in memory.

#![allow(clippy::unwrap_used)]
use super::*;

fn tree() -> Tree {
    Tree::new(Keeper::new().unwrap())
}

/// What a file holds.
fn held(tree: &Tree, inode: u64) -> Result<Vec<u8>, Trouble> {
    tree.read(inode, 0, u64::MAX).map(|bytes| bytes.to_vec())
}

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

#[test]
fn files_move_replace_and_go_as_in_any_folder() {
    let mut tree = tree();
    let folder = tree.create(ROOT, name("f"), true).unwrap();
    let one = tree.create(ROOT, name("one"), false).unwrap();
    let two = tree.create(folder, name("two"), false).unwrap();
    tree.write(one, 2, b"xy").unwrap();
    assert_eq!(held(&tree, one).unwrap(), b"\0\0xy");
    assert_eq!(tree.create(ROOT, name("one"), true), Err(Trouble::Exists));
    assert_eq!(tree.remove(ROOT, name("f"), true), Err(Trouble::NotEmpty));
    let (from, to) = ((ROOT, name("one")), (folder, name("two")));
    assert_eq!(tree.rename(from, to, false), Err(Trouble::Exists));
    tree.rename(from, to, true).unwrap();
    assert_eq!(held(&tree, two), Err(Trouble::NotThere), "it was replaced");
    assert_eq!(tree.files(), [(PathBuf::from("f/two"), one)]);
    // A folder with something in it keeps its place.
    let other = tree.create(ROOT, name("g"), true).unwrap();
    let moved = tree.rename((ROOT, name("f")), (other, name("f")), true);
    assert_eq!(moved, Err(Trouble::Elsewhere));
}

#[test]
fn a_file_without_a_name_lives_as_long_as_it_is_held_and_counts_as_long() {
    let mut tree = tree();
    let file = tree.create(ROOT, name("x"), false).unwrap();
    tree.hold(file);
    tree.write(file, 0, b"secret").unwrap();
    tree.remove(ROOT, name("x"), false).unwrap();
    assert_eq!((held(&tree, file), tree.bytes), (Ok(b"secret".to_vec()), 6));
    tree.forget(file, 1);
    assert_eq!((held(&tree, file), tree.bytes), (Err(Trouble::NotThere), 0));
}

#[test]
fn room_names_and_depth_are_bounded_and_a_closed_tree_takes_nothing() {
    let mut tree = tree();
    let file = tree.create(ROOT, name("x"), false).unwrap();
    assert_eq!(
        tree.set_length(file, MAX_OUTPUT_BYTES + 1),
        Err(Trouble::Full)
    );
    assert_eq!(tree.write(file, u64::MAX, b"x"), Err(Trouble::Full));
    let mut folder = ROOT;
    for _ in 0..MAX_DEPTH {
        folder = tree.create(folder, name("d"), true).unwrap();
    }
    assert_eq!(tree.create(folder, name("d"), true), Err(Trouble::Full));
    for number in tree.nodes.len()..MAX_NODES {
        tree.create(ROOT, name(&number.to_string()), false).unwrap();
    }
    assert_eq!(
        tree.create(ROOT, name("one more"), false),
        Err(Trouble::Full)
    );
    tree.write(file, 0, b"x").unwrap();
    tree.close();
    assert_eq!(tree.write(file, 0, b"y"), Err(Trouble::Full));
    assert_eq!(held(&tree, file).unwrap(), b"x");
    tree.wipe();
    assert!(tree.files().is_empty());
}
