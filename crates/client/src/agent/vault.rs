//! The data, and whether it is still there.

use std::sync::Arc;
use std::time::Duration;

use super::lock::Lock;
use crate::content::Content;

/// By writing the data becomes no longer than this.
pub const MAX_CONTENT_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The data with the end of its lease; or the reason why there is none any more.
pub(super) struct Vault {
    content: Result<Arc<Content>, Lock>,
    lease_end: Duration,
}

impl Vault {
    pub(super) const fn new(content: Arc<Content>, lease_end: Duration) -> Self {
        Self {
            content: Ok(content),
            lease_end,
        }
    }

    pub(super) const fn lease_end(&self) -> Duration {
        self.lease_end
    }

    pub(super) fn lock(&self) -> Option<&Lock> {
        self.content.as_ref().err()
    }

    /// For use while the vault is not held: readers do not wait for each other.
    pub(super) fn content(&self) -> Result<Arc<Content>, Lock> {
        self.content.clone()
    }

    /// Answers may overtake each other; the lease that ends last holds.
    pub(super) fn extend_lease(&mut self, end: Duration) {
        self.lease_end = self.lease_end.max(end);
    }

    /// Wipes, also under the hands of those who are reading. The first reason stays.
    pub(super) fn close(&mut self, reason: Lock) {
        if let Ok(content) = &self.content {
            content.wipe();
            self.content = Err(reason);
        }
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        self.close(Lock::Closed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::content::tests::Made;

    #[test]
    fn the_first_reason_stays_and_the_bytes_go() {
        let content = Arc::new(Made::of(&[1, 2, 3]).open());
        let mut vault = Vault::new(content, Duration::from_secs(9));
        let held = vault.content().unwrap();
        let mut bytes = [0; 3];
        assert_eq!(held.read_at(0, &mut bytes).unwrap(), 3);
        assert_eq!(bytes, [1, 2, 3]);
        vault.close(Lock::Revoked);
        vault.close(Lock::Closed);
        assert_eq!(vault.content().err(), Some(Lock::Revoked));
        assert!(
            held.read_at(0, &mut bytes).is_err(),
            "who holds it has nothing"
        );
        assert_eq!(bytes, [0; 3]);
        assert_eq!(vault.lock(), Some(&Lock::Revoked));
    }

    #[test]
    fn a_late_answer_does_not_shorten_the_lease() {
        let mut vault = Vault::new(Arc::new(Made::of(&[]).open()), Duration::from_secs(9));
        vault.extend_lease(Duration::from_secs(7));
        assert_eq!(vault.lease_end(), Duration::from_secs(9));
        vault.extend_lease(Duration::from_secs(11));
        assert_eq!(vault.lease_end(), Duration::from_secs(11));
    }
}
