//! What is written over the data: encrypted, to a file beside the package.

use std::sync::PoisonError;

use medshare_protocol::package::CHUNK_BYTES;
use medshare_protocol::package::aead::Cipher;

use super::{Content, ContentError, OVERLAY_KEY, State, pieces, place};
use crate::memory::LockedBuffer;
use crate::spool::Spool;

impl Content {
    /// Writes `bytes` at `offset`. Between the end of the data and a later `offset` there are zeros, as in a file.
    ///
    /// # Errors
    /// [`ContentError`]; some of the bytes may then be written, as in a file.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), ContentError> {
        let mut state = self.state_mut();
        self.keep_overlay(&mut state)?;
        for piece in pieces(offset, bytes.len()) {
            let mut chunk = if piece.of_chunk == (0..CHUNK_BYTES) {
                self.pool.lend()
            } else {
                self.load(&state, piece.chunk)?
            };
            chunk[piece.of_chunk].copy_from_slice(&bytes[piece.of_all]);
            self.store(&state, piece.chunk, chunk)?;
        }
        let end = offset.saturating_add(bytes.len() as u64);
        if !bytes.is_empty() && end > state.shape.length {
            state.shape.length = end;
            self.store_shape(&state)?;
        }
        Ok(())
    }

    /// Cuts the data, or extends it with zeros.
    ///
    /// # Errors
    /// [`ContentError`].
    pub fn set_length(&self, length: u64) -> Result<(), ContentError> {
        let mut state = self.state_mut();
        if length == state.shape.length {
            return Ok(());
        }
        self.keep_overlay(&mut state)?;
        if length < state.shape.length {
            self.cut(&state, length)?;
            state.shape.floor = state.shape.floor.min(length);
            self.cache.clear();
        }
        state.shape.length = length;
        self.store_shape(&state)
    }

    /// Zeros behind `length` in what was written; of what was issued, the floor hides the rest.
    fn cut(&self, state: &State, length: u64) -> Result<(), ContentError> {
        let Some(spool) = &state.spool else {
            return Ok(());
        };
        spool.cut(length.div_ceil(CHUNK_BYTES as u64))?;
        let (index, kept) = place(length);
        let mut chunk = self.pool.lend();
        if kept > 0 && spool.read(&self.overlay_cipher()?, index, &mut chunk)? {
            chunk[kept..].fill(0);
            self.store(state, index, chunk)?;
        }
        Ok(())
    }

    fn store(
        &self,
        state: &State,
        index: u64,
        mut chunk: LockedBuffer,
    ) -> Result<(), ContentError> {
        // Forgotten whatever comes of the writing: the next reader sees what is in the file.
        self.cache.forget(index);
        if let Some(spool) = &state.spool {
            spool.write(&self.overlay_cipher()?, index, &mut chunk)?;
        }
        Ok(())
    }

    fn store_shape(&self, state: &State) -> Result<(), ContentError> {
        if let Some(spool) = &state.spool {
            spool.set_shape(&self.overlay_cipher()?, state.shape)?;
        }
        Ok(())
    }

    /// Makes the overlay's file when there is none yet.
    fn keep_overlay(&self, state: &mut State) -> Result<(), ContentError> {
        if state.spool.is_none() {
            self.check_open()?;
            let spool = Spool::create(&self.overlay)?;
            self.take_key(spool.id())?;
            state.spool = Some(spool);
            self.spans.clear();
            self.store_shape(state)?;
        }
        Ok(())
    }

    /// Derives the overlay's key and puts it behind the data key.
    pub(super) fn take_key(&self, id: &[u8; 16]) -> Result<(), ContentError> {
        let key = self.data_key()?.overlay(id);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.as_mut().ok_or(ContentError::Wiped)?;
        keys[OVERLAY_KEY].copy_from_slice(key.as_slice());
        Ok(())
    }

    pub(super) fn overlay_cipher(&self) -> Result<Cipher, ContentError> {
        Ok(Cipher::new(&*self.key(OVERLAY_KEY)?))
    }
}
