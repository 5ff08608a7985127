//! A clock that stands still until it is moved.

use std::time::Duration;

use futures::future::BoxFuture;
use medshare_client::clock::Clock;
use tokio::sync::watch;

pub struct FakeClock(watch::Sender<Duration>);

impl Default for FakeClock {
    fn default() -> Self {
        Self(watch::Sender::new(Duration::from_secs(1_000)))
    }
}

impl FakeClock {
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now += by);
    }
}

impl Clock for FakeClock {
    fn since_boot(&self) -> Duration {
        *self.0.borrow()
    }

    fn wall_ms(&self) -> u64 {
        let passed = self.since_boot() - Duration::from_secs(1_000);
        super::BEGINNING_MS + u64::try_from(passed.as_millis()).unwrap()
    }

    fn wait_until(&self, moment: Duration) -> BoxFuture<'_, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            now.wait_for(|now| *now >= moment).await.unwrap();
        })
    }
}
