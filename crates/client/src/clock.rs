//! Time, as leases need it: a clock that nobody sets and that keeps running while the machine is suspended.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use rustix::time::{ClockId, clock_gettime};

/// Longest single sleep. Timers stand still in suspend, this clock does not; so after a suspend a lease that ended
/// meanwhile is noticed at most so much later, also when nobody touches the data.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The two times that the client needs. Tests drive their own.
pub trait Clock: Send + Sync {
    /// Since the machine started, suspended time included. Nobody can set it back.
    fn since_boot(&self) -> Duration;
    /// The wall clock, ms since the Unix epoch: what reports carry.
    fn wall_ms(&self) -> u64;
    /// Returns once [`Clock::since_boot`] has reached `moment`.
    fn wait_until(&self, moment: Duration) -> BoxFuture<'_, ()>;
}

/// The machine's clocks: `CLOCK_BOOTTIME` and the wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    fn since_boot(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(
            u64::try_from(time.tv_sec).expect("time since boot is not negative"),
            u32::try_from(time.tv_nsec).expect("nanoseconds are less than 10⁹"),
        )
    }

    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn wait_until(&self, moment: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let left = moment.saturating_sub(self.since_boot());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_at_the_moment_and_not_before() {
        let clock = MachineClock;
        let moment = clock.since_boot() + Duration::from_millis(20);
        clock.wait_until(moment).await;
        assert!(clock.since_boot() >= moment);
        let before = clock.since_boot();
        clock.wait_until(Duration::ZERO).await;
        assert!(
            clock.since_boot() < before + LONGEST_SLEEP,
            "the past is not waited for"
        );
    }
}
