//! Files in memory that hold what programs made of the data (P18): second files in a mounted folder, the output of the
//! sandbox. They may be larger than what a user may lock, so they are kept encrypted, chunk by chunk: what the system swaps
//! out says nothing. Their key, and what is read or written at the moment, stand in locked memory.
//!
//! Every write of a chunk has a fresh random nonce, and authenticates which file it is and which chunk (NIST SP 800-38D,
//! 8.2.2), as in the [`spool`](crate::spool).

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use medshare_protocol::package::CHUNK_BYTES;
use medshare_protocol::package::aead::{Cipher, KEY_BYTES, NONCE_BYTES, TAG_BYTES};
use zeroize::Zeroizing;

use crate::memory::{BUFFER_BYTES, LockedBuffer, LockedPool};

/// Buffers for all files of one keeper: one has the key, the others are used for moments.
const BUFFERS: usize = 4;

/// Has the key of some files. They can be read as long as it lives.
pub(crate) struct Keeper {
    pool: Arc<LockedPool>,
    key: LockedBuffer,
    next: AtomicU64,
}

impl Keeper {
    /// With a key of its own.
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let pool = LockedPool::of(BUFFER_BYTES, BUFFERS..=BUFFERS)?;
        let mut key = pool.lend();
        getrandom::fill(&mut key[..KEY_BYTES]).map_err(io::Error::other)?;
        Ok(Arc::new(Self {
            pool,
            key,
            next: AtomicU64::new(0),
        }))
    }

    /// An empty file.
    pub(crate) fn file(self: &Arc<Self>) -> Hidden {
        Hidden {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            keeper: Arc::clone(self),
            length: 0,
            chunks: Vec::new(),
        }
    }

    fn cipher(&self) -> io::Result<Cipher> {
        let key = self.key.first_chunk::<KEY_BYTES>();
        Ok(Cipher::new(key.ok_or(ErrorKind::UnexpectedEof)?))
    }
}

/// A file.
pub(crate) struct Hidden {
    keeper: Arc<Keeper>,
    id: u64,
    length: u64,
    /// Ciphertext ‖ tag ‖ nonce of each chunk, as far as it was written; what is missing, or empty, is zeros.
    chunks: Vec<Vec<u8>>,
}

/// A chunk, and the bytes of it that are meant.
struct Part {
    index: usize,
    begin: usize,
    end: usize,
}

/// The parts that bytes from `offset` on lie in.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = Part> {
    let chunk = CHUNK_BYTES as u64;
    let end = offset.saturating_add(length as u64);
    let mut at = offset;
    std::iter::from_fn(move || {
        let begin = usize::try_from(at % chunk).ok()?;
        let index = usize::try_from(at / chunk).ok()?;
        let length = (CHUNK_BYTES - begin).min(usize::try_from(end - at).ok()?);
        at += length as u64;
        (length > 0).then_some(Part {
            index,
            begin,
            end: begin + length,
        })
    })
}

impl Hidden {
    /// Its length, bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Bytes from `offset` on, `most` at most; beyond the end there are none.
    pub(crate) fn read_at(&self, offset: u64, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let length = most.min(self.length.saturating_sub(offset));
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        for part in parts(offset, length) {
            let mut buffer = self.keeper.pool.lend();
            self.open(part.index, &mut buffer)?;
            bytes.extend_from_slice(&buffer[part.begin..part.end]);
        }
        Ok(bytes)
    }

    /// Writes as to a file: what lies between its end and `offset` becomes zeros.
    pub(crate) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        for part in parts(offset, bytes.len()) {
            let (now, later) = rest.split_at(part.end - part.begin);
            let mut buffer = self.keeper.pool.lend();
            let before = self.open(part.index, &mut buffer)?;
            buffer[part.begin..part.end].copy_from_slice(now);
            self.seal(part.index, &mut buffer, before.max(part.end))?;
            rest = later;
        }
        self.length = self.length.max(offset.saturating_add(bytes.len() as u64));
        Ok(())
    }

    /// Cuts, or extends with zeros.
    pub(crate) fn set_length(&mut self, length: u64) -> io::Result<()> {
        if length < self.length {
            let chunk = CHUNK_BYTES as u64;
            let whole = usize::try_from(length.div_ceil(chunk)).map_err(io::Error::other)?;
            self.chunks.truncate(whole);
            let end = usize::try_from(length % chunk).map_err(io::Error::other)?;
            if end > 0 && self.chunks.len() == whole {
                self.cut(whole - 1, end)?;
            }
        }
        self.length = length;
        Ok(())
    }

    /// Reads it from its beginning.
    pub(crate) const fn reader(&self) -> Reader<'_> {
        Reader {
            file: self,
            offset: 0,
        }
    }

    fn cut(&mut self, index: usize, end: usize) -> io::Result<()> {
        let mut buffer = self.keeper.pool.lend();
        let before = self.open(index, &mut buffer)?;
        if before > end {
            self.seal(index, &mut buffer, end)?;
        }
        Ok(())
    }

    /// A chunk into a buffer of zeros; how much of it was written.
    fn open(&self, index: usize, buffer: &mut LockedBuffer) -> io::Result<usize> {
        let Some(chunk) = self.chunks.get(index).filter(|chunk| !chunk.is_empty()) else {
            return Ok(0);
        };
        let changed = || io::Error::new(ErrorKind::InvalidData, "memory has changed by itself");
        let (sealed, nonce) = chunk
            .split_last_chunk::<NONCE_BYTES>()
            .ok_or_else(changed)?;
        let place = &mut buffer[..sealed.len()];
        place.copy_from_slice(sealed);
        let cipher = self.keeper.cipher()?;
        let opened = cipher.open(*nonce, &self.context(index), place);
        let length = opened.map_err(|_| changed())?.len();
        buffer[length..length + TAG_BYTES].fill(0);
        Ok(length)
    }

    /// Encrypts the first `length` bytes of the buffer, and keeps them.
    fn seal(&mut self, index: usize, buffer: &mut LockedBuffer, length: usize) -> io::Result<()> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let cipher = self.keeper.cipher()?;
        let tag = cipher.seal(nonce, &self.context(index), &mut buffer[..length]);
        let tag = tag.map_err(|_| ErrorKind::InvalidInput)?;
        if self.chunks.len() <= index {
            self.chunks.resize_with(index + 1, Vec::new);
        }
        self.chunks[index] = [&buffer[..length], &tag, &nonce].concat();
        Ok(())
    }

    fn context(&self, index: usize) -> [u8; 16] {
        let mut context = [0; 16];
        context[..8].copy_from_slice(&self.id.to_le_bytes());
        context[8..].copy_from_slice(&(index as u64).to_le_bytes());
        context
    }
}

