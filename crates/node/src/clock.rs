//! The node's clock: ms since the Unix epoch, never backwards while the process runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static LATEST: AtomicU64 = AtomicU64::new(0);

/// Now, ms since the Unix epoch. When the system's clock is set back, time stands still until it has caught up: the
/// steps of a form never run backwards.
#[must_use]
pub fn now_ms() -> u64 {
    let system = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let system = u64::try_from(system).unwrap_or(u64::MAX);
    LATEST.fetch_max(system, Ordering::Relaxed).max(system)
}

/// Time must not run before `time` any more: that of the last recorded step, after a restart.
pub(crate) fn not_before(time: u64) {
    LATEST.fetch_max(time, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_before_what_was_recorded() {
        let ahead = now_ms() + 5_000;
        not_before(ahead);
        assert!(now_ms() >= ahead);
    }
}
