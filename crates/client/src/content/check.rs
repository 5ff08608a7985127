//! Whether the data is what the second node validated: one pass over the package beside its use (SPEC §7.2).

use medshare_protocol::digest::Sha256d;
use medshare_protocol::id::PayloadHash;
use medshare_protocol::package::{PackageError, PackageHeader};

use super::{Content, ContentError};

/// Chunks in one step: 1 MiB.
const STEP_CHUNKS: u32 = 16;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// All of the data, and it is right.
    All,
    /// There is more.
    More,
}

/// The pass, as far as it has come.
pub struct PayloadCheck {
    hash: Sha256d,
    expected: PayloadHash,
    next: u32,
}

impl PayloadCheck {
    /// From the first byte on.
    #[must_use]
    pub fn new(header: &PackageHeader) -> Self {
        let mut hash = Sha256d::default();
        hash.update(header.payload_salt.as_slice());
        Self {
            hash,
            expected: header.payload_hash(),
            next: 0,
        }
    }

    /// Takes in a megabyte of the data as it was issued; what was written over it does not matter.
    ///
    /// # Errors
    /// [`PackageError::WrongPayload`] when all of it is not what was validated; and [`ContentError`].
    pub fn step(&mut self, content: &Content) -> Result<Checked, ContentError> {
        let cipher = content.cipher()?;
        for _ in 0..STEP_CHUNKS {
            let chunk = content.load_issued(self.next.into(), content.issued_length)?;
            self.hash.update(&chunk[..cipher.plain_length(self.next)]);
            self.next += 1;
            if self.next == cipher.chunks() {
                let found = std::mem::take(&mut self.hash).finish();
                return match PayloadHash(found) == self.expected {
                    true => Ok(Checked::All),
                    false => Err(PackageError::WrongPayload.into()),
                };
            }
        }
        Ok(Checked::More)
    }
}
