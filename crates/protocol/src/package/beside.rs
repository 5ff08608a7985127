//! Hashing beside the work. SHA-256 takes several times as long as AES-GCM: on a thread of its own it is all that sealing
//! a package takes.

use std::sync::mpsc;
use std::thread;

use alloy_primitives::B256;
use zeroize::Zeroizing;

use super::header::PackageError;
use super::{CHUNK_BYTES, TAG_BYTES};
use crate::digest::Sha256d;

/// Buffers that are filled or wait to be hashed; so many sealed chunks are in memory at most.
const BUFFERS: usize = 8;

/// Has `fill` fill buffers, one after the other, until it says that this was the last one; a second thread hashes them
/// behind what `hash` has taken in already. A buffer may come with old bytes in it.
pub(super) fn hashed_beside(
    mut hash: Sha256d,
    mut fill: impl FnMut(&mut Vec<u8>) -> Result<Last, PackageError>,
) -> Result<B256, PackageError> {
    let (filled, full) = mpsc::sync_channel::<Zeroizing<Vec<u8>>>(BUFFERS);
    let (emptied, empty) = mpsc::sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
        emptied.send(buffer).map_err(|_| ended())?;
    }
    thread::scope(|scope| {
        // Its end, also by an error below, is what ends the other thread.
        let filled = filled;
        let hashing =
            thread::Builder::new()
                .name("sha256".into())
                .spawn_scoped(scope, move || {
                    for buffer in full {
                        hash.update(&buffer);
                        // Nobody takes it any more after an error.
                        let _ = emptied.send(buffer);
                    }
                    hash.finish()
                })?;
        loop {
            let mut buffer = empty.recv().map_err(|_| ended())?;
            let last = fill(&mut buffer)?;
            filled.send(buffer).map_err(|_| ended())?;
            if last == Last::Yes {
                break;
            }
        }
        drop(filled);
        hashing.join().map_err(|_| ended())
    })
}

/// Whether a buffer was the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// Nothing comes behind it.
    Yes,
    /// There is more.
    No,
}

fn ended() -> PackageError {
    std::io::Error::other("the hashing thread ended").into()
}
