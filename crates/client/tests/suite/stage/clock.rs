//! A clock that stands still until it is moved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use medshare_client::clock::Clock;
use tokio::sync::watch;

pub struct FakeClock {
    since_boot: watch::Sender<Duration>,
    /// How far the client's wall clock was set back, ms.
    set_back_ms: AtomicU64,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self {
            since_boot: watch::Sender::new(Duration::from_secs(1_000)),
            set_back_ms: AtomicU64::new(0),
        }
    }
}

impl FakeClock {
    pub fn advance(&self, by: Duration) {
        self.since_boot.send_modify(|now| *now += by);
    }

    /// Sets the client's wall clock back; the node's is another.
    pub fn set_back(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap();
        self.set_back_ms.fetch_add(by, Ordering::Relaxed);
    }

    /// The node's wall clock.
    pub fn node_ms(&self) -> u64 {
        let passed = self.since_boot() - Duration::from_secs(1_000);
        super::BEGINNING_MS + u64::try_from(passed.as_millis()).unwrap()
    }
}

impl Clock for FakeClock {
    fn since_boot(&self) -> Duration {
        *self.since_boot.borrow()
    }

    fn wall_ms(&self) -> u64 {
        self.node_ms() - self.set_back_ms.load(Ordering::Relaxed)
    }

    fn wait_until(&self, moment: Duration) -> BoxFuture<'_, ()> {
        let mut now = self.since_boot.subscribe();
        Box::pin(async move {
            now.wait_for(|now| *now >= moment).await.unwrap();
        })
    }
}
