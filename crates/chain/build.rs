//! Puts the contract's interface before `sol!`, which reads one file and follows no imports: the files of the interface
//! one after the other, as one call of the macro for `src/bindings.rs` to include.

use std::path::Path;
use std::{env, fs, io};

/// Where the interface is, seen from this crate.
const INTERFACES: &str = "../../contracts/interfaces";
/// Its files. Imports between them say nothing to `sol!`.
const FILES: [&str; 4] = [
    "Types.sol",
    "IMedShareErrors.sol",
    "IMedShareEvents.sol",
    "IMedShare.sol",
];

fn main() -> io::Result<()> {
    let mut call = "sol! {\n".to_owned();
    for file in FILES {
        let path = Path::new(INTERFACES).join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        call += &fs::read_to_string(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
    }
    call += "}\n";
    let out = env::var_os("OUT_DIR").expect("cargo names the folder for what is generated");
    fs::write(Path::new(&out).join("interface.rs"), call)
}
