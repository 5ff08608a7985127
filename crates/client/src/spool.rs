//! What was written over the data, encrypted, in one file beside the package.
//!
//! ```text
//! MDSOVL01 ‖ id (16) ‖ sealed length and floor        the beginning, 4 KiB
//! chunk 0 (65,536, encrypted) ‖ tag ‖ nonce           a slot for each chunk that was written; the others are holes
//! …
//! ```
//!
//! Every write of a chunk has a fresh random nonce, and what it authenticates says of which file it is and which chunk
//! (NIST SP 800-38D, 8.2.2; 8.3 allows 2³² of them, 256 TiB). The key is made from the data key, so the file opens when
//! the package does.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use medshare_protocol::package::CHUNK_BYTES;
use medshare_protocol::package::aead::{Cipher, NONCE_BYTES, TAG_BYTES};

const MAGIC: &[u8; 8] = b"MDSOVL01";
const ID_BYTES: usize = 16;
const SHAPE_BYTES: usize = 16;
const BEGINNING_BYTES: u64 = 4096;
/// A chunk as it lies in the file.
pub(crate) const SLOT_BYTES: usize = CHUNK_BYTES + TAG_BYTES + NONCE_BYTES;
/// Stands for the beginning where a chunk's number would stand.
const SHAPE: u64 = u64::MAX;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk.
    #[error("cannot use {path}: {error}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Changed, cut, or of another package.
    #[error(
        "{0}, which holds what was written over the data, is damaged: remove it, and the data is as it was issued"
    )]
    Damaged(PathBuf),
}

/// How long the data is, and from which byte on nothing of the package shows through any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Length of the data, bytes.
    pub(crate) length: u64,
    /// The shortest that the data ever was: behind it stand zeros and what was written.
    pub(crate) floor: u64,
}

/// The file, without its key: that one stays in locked memory and is handed in.
pub(crate) struct Spool {
    file: File,
    path: PathBuf,
    id: [u8; ID_BYTES],
}

/// Where what is written over the data of `container` lies.
#[must_use]
pub fn overlay_of(container: &Path) -> PathBuf {
    let mut name = container.as_os_str().to_owned();
    name.push(".overlay");
    name.into()
}

