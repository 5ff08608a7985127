//! The data of an open package: decrypted on demand, chunk by chunk, out of the package file (P17, SPEC §7.2).
//!
//! Opening costs the same whatever the length. Plaintext and keys stand in locked memory only, 4 MiB of it; what is
//! written over the data goes, encrypted, to a file beside the package. Readers wait for each other nowhere but in the
//! moments in which the cache is looked into.

mod cache;
mod check;
mod held;
mod spans;
mod writing;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use medshare_protocol::package::{
    CHUNK_BYTES, PackageError, PayloadCipher, SignedHeader, container_length,
};
use medshare_protocol::seal::{DATA_KEY_BYTES, DataKey};
use zeroize::Zeroizing;

use crate::memory::{LockedBuffer, LockedPool};
use crate::spool::{SLOT_BYTES, Shape, Spool, SpoolError};
use cache::Cache;

pub use check::{Checked, PayloadCheck};
pub use held::Held;
use spans::Spans;

/// Buffers that the cache leaves to those who read, write and check at this moment.
const RESERVED_BUFFERS: usize = 16;
/// What is longer than a chunk in a slot has room in a buffer.
const _: () = assert!(SLOT_BYTES <= crate::memory::BUFFER_BYTES);
/// The overlay's key stands behind the data key.
const OVERLAY_KEY: std::ops::Range<usize> = DATA_KEY_BYTES..DATA_KEY_BYTES + 32;

/// Why bytes of the data cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The data was closed.
    #[error("the data was wiped from memory")]
    Wiped,
    /// The package file is not what it was when it was opened.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// What was written over the data.
    #[error(transparent)]
    Overlay(#[from] SpoolError),
    /// Too little memory may be locked.
    #[error(
        "the system does not let memory be locked ({0}): raise the limit (`ulimit -l 8192`), so that plaintext is never swapped to disk"
    )]
    Memory(io::Error),
}

/// An open package's data, as a file has it: any bytes, in any order, by many threads.
pub struct Content {
    container: File,
    /// Bytes of the container before the first chunk.
    beginning: u64,
    issued_length: u64,
    pool: Arc<LockedPool>,
    /// For reads of more than one chunk.
    spans: Spans,
    /// Data key ‖ the overlay's key, if there is an overlay. Expanded for a chunk at a time. Nothing once it is wiped.
    keys: RwLock<Option<LockedBuffer>>,
    overlay: PathBuf,
    /// Read by readers for as long as they load; written by writers: so nobody keeps a chunk from before a write.
    state: RwLock<State>,
    cache: Cache,
    wiped: AtomicBool,
}

struct State {
    shape: Shape,
    spool: Option<Spool>,
}

impl Content {
    /// The data of `container`, whose header is `header`. What an earlier opening wrote is found in the file `overlay`, and
    /// goes there. Reads a few chunks at most, whatever the length.
    ///
    /// # Errors
    /// [`ContentError`], also when the key is not the package's.
    pub fn open(
        container: File,
        header: &SignedHeader,
        key: &DataKey,
        overlay: PathBuf,
    ) -> Result<Self, ContentError> {
        let length = header.header.payload_length;
        check_beginning(&container, header)?;
        // First what there must be; the pool takes what is left, up to its bound.
        let spans = Spans::new().map_err(ContentError::Memory)?;
        let pool = LockedPool::new().map_err(ContentError::Memory)?;
        let mut keys = pool.lend();
        keys[..DATA_KEY_BYTES].copy_from_slice(key.to_bytes().as_slice());
        let content = Self {
            container,
            beginning: header.encoded_length(),
            issued_length: length,
            cache: Cache::new(pool.buffers() - RESERVED_BUFFERS),
            pool,
            spans,
            keys: RwLock::new(Some(keys)),
            state: RwLock::new(State {
                shape: Shape {
                    length,
                    floor: length,
                },
                spool: None,
            }),
            overlay,
            wiped: AtomicBool::new(false),
        };
        // A key that is not the package's opens no chunk.
        content.load_issued(0, length.max(1))?;
        if let Some(spool) = Spool::find(&content.overlay)? {
            content.take_key(spool.id())?;
            let shape = spool.shape(&content.overlay_cipher()?)?;
            *content.state_mut() = State {
                shape: Shape {
                    floor: shape.floor.min(length),
                    ..shape
                },
                spool: Some(spool),
            };
        }
        Ok(content)
    }