/// Reads a file from its beginning.
pub(crate) struct Reader<'a> {
    file: &'a Hidden,
    offset: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(CHUNK_BYTES) as u64;
        let bytes = self.file.read_at(self.offset, most)?;
        out[..bytes.len()].copy_from_slice(&bytes);
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const CHUNK: u64 = CHUNK_BYTES as u64;

    #[test]
    fn what_is_kept_is_not_what_was_written() {
        let keeper = Keeper::new().unwrap();
        let [mut one, mut two] = [keeper.file(), keeper.file()];
        let secret = b"a row of the data".repeat(9_000);
        one.write_at(0, &secret).unwrap();
        two.write_at(0, &secret).unwrap();
        for chunk in one.chunks.iter().chain(&two.chunks) {
            assert!(!chunk.windows(8).any(|window| secret.starts_with(window)));
        }
        assert_ne!(one.chunks[0], two.chunks[0]);
        assert_eq!(*one.read_at(0, u64::MAX).unwrap(), secret);
        // A chunk belongs to its file and place.
        std::mem::swap(&mut one.chunks[0], &mut two.chunks[0]);
        assert!(one.read_at(0, 1).is_err());
        two.chunks.swap(0, 1);
        assert!(two.read_at(0, 1).is_err());
    }

    #[test]
    fn what_was_cut_off_does_not_come_back() {
        let mut file = Keeper::new().unwrap().file();
        file.write_at(0, &[7; 100]).unwrap();
        file.write_at(CHUNK, &[8; 100]).unwrap();
        file.set_length(50).unwrap();
        file.set_length(CHUNK + 100).unwrap();
        let read = file.read_at(0, u64::MAX).unwrap();
        assert_eq!(read.len() as u64, CHUNK + 100);
        assert_eq!(
            (&read[..50], read[50..].iter().max()),
            (&[7; 50][..], Some(&0))
        );
    }

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        Length(u64),
        Read(u64, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let place = || prop_oneof![0..300_u64, CHUNK - 50..CHUNK + 50, 0..3 * CHUNK];
        let bytes = (1..=9_u8, 0..1_usize << 17).prop_map(|(byte, length)| vec![byte; length]);
        prop_oneof![
            (place(), bytes).prop_map(|(at, bytes)| Step::Write(at, bytes)),
            place().prop_map(Step::Length),
            (place(), place()).prop_map(|(at, most)| Step::Read(at, most)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn it_is_as_a_file_is(steps in prop::collection::vec(step(), 1..12)) {
            let mut file = Keeper::new().unwrap().file();
            let mut plain: Vec<u8> = Vec::new();
            let place = |at: u64| usize::try_from(at).unwrap();
            for step in steps {
                match step {
                    Step::Write(at, bytes) => {
                        file.write_at(at, &bytes).unwrap();
                        // As a file does, nothing at all is written by writing nothing; ours extends it.
                        plain.resize(plain.len().max(place(at) + bytes.len()), 0);
                        plain[place(at)..][..bytes.len()].copy_from_slice(&bytes);
                    }
                    Step::Length(length) => {
                        file.set_length(length).unwrap();
                        plain.resize(place(length), 0);
                    }
                    Step::Read(at, most) => {
                        let begin = place(at).min(plain.len());
                        let end = (begin + place(most)).min(plain.len());
                        prop_assert!(*file.read_at(at, most).unwrap() == plain[begin..end]);
                    }
                }
                prop_assert_eq!(file.length(), plain.len() as u64);
            }
            let mut read = Vec::new();
            file.reader().read_to_end(&mut read).unwrap();
            prop_assert!(read == plain);
        }
    }
}