impl Spool {
    /// A new file, which nobody else may read.
    pub(crate) fn create(path: &Path) -> Result<Self, SpoolError> {
        let mut id = [0; ID_BYTES];
        let mut new = || {
            getrandom::fill(&mut id).map_err(io::Error::other)?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            file.write_all_at(&[MAGIC.as_slice(), &id].concat(), 0)?;
            Ok(file)
        };
        let file = new().map_err(|error| disk(path, error))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            id,
        })
    }

    /// The file that an earlier opening left, if it did.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>, SpoolError> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| disk(path, error))?,
        };
        let mut beginning = [0; MAGIC.len() + ID_BYTES];
        file.read_exact_at(&mut beginning, 0)
            .map_err(|error| torn(path, error))?;
        let (magic, found) = beginning.split_at(MAGIC.len());
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(found);
        if magic != MAGIC {
            return Err(SpoolError::Damaged(path.to_owned()));
        }
        Ok(Some(Self {
            file,
            path: path.to_owned(),
            id,
        }))
    }

    /// What its key is made from, beside the data key.
    pub(crate) const fn id(&self) -> &[u8; ID_BYTES] {
        &self.id
    }

    pub(crate) fn shape(&self, cipher: &Cipher) -> Result<Shape, SpoolError> {
        let mut sealed = [0; SHAPE_BYTES + TAG_BYTES + NONCE_BYTES];
        self.file
            .read_exact_at(&mut sealed, (MAGIC.len() + ID_BYTES) as u64)
            .map_err(|error| torn(&self.path, error))?;
        let opened = self.open(cipher, SHAPE, &mut sealed)?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        Ok(Shape {
            length: number(&opened[..8]),
            floor: number(&opened[8..]),
        })
    }

    pub(crate) fn set_shape(&self, cipher: &Cipher, shape: Shape) -> Result<(), SpoolError> {
        let mut sealed = [0; SHAPE_BYTES + TAG_BYTES + NONCE_BYTES];
        sealed[..8].copy_from_slice(&shape.length.to_le_bytes());
        sealed[8..SHAPE_BYTES].copy_from_slice(&shape.floor.to_le_bytes());
        self.seal(cipher, SHAPE, &mut sealed)?;
        self.file
            .write_all_at(&sealed, (MAGIC.len() + ID_BYTES) as u64)
            .map_err(|error| disk(&self.path, error))
    }

    /// Chunk `index` into `buffer`, which has a slot's length at least; whether it was ever written.
    pub(crate) fn read(
        &self,
        cipher: &Cipher,
        index: u64,
        buffer: &mut [u8],
    ) -> Result<bool, SpoolError> {
        let slot = &mut buffer[..SLOT_BYTES];
        match self.file.read_exact_at(slot, place(index)) {
            // Behind the last one that was written, or one whose writing was cut off: it never was.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                slot.fill(0);
                return Ok(false);
            }
            read => read.map_err(|error| disk(&self.path, error))?,
        }
        if slot[SLOT_BYTES - NONCE_BYTES..]
            .iter()
            .all(|byte| *byte == 0)
        {
            slot.fill(0);
            return Ok(false);
        }
        self.open(cipher, index, slot)?;
        slot[CHUNK_BYTES..].fill(0);
        Ok(true)
    }

    /// Encrypts the chunk in `buffer` where it stands, and writes it.
    pub(crate) fn write(
        &self,
        cipher: &Cipher,
        index: u64,
        buffer: &mut [u8],
    ) -> Result<(), SpoolError> {
        let slot = &mut buffer[..SLOT_BYTES];
        self.seal(cipher, index, slot)?;
        self.file
            .write_all_at(slot, place(index))
            .map_err(|error| disk(&self.path, error))
    }

    /// Forgets all chunks from `index` on.
    pub(crate) fn cut(&self, index: u64) -> Result<(), SpoolError> {
        let end = place(index);
        let cut = || match self.file.metadata()?.len() > end {
            true => self.file.set_len(end),
            false => Ok(()),
        };
        cut().map_err(|error| disk(&self.path, error))
    }

    fn context(&self, index: u64) -> [u8; ID_BYTES + 8] {
        let mut context = [0; ID_BYTES + 8];
        context[..ID_BYTES].copy_from_slice(&self.id);
        context[ID_BYTES..].copy_from_slice(&index.to_le_bytes());
        context
    }

    /// `slot`: plaintext, and room for tag and nonce.
    fn seal(&self, cipher: &Cipher, index: u64, slot: &mut [u8]) -> Result<(), SpoolError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| disk(&self.path, io::Error::other(error)))?;
        let (plain, rest) = slot.split_at_mut(slot.len() - TAG_BYTES - NONCE_BYTES);
        let tag = cipher.seal(nonce, &self.context(index), plain);
        let tag = tag.map_err(|_| disk(&self.path, ErrorKind::InvalidInput.into()))?;
        rest[..TAG_BYTES].copy_from_slice(&tag);
        rest[TAG_BYTES..].copy_from_slice(&nonce);
        Ok(())
    }

    fn open<'a>(
        &self,
        cipher: &Cipher,
        index: u64,
        slot: &'a mut [u8],
    ) -> Result<&'a mut [u8], SpoolError> {
        let (sealed, found) = slot.split_at_mut(slot.len() - NONCE_BYTES);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(found);
        cipher
            .open(nonce, &self.context(index), sealed)
            .map_err(|_| SpoolError::Damaged(self.path.clone()))
    }
}

/// Where chunk `index` begins. Far beyond what a file can have, the system refuses it.
const fn place(index: u64) -> u64 {
    BEGINNING_BYTES.saturating_add(index.saturating_mul(SLOT_BYTES as u64))
}

fn disk(path: &Path, error: io::Error) -> SpoolError {
    SpoolError::Disk {
        path: path.to_owned(),
        error,
    }
}

/// A file that ends within its beginning is damaged; anything else is the disk.
fn torn(path: &Path, error: io::Error) -> SpoolError {
    match error.kind() {
        ErrorKind::UnexpectedEof => SpoolError::Damaged(path.to_owned()),
        _ => disk(path, error),
    }
}
