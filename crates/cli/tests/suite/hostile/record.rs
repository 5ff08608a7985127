//! What the first custodian's node has on record of one package, read from its store while it runs.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use medshare_node::store::Store;
use medshare_protocol::id::PackageId;
use tokio::runtime::Runtime;

use crate::devnet::Devnet;

/// What must be found by then.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// More reports than any test makes.
const MANY: u32 = 100;

pub struct Record {
    runtime: Runtime,
    store: Store,
    package: PackageId,
}

impl Record {
    pub fn of(network: &Devnet, package: &str) -> Self {
        let config = PathBuf::from(network.fact("/custodians/0/config"));
        let database = config.with_file_name("data").join("node.db");
        let runtime = Runtime::new().unwrap();
        let store = runtime.block_on(Store::open_existing(&database)).unwrap();
        Self {
            runtime,
            store,
            package: package.parse().unwrap(),
        }
    }

    /// The kinds of what was found, oldest first.
    pub fn findings(&self) -> Vec<String> {
        let found = self.runtime.block_on(self.store.findings(self.package));
        found.unwrap().into_iter().map(|it| it.kind).collect()
    }

    /// Returns once the node has found this.
    pub fn wait_for(&self, kind: &str) {
        let begun = Instant::now();
        while !self.findings().iter().any(|found| found == kind) {
            assert!(
                begun.elapsed() < PATIENCE,
                "no {kind}: {:?}",
                self.findings()
            );
            std::thread::sleep(PAUSE);
        }
    }

    /// The actions of all reports, in their order.
    pub fn reports(&self) -> Vec<u8> {
        let reports = self.store.recorded_reports(self.package, 1, MANY);
        let reports = self.runtime.block_on(reports).unwrap();
        reports
            .into_iter()
            .map(|it| it.submission.report.actions)
            .collect()
    }

    /// Whether anybody has a lease.
    pub fn is_open(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = u64::try_from(now.as_millis()).unwrap();
        let live = self.store.live_session(self.package, now);
        self.runtime.block_on(live).unwrap().is_some()
    }
}
