//! Decrypted chunks that were used lately: a clock (second chance) in four parts, so that readers seldom meet.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memory::LockedBuffer;

const SHARDS: usize = 4;

pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
}

struct Shard {
    entries: Vec<Entry>,
    hand: usize,
    room: usize,
}

struct Entry {
    index: u64,
    chunk: Arc<LockedBuffer>,
    used: bool,
}

impl Cache {
    /// For `room` chunks at most.
    pub(super) fn new(room: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    entries: Vec::with_capacity(room / SHARDS),
                    hand: 0,
                    room: room / SHARDS,
                })
            }),
        }
    }

    pub(super) fn get(&self, index: u64) -> Option<Arc<LockedBuffer>> {
        let mut shard = self.shard(index);
        let entry = shard
            .entries
            .iter_mut()
            .find(|entry| entry.index == index)?;
        entry.used = true;
        Some(Arc::clone(&entry.chunk))
    }

    pub(super) fn put(&self, index: u64, chunk: &Arc<LockedBuffer>) {
        let mut shard = self.shard(index);
        if shard.entries.iter().any(|entry| entry.index == index) {
            return;
        }
        let entry = Entry {
            index,
            chunk: Arc::clone(chunk),
            used: false,
        };
        if shard.entries.len() < shard.room {
            shard.entries.push(entry);
        } else if let Some(place) = shard.place() {
            shard.entries[place] = entry;
        }
    }

    pub(super) fn forget(&self, index: u64) {
        self.shard(index)
            .entries
            .retain(|entry| entry.index != index);
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            lock(shard).entries.clear();
        }
    }

    /// Forgets all, and takes nothing any more: also not from those who are loading now.
    pub(super) fn close(&self) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.room = 0;
            shard.entries.clear();
        }
    }

    fn shard(&self, index: u64) -> MutexGuard<'_, Shard> {
        lock(&self.shards[(index % SHARDS as u64) as usize])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    /// Whose place is taken: the first that was not used since the hand passed last. None without entries.
    fn place(&mut self) -> Option<usize> {
        // In the second round at the latest.
        for _ in 0..2 * self.entries.len() {
            self.hand = (self.hand + 1) % self.entries.len();
            let entry = &mut self.entries[self.hand];
            if !std::mem::take(&mut entry.used) {
                return Some(self.hand);
            }
        }
        None
    }
}
