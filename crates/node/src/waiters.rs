//! Who waits for news of which package: the long poll's bell.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use medshare_protocol::id::PackageId;
use tokio::sync::watch;

/// From so many bells on, those that nobody listens to are taken down before another one is hung up.
const MANY_BELLS: usize = 1_024;

/// A bell for each package that somebody waits for; no entry stays without a listener for long.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    bells: Mutex<HashMap<PackageId, watch::Sender<u64>>>,
}

impl Waiters {
    /// A receiver that changes whenever something happens to the package from now on.
    pub(crate) fn listen(&self, package: PackageId) -> watch::Receiver<u64> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if bells.len() >= MANY_BELLS && !bells.contains_key(&package) {
            bells.retain(|_, bell| bell.receiver_count() > 0);
        }
        bells
            .entry(package)
            .or_insert_with(|| watch::channel(0).0)
            .subscribe()
    }

    /// Something happened to the package.
    pub(crate) fn ring(&self, package: PackageId) {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bell) = bells.get(&package) else {
            return;
        };
        if bell.receiver_count() == 0 {
            bells.remove(&package);
        } else {
            bell.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy_primitives::B256;

    #[tokio::test]
    async fn only_listeners_of_the_package_hear_it() {
        let waiters = Waiters::default();
        let (one, two) = (
            PackageId(B256::repeat_byte(1)),
            PackageId(B256::repeat_byte(2)),
        );
        let mut of_one = waiters.listen(one);
        let of_two = waiters.listen(two);
        waiters.ring(one);
        of_one.changed().await.unwrap();
        assert!(!of_two.has_changed().unwrap());
    }

    #[test]
    fn bells_that_nobody_listens_to_do_not_pile_up() {
        let waiters = Waiters::default();
        let kept = waiters.listen(PackageId(B256::ZERO));
        for number in 1..10 * MANY_BELLS {
            drop(waiters.listen(PackageId(B256::left_padding_from(&number.to_be_bytes()))));
        }
        assert!(waiters.bells.lock().unwrap().len() <= MANY_BELLS);
        waiters.ring(PackageId(B256::ZERO));
        assert!(kept.has_changed().unwrap());
    }

    #[test]
    fn a_bell_without_listeners_is_taken_down() {
        let waiters = Waiters::default();
        let package = PackageId(B256::repeat_byte(1));
        drop(waiters.listen(package));
        waiters.ring(package);
        assert!(waiters.bells.lock().unwrap().is_empty());
    }
}
