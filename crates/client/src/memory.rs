//! Memory for plaintext and keys: locked, so that it is never swapped; left out of core dumps and of children; filled
//! with zeros when it is given back.

use std::hint::black_box;
use std::io;
use std::ops::{Deref, DerefMut, RangeInclusive};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

#[cfg(target_os = "linux")]
use memmap2::Advice;
use memmap2::MmapMut;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Bytes of a buffer: a chunk of 64 KiB, and a page for what encryption adds to it.
pub const BUFFER_BYTES: usize = 64 * 1024 + 4 * 1024;
/// Buffers in a pool, 2.5 MiB: with 1.2 MiB for long reads and 0.3 MiB for files that are made in a mount, two packages stay
/// below the 8 MiB that Linux lets everybody lock.
pub const MOST_BUFFERS: usize = 38;
/// With fewer nothing can be held open.
pub const FEWEST_BUFFERS: usize = 24;

/// From here on this process leaves no core dump, and no process of the same user may look into its memory (`ptrace`,
/// `/proc/PID/mem`). Before anything is decrypted.
///
/// # Errors
/// What the system says.
pub fn harden() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

struct Free {
    maps: Vec<MmapMut>,
    /// Who wait for one; nobody else is woken, which would be a system call for each buffer.
    waiting: usize,
}

/// Buffers that are lent one by one. Each is a mapping of its own, so that no two borrowers share one.
pub struct LockedPool {
    free: Mutex<Free>,
    returned: Condvar,
    buffers: usize,
}

impl LockedPool {
    /// Locks as many buffers for chunks as the system allows, [`MOST_BUFFERS`] at most.
    ///
    /// # Errors
    /// When these are fewer than [`FEWEST_BUFFERS`].
    pub fn new() -> io::Result<Arc<Self>> {
        Self::of(BUFFER_BYTES, FEWEST_BUFFERS..=MOST_BUFFERS)
    }

    /// Locks buffers of `bytes`: as many as the system allows, and as `numbers` says.
    ///
    /// # Errors
    /// When that is fewer than `numbers` begins with.
    pub fn of(bytes: usize, numbers: RangeInclusive<usize>) -> io::Result<Arc<Self>> {
        let mut free = Vec::with_capacity(*numbers.end());
        while free.len() < *numbers.end() {
            match locked(bytes) {
                Ok(buffer) => free.push(buffer),
                Err(_) if free.len() >= *numbers.start() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Arc::new(Self {
            buffers: free.len(),
            free: Mutex::new(Free {
                maps: free,
                waiting: 0,
            }),
            returned: Condvar::new(),
        }))
    }

    /// How many buffers there are in all.
    #[must_use]
    pub const fn buffers(&self) -> usize {
        self.buffers
    }

    /// A buffer of zeros; waits until there is one.
    pub fn lend(self: &Arc<Self>) -> LockedBuffer {
        let mut free = self.free();
        let map = loop {
            match free.maps.pop() {
                Some(map) => break map,
                None => {
                    free.waiting += 1;
                    let waited = self.returned.wait(free);
                    free = waited.unwrap_or_else(PoisonError::into_inner);
                    free.waiting -= 1;
                }
            }
        };
        LockedBuffer {
            map: Some(map),
            pool: Arc::clone(self),
        }
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        // A list of buffers of zeros, whoever panicked.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked(bytes: usize) -> io::Result<MmapMut> {
    let map = MmapMut::map_anon(bytes)?;
    #[cfg(target_os = "linux")]
    for advice in [Advice::DontDump, Advice::DontFork] {
        map.advise(advice)?;
    }
    map.lock()?;
    Ok(map)
}

/// The bytes of one buffer, for as long as they are held.
pub struct LockedBuffer {
    /// There until it is dropped.
    map: Option<MmapMut>,
    pool: Arc<LockedPool>,
}

impl Deref for LockedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }
}

impl DerefMut for LockedBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.map.as_deref_mut().unwrap_or_default()
    }
}

impl Drop for LockedBuffer {
    fn drop(&mut self) {
        if let Some(mut map) = self.map.take() {
            // Not `zeroize`, whose byte by byte takes longer than the decryption. The mapping is lent again or unmapped,
            // neither of which the compiler sees through; `black_box` says so.
            map.fill(0);
            black_box(&mut map);
            let mut free = self.pool.free();
            free.maps.push(map);
            if free.waiting > 0 {
                self.pool.returned.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_zeros_for_the_next() {
        let pool = LockedPool::new().expect("some memory may be locked");
        let mut held = Vec::new();
        for _ in 0..pool.buffers() {
            let mut buffer = pool.lend();
            assert_eq!(buffer.len(), BUFFER_BYTES);
            buffer.fill(0xaa);
            held.push(buffer);
        }
        held.clear();
        for _ in 0..pool.buffers() {
            let buffer = pool.lend();
            assert!(buffer.iter().all(|byte| *byte == 0));
            held.push(buffer);
        }
    }

    #[test]
    fn who_finds_none_waits_for_one() {
        let pool = LockedPool::new().expect("some memory may be locked");
        let mut held: Vec<_> = (0..pool.buffers()).map(|_| pool.lend()).collect();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| pool.lend().len());
            held.pop();
            assert_eq!(waiting.join().ok(), Some(BUFFER_BYTES));
        });
    }
}
