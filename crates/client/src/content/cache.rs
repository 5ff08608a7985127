//! Decrypted chunks that were used lately: a clock (second chance) in four parts, so that readers seldom meet.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::memory::LockedBuffer;

const SHARDS: usize = 4;

pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    /// A chunk has been loaded, or could not be.
    loaded: [Condvar; SHARDS],
}

struct Shard {
    entries: Vec<Entry>,
    /// Chunks that somebody is decrypting: the others wait for it.
    loading: Vec<u64>,
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
                    loading: Vec::new(),
                    hand: 0,
                    room: room / SHARDS,
                })
            }),
            loaded: std::array::from_fn(|_| Condvar::new()),
        }
    }

    /// A chunk, for which `load` is called when it is not here. Whoever comes while another loads it waits, so that `load`
    /// must need nothing that those who wait hold.
    ///
    /// # Errors
    /// What `load` says.
    pub(super) fn get_or<E>(
        &self,
        index: u64,
        load: impl FnOnce() -> Result<LockedBuffer, E>,
    ) -> Result<Arc<LockedBuffer>, E> {
        let mut shard = self.shard(index);
        loop {
            if let Some(chunk) = shard.get(index) {
                return Ok(chunk);
            }
            if !shard.loading.contains(&index) {
                break;
            }
            let waited = self.loaded[place(index)].wait(shard);
            shard = waited.unwrap_or_else(PoisonError::into_inner);
        }
        shard.loading.push(index);
        drop(shard);
        let _loading = Loading { cache: self, index };
        let chunk = Arc::new(load()?);
        self.put(index, &chunk);
        Ok(chunk)
    }

    /// A chunk, when it is here.
    pub(super) fn find(&self, index: u64) -> Option<Arc<LockedBuffer>> {
        self.shard(index).get(index)
    }

    fn put(&self, index: u64, chunk: &Arc<LockedBuffer>) {
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
        lock(&self.shards[place(index)])
    }
}

/// Its end, also after an error, wakes those who wait.
struct Loading<'a> {
    cache: &'a Cache,
    index: u64,
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        let mut shard = self.cache.shard(self.index);
        shard.loading.retain(|index| *index != self.index);
        self.cache.loaded[place(self.index)].notify_all();
    }
}

const fn place(index: u64) -> usize {
    (index % SHARDS as u64) as usize
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    fn get(&mut self, index: u64) -> Option<Arc<LockedBuffer>> {
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|entry| entry.index == index)?;
        entry.used = true;
        Some(Arc::clone(&entry.chunk))
    }

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::memory::LockedPool;

    const WHILE: Duration = Duration::from_millis(100);

    #[test]
    fn who_comes_while_a_chunk_is_loaded_waits_for_it_and_loads_it_only_when_that_failed() {
        let (pool, cache) = (LockedPool::new().unwrap(), Cache::new(8));
        for fails in [false, true] {
            let index = u64::from(fails);
            let (begun, has_begun) = channel();
            let (go_on, may_go_on) = channel();
            let (loads, has_loaded) = channel();
            std::thread::scope(|scope| {
                let (cache, pool) = (&cache, &pool);
                let first = scope.spawn(move || {
                    let load = || {
                        begun.send(()).unwrap();
                        may_go_on.recv().unwrap();
                        if fails { Err(()) } else { Ok(pool.lend()) }
                    };
                    cache.get_or(index, load).is_ok()
                });
                has_begun.recv().unwrap();
                let second = scope.spawn(move || {
                    let load = || {
                        loads.send(()).unwrap();
                        Ok::<_, ()>(pool.lend())
                    };
                    cache.get_or(index, load).is_ok()
                });
                // That nothing happens shows by time alone.
                let waits = has_loaded.recv_timeout(WHILE).is_err();
                go_on.send(()).unwrap();
                assert!(waits);
                assert_eq!(first.join().ok(), Some(!fails));
                assert_eq!(second.join().ok(), Some(true));
                assert_eq!(has_loaded.recv().is_ok(), fails, "it loads what failed");
            });
        }
    }
}