    /// Length of the data, bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.state().shape.length
    }

    /// Bytes from `offset` on into `out`, as many as there are: fewer than `out` has at the end of the data only.
    ///
    /// # Errors
    /// [`ContentError`]; `out` has then no bytes of the data.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, ContentError> {
        let read = self.read_pieces(offset, out);
        if read.is_ok() && !self.wiped.load(Ordering::SeqCst) {
            return read;
        }
        out.fill(0);
        read.and(Err(ContentError::Wiped))
    }

    /// Whether anything was written over the data since it was issued.
    pub(crate) fn is_changed(&self) -> bool {
        self.state().spool.is_some()
    }

    /// As [`Content::read_at`], of the data as it was issued, whatever was written over it.
    pub(crate) fn read_issued(&self, offset: u64, out: &mut [u8]) -> Result<usize, ContentError> {
        let length = available(self.issued_length, offset, out.len());
        for piece in pieces(offset, length) {
            let chunk = self.load_issued(piece.chunk, self.issued_length)?;
            out[piece.of_all].copy_from_slice(&chunk[piece.of_chunk]);
        }
        self.check_open()?;
        Ok(length)
    }

    fn read_pieces(&self, offset: u64, out: &mut [u8]) -> Result<usize, ContentError> {
        let state = self.state();
        let length = available(state.shape.length, offset, out.len());
        for piece in pieces(offset, length) {
            let chunk = self.chunk(&state, piece.chunk)?;
            out[piece.of_all].copy_from_slice(&chunk[piece.of_chunk]);
        }
        Ok(length)
    }

    /// Hands all of the data to `take`, in order and in pieces of at most a chunk, out of locked memory.
    ///
    /// # Errors
    /// [`ContentError`], and what `take` says.
    pub fn copy_to<E: From<ContentError>>(
        &self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut index = 0;
        loop {
            let state = self.state();
            let rest = available(state.shape.length, index * CHUNK_BYTES as u64, CHUNK_BYTES);
            if rest == 0 {
                return Ok(());
            }
            let chunk = self.chunk(&state, index)?;
            drop(state);
            if self.wiped.load(Ordering::SeqCst) {
                return Err(ContentError::Wiped.into());
            }
            take(&chunk[..rest])?;
            index += 1;
        }
    }

    /// Wipes keys and plaintext. From here on every call fails, also those that are under way.
    pub fn wipe(&self) {
        self.wiped.store(true, Ordering::SeqCst);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *keys = None;
        drop(keys);
        self.cache.close();
        self.spans.close();
    }

    fn chunk(&self, state: &State, index: u64) -> Result<Arc<LockedBuffer>, ContentError> {
        self.cache.get_or(index, || self.load(state, index))
    }

    fn load(&self, state: &State, index: u64) -> Result<LockedBuffer, ContentError> {
        if let Some(spool) = &state.spool {
            let mut chunk = self.pool.lend();
            if spool.read(&self.overlay_cipher()?, index, &mut chunk)? {
                return Ok(chunk);
            }
        }
        self.load_issued(index, state.shape.floor)
    }

    /// A chunk as it was issued, with zeros from byte `floor` of the data on.
    fn load_issued(&self, index: u64, floor: u64) -> Result<LockedBuffer, ContentError> {
        let mut chunk = self.pool.lend();
        let begin = index * CHUNK_BYTES as u64;
        let shown = available(floor, begin, CHUNK_BYTES);
        if shown == 0 {
            return Ok(chunk);
        }
        let (plain, sealed) = self.decrypt_into(&self.cipher()?, index, &mut chunk)?;
        // The tag, and what was cut off.
        chunk[shown.min(plain)..sealed].fill(0);
        Ok(chunk)
    }

    /// Reads a chunk as it was issued to the beginning of `out` and decrypts it there; its length, and with its tag.
    fn decrypt_into(
        &self,
        cipher: &PayloadCipher,
        index: u64,
        out: &mut [u8],
    ) -> Result<(usize, usize), ContentError> {
        let begin = index.saturating_mul(CHUNK_BYTES as u64);
        let number = u32::try_from(index).map_err(|_| PackageError::TooLong(begin))?;
        let (position, length) = cipher.location(number);
        let sealed = &mut out[..length];
        self.container
            .read_exact_at(sealed, self.beginning.saturating_add(position))
            .map_err(PackageError::Unreadable)?;
        cipher.decrypt(number, sealed)?;
        Ok((cipher.plain_length(number), length))
    }

    fn check_open(&self) -> Result<(), ContentError> {
        match self.wiped.load(Ordering::SeqCst) {
            true => Err(ContentError::Wiped),
            false => Ok(()),
        }
    }

    fn key<const N: usize>(
        &self,
        place: std::ops::Range<usize>,
    ) -> Result<Zeroizing<[u8; N]>, ContentError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.as_ref().ok_or(ContentError::Wiped)?;
        let mut key = Zeroizing::new([0; N]);
        key.copy_from_slice(&keys[place]);
        Ok(key)
    }

    fn data_key(&self) -> Result<DataKey, ContentError> {
        Ok(DataKey::from_bytes(&*self.key(0..DATA_KEY_BYTES)?))
    }

    fn cipher(&self) -> Result<PayloadCipher, ContentError> {
        Ok(PayloadCipher::new(&self.data_key()?, self.issued_length)?)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file still begins with the header that was checked, and has its length.
fn check_beginning(container: &File, header: &SignedHeader) -> Result<(), PackageError> {
    let expected = header.to_bytes();
    let mut found = vec![0; expected.len()];
    container.read_exact_at(&mut found, 0)?;
    if found != expected || container.metadata()?.len() != container_length(header) {
        return Err(PackageError::WrongPayload);
    }
    Ok(())
}

/// How many of `wanted` bytes from `offset` on there are in `length`.
fn available(length: u64, offset: u64, wanted: usize) -> usize {
    let rest = length.saturating_sub(offset);
    usize::try_from(rest).unwrap_or(usize::MAX).min(wanted)
}

/// In which chunk byte `offset` is, and where in it.
const fn place(offset: u64) -> (u64, usize) {
    let within = offset % CHUNK_BYTES as u64;
    (offset / CHUNK_BYTES as u64, within as usize)
}

/// What of a stretch of bytes lies in one chunk.
struct Piece {
    chunk: u64,
    of_chunk: std::ops::Range<usize>,
    of_all: std::ops::Range<usize>,
}

fn pieces(offset: u64, length: usize) -> impl Iterator<Item = Piece> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let (chunk, within) = place(offset.checked_add(done as u64)?);
        let count = (CHUNK_BYTES - within).min(length - done);
        let piece = Piece {
            chunk,
            of_chunk: within..within + count,
            of_all: done..done + count,
        };
        done += count;
        (count > 0).then_some(piece)
    })
}

#[cfg(test)]
pub(crate) mod tests;
