//! Every file of the fuzzer's corpora, through the same checks, without the fuzzer: `make fuzz` finds new ones.

use std::path::PathBuf;

#[path = "../../../../fuzz/src/checks/mod.rs"]
mod checks;

/// The checks panic where a decoder does not hold to what it promises.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut count = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if let Err(panic) = std::panic::catch_unwind(|| check(&bytes)) {
            eprintln!("{target} does not hold for {}", path.display());
            std::panic::resume_unwind(panic);
        }
        count += 1;
    }
    assert!(count > 0, "no corpus in {}", folder.display());
}

macro_rules! replay {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target), checks::$target::check);
        })*
    };
}

replay! { header record package_header report cbor proof }
