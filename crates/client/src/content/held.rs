//! Bytes of the data where they were decrypted: for those who hand them on at once, without a copy of their own.

use std::ops::{Deref, Range};
use std::sync::Arc;

use medshare_protocol::package::CHUNK_BYTES;
use zeroize::Zeroizing;

use super::{Content, ContentError, SPAN_BYTES, available, pieces, place};
use crate::memory::LockedBuffer;

/// Bytes of the data; wiped when the last one who has them lets go.
pub struct Held {
    bytes: Bytes,
    range: Range<usize>,
}

enum Bytes {
    Chunk(Arc<LockedBuffer>),
    Span(LockedBuffer),
    /// More than is put together in locked memory.
    Long(Zeroizing<Vec<u8>>),
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let bytes: &[u8] = match &self.bytes {
            Bytes::Chunk(chunk) => chunk,
            Bytes::Span(span) => span,
            Bytes::Long(bytes) => bytes,
        };
        &bytes[self.range.clone()]
    }
}

impl Content {
    /// Bytes from `offset` on, as many as there are: fewer than `wanted` at the end of the data only.
    ///
    /// # Errors
    /// [`ContentError`].
    pub fn hold(&self, offset: u64, wanted: usize) -> Result<Held, ContentError> {
        let held = self.put_together(offset, wanted)?;
        self.check_open()?;
        Ok(held)
    }

    fn put_together(&self, offset: u64, wanted: usize) -> Result<Held, ContentError> {
        let state = self.state();
        let length = available(state.shape.length, offset, wanted);
        let (index, within) = place(offset);
        if (1..=CHUNK_BYTES - within).contains(&length) {
            let chunk = self.chunk(&state, index)?;
            return Ok(Held {
                bytes: Bytes::Chunk(chunk),
                range: within..within + length,
            });
        }
        drop(state);
        let (bytes, read) = if length <= SPAN_BYTES {
            let mut span = self.spans.lend();
            let read = self.read_pieces(offset, &mut span[..length])?;
            (Bytes::Span(span), read)
        } else {
            let mut bytes = Zeroizing::new(vec![0; length]);
            let read = self.read_pieces(offset, &mut bytes)?;
            (Bytes::Long(bytes), read)
        };
        Ok(Held {
            bytes,
            range: 0..read,
        })
    }

    /// Decrypts what lies in the chunks of these bytes, and keeps it for whoever reads it next.
    ///
    /// # Errors
    /// [`ContentError`].
    pub fn prepare(&self, offset: u64, wanted: usize) -> Result<(), ContentError> {
        let length = available(self.length(), offset, wanted);
        for piece in pieces(offset, length) {
            // Before each chunk anew: whoever waits to write is not kept waiting.
            let state = self.state();
            self.chunk(&state, piece.chunk)?;
        }
        self.check_open()
    }
}
