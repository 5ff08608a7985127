//! Bytes of the data where they were decrypted: for those who hand them on at once, without a copy of their own.

use std::ops::{Deref, Range};
use std::sync::Arc;

use medshare_protocol::package::CHUNK_BYTES;
use zeroize::Zeroizing;

use super::spans::{SPAN_BYTES, Span};
use super::{Content, ContentError, State, available, pieces, place};
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

impl Held {
    const fn new(bytes: Bytes, range: Range<usize>) -> Self {
        Self { bytes, range }
    }
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
        if (CHUNK_BYTES..=SPAN_BYTES).contains(&length)
            && state.spool.is_none()
            && let Some(span) = self.spans.take(Span { offset, length })
        {
            return Ok(Held::new(Bytes::Span(span), 0..length));
        }
        let (index, within) = place(offset);
        if (1..=CHUNK_BYTES - within).contains(&length) {
            let chunk = self.chunk(&state, index)?;
            return Ok(Held::new(Bytes::Chunk(chunk), within..within + length));
        }
        drop(state);
        if length <= SPAN_BYTES {
            // Waits for one before the state: nobody who writes is kept waiting.
            let mut bytes = self.spans.lend();
            let span = Span { offset, length };
            let read = self.read_span(&self.state(), span, &mut bytes)?;
            return Ok(Held::new(Bytes::Span(bytes), 0..read));
        }
        let mut bytes = Zeroizing::new(vec![0; length]);
        let read = self.read_pieces(offset, &mut bytes)?;
        Ok(Held::new(Bytes::Long(bytes), 0..read))
    }

    /// As [`Content::read_at`], into the first of `out`, which has room for a tag behind the span.
    fn read_span(&self, state: &State, span: Span, out: &mut [u8]) -> Result<usize, ContentError> {
        let cipher = self.cipher()?;
        let length = available(state.shape.length, span.offset, span.length);
        for piece in pieces(span.offset, length) {
            let number = u32::try_from(piece.chunk).unwrap_or(u32::MAX);
            let is_whole = piece.of_chunk == (0..cipher.plain_length(number));
            let cached = self.cache.find(piece.chunk);
            if is_whole && state.spool.is_none() && cached.is_none() {
                // Decrypted where it is wanted. Its tag stands where the next piece goes, or behind the last.
                self.decrypt_into(&cipher, piece.chunk, &mut out[piece.of_all.start..])?;
                continue;
            }
            let chunk = cached.map_or_else(|| self.chunk(state, piece.chunk), Ok)?;
            out[piece.of_all].copy_from_slice(&chunk[piece.of_chunk]);
        }
        Ok(length)
    }

    /// After a read: whether the reader reads in order, and [`Content::prepare`] is worth calling.
    #[must_use]
    pub fn goes_on(&self, offset: u64, length: usize) -> bool {
        let state = self.state();
        (CHUNK_BYTES..=SPAN_BYTES).contains(&length)
            && state.spool.is_none()
            && self.spans.note(Span { offset, length }, state.shape.length)
    }

    /// Decrypts what a reader who reads in order will ask for; not where anything was written over the data.
    ///
    /// # Errors
    /// [`ContentError`].
    pub fn prepare(&self) -> Result<(), ContentError> {
        loop {
            let mut bytes = self.spans.lend();
            // Held for one span at a time: whoever waits to write is not kept waiting.
            let state = self.state();
            let wanted = self.spans.wanted(state.shape.length);
            let Some(span) = wanted.filter(|_| state.spool.is_none()) else {
                return self.check_open();
            };
            self.read_span(&state, span, &mut bytes)?;
            self.spans.put(span, bytes);
        }
    }
}
