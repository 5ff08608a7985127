//! Hashing beside the work. SHA-256 takes several times as long as AES-GCM: on a thread of its own it is all that sealing
//! a package takes.

use std::sync::mpsc;
use std::thread;

use alloy_primitives::B256;
use zeroize::Zeroizing;

use super::header::PackageError;
use super::{CHUNK_BYTES, TAG_BYTES};
use crate::digest::Sha256d;

/// Chunks that are handed over together: waking the other thread for each of them would cost a tenth of the time.
pub(super) const GROUP: usize = 8;
/// Groups that are filled or wait to be hashed; so many are in memory at most.
const BUFFERS: usize = 4;

/// A group of sealed chunks, one behind the other.
struct Group {
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
}

/// Has `fill` fill groups, one after the other, until it says that this was the last one; a second thread hashes them
/// behind what `hash` has taken in already. A group has room for [`GROUP`] chunks and may come with old bytes in it; `fill`
/// says how many are new.
pub(super) fn hashed_beside(
    mut hash: Sha256d,
    mut fill: impl FnMut(&mut [u8]) -> Result<(usize, Last), PackageError>,
) -> Result<B256, PackageError> {
    let (filled, full) = mpsc::sync_channel::<Group>(BUFFERS);
    let (emptied, empty) = mpsc::sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        let group = Group {
            bytes: Zeroizing::new(vec![0; GROUP * (CHUNK_BYTES + TAG_BYTES)]),
            length: 0,
        };
        emptied.send(group).map_err(|_| ended())?;
    }
    thread::scope(|scope| {
        // Its end, also by an error below, is what ends the other thread.
        let filled = filled;
        let hashing =
            thread::Builder::new()
                .name("sha256".into())
                .spawn_scoped(scope, move || {
                    for group in full {
                        hash.update(&group.bytes[..group.length]);
                        // Nobody takes it any more after an error.
                        let _ = emptied.send(group);
                    }
                    hash.finish()
                })?;
        loop {
            let mut group = empty.recv().map_err(|_| ended())?;
            let (length, last) = fill(&mut group.bytes)?;
            group.length = length;
            filled.send(group).map_err(|_| ended())?;
            if last == Last::Yes {
                break;
            }
        }
        drop(filled);
        hashing.join().map_err(|_| ended())
    })
}

/// Whether a group was the last one.
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
