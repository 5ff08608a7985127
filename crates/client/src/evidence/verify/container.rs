//! A package's file against its parent block: needs no key.

use std::io::{self, Read};

use medshare_protocol::digest::Sha256d;
use medshare_protocol::id::ContainerHash;

use super::Assumption::{Algorithms, Contract, EvmBlock, Keys};
use super::{Claim, Flaw};
use crate::evidence::{Evidence, prov};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 * 1024;
const CONTAINER: &str = "the package's file";

/// Whether this file is the package that the evidence is about.
///
/// # Errors
/// When it cannot be read.
pub fn verify_container(
    evidence: &Evidence,
    mut file: impl Read,
) -> io::Result<Result<Claim, Flaw>> {
    let mut hasher = Sha256d::default();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => hasher.update(&piece[..count]),
        }
    }
    let found = ContainerHash(hasher.finish());
    let sealed = prov::parent(evidence).map(|parent| parent.body.transaction.container_hash);
    if sealed == Some(found) {
        return Ok(Ok(Claim {
            what: format!(
                "the file is the package as it was sealed: its hash {found} stands in the parent block"
            ),
            part: CONTAINER,
            rests_on: vec![EvmBlock, Contract, Algorithms, Keys],
        }));
    }
    let sealed = sealed.map_or("unknown".to_owned(), |hash| hash.to_string());
    Ok(Err(Flaw {
        part: CONTAINER,
        what: format!("its hash is {found}; that of the package is {sealed}"),
    }))
}
