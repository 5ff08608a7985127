//! What is done before it is asked for, on a thread of its own: the spans behind those of a long read are decrypted, and a chunk of
//! which a page was read at random is handed to the kernel as a whole.
//!
//! A chunk is authenticated as a whole or not at all, so that a page of it costs as much as all sixteen. A file system of
//! compressed blocks has the same case and the same answer: whoever asked for the page finds the others in the page cache.
//! Only where nobody may write, since the kernel would otherwise be given what a write has just replaced.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use fuser::{INodeNo, Notifier};
use medshare_protocol::package::CHUNK_BYTES;

use super::folder::Inside;
use super::second_files::DATA;

/// Jobs that wait. What comes while all wait is left undone: it saves time, and nothing depends on it.
const MAX_JOBS: usize = 8;

enum Job {
    /// Decrypts what a reader in order will ask for.
    Prepare,
    /// Hands the chunk that begins there to the kernel.
    Give { begin: u64 },
}

/// The way to the thread.
pub(super) struct Ahead {
    jobs: OnceLock<SyncSender<Job>>,
    /// The kernel, while it may be given something.
    kernel: Mutex<Option<Notifier>>,
    /// Length of data that stays as it is while it is open.
    constant: Option<u64>,
}

impl Ahead {
    /// `constant`: the length of data that nobody may write.
    pub(super) const fn new(constant: Option<u64>) -> Self {
        Self {
            jobs: OnceLock::new(),
            kernel: Mutex::new(None),
            constant,
        }
    }

    /// Starts the thread, which ends with `inside`.
    pub(super) fn start(inside: &Arc<Inside>, kernel: Notifier) -> std::io::Result<()> {
        let (sender, receiver) = sync_channel(MAX_JOBS);
        let ahead = &inside.ahead;
        *locked(&ahead.kernel) = Some(kernel);
        let inside = Arc::downgrade(inside);
        let named = std::thread::Builder::new().name("ahead".into());
        named.spawn(move || work(&inside, &receiver))?;
        // Started once.
        let _ = ahead.jobs.set(sender);
        Ok(())
    }

    /// After a read by someone who reads in order.
    pub(super) fn prepare(&self) {
        self.send(Job::Prepare);
    }

    /// After a read of these bytes: what the kernel has of the data then, or will have.
    pub(super) fn after(&self, (begin, end): (u64, u64)) -> (u64, u64) {
        let chunk = CHUNK_BYTES as u64;
        if end - begin >= chunk {
            return (begin, end);
        }
        let around = begin - begin % chunk;
        let behind = self.constant.unwrap_or(0).min(around + chunk);
        let is_part = around < begin || end < behind;
        match self.constant.is_some() && is_part && self.send(Job::Give { begin: around }) {
            true => (around, end.max(behind)),
            false => (begin, end),
        }
    }

    fn send(&self, job: Job) -> bool {
        let jobs = self.jobs.get();
        jobs.is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    /// From here on the kernel is given nothing; what is on its way has arrived. Waits for pages that are being read: not
    /// from within a call.
    pub(super) fn stop_giving(&self) {
        *locked(&self.kernel) = None;
    }
}

fn work(inside: &Weak<Inside>, jobs: &Receiver<Job>) {
    for job in jobs {
        let Some(inside) = inside.upgrade() else {
            return;
        };
        match job {
            // What cannot be decrypted is told to whoever reads it.
            Job::Prepare => drop(inside.agent.prepare()),
            Job::Give { begin } => inside.give_to_kernel(begin),
        }
    }
}

impl Inside {
    fn give_to_kernel(&self, begin: u64) {
        // Held while it is given: whoever makes the kernel forget comes before or after. The kernel waits for pages that are
        // being read, which other threads answer.
        let kernel = locked(&self.ahead.kernel);
        let (Some(kernel), Ok(chunk)) = (&*kernel, self.agent.hold(begin, CHUNK_BYTES)) else {
            return;
        };
        if let Err(error) = kernel.store(INodeNo(DATA), begin, &chunk) {
            tracing::debug!(begin, %error, "the kernel did not take a chunk");
        }
    }
}

fn locked(kernel: &Mutex<Option<Notifier>>) -> std::sync::MutexGuard<'_, Option<Notifier>> {
    // A notifier is whole, whoever panicked.
    kernel.lock().unwrap_or_else(PoisonError::into_inner)
}
