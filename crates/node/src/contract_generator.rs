//! The contract generator (P14): takes the sensitivity and the dataset's terms, returns the usage contract that is
//! attached to the package, with a contract key pair of its own (P4, P10).

use medshare_protocol::seal::{SealError, SealingSecret};
use medshare_protocol::usage::{Sensitivity, UsageContract};

use crate::descriptor::UsageTerms;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A usage contract and the secret half of its key, which stays with the custodian.
#[derive(Debug)]
pub struct GeneratedContract {
    /// What is attached to the package and registered on chain.
    pub usage: UsageContract,
    /// Opens the reports.
    pub secret: SealingSecret,
}

/// Generates the usage contract of one package at `now` (ms since the Unix epoch). Exemptions are for low sensitivity:
/// a highly sensitive package gets none, so that what is signed says what holds (Algorithm 1).
///
/// # Errors
/// When the operating system gives no randomness for the key.
pub fn generate(
    terms: &UsageTerms,
    sensitivity: Sensitivity,
    now: u64,
) -> Result<GeneratedContract, SealError> {
    let secret = SealingSecret::generate()?;
    let exempt = match sensitivity {
        Sensitivity::Low => terms.exempt,
        Sensitivity::High => medshare_protocol::usage::Actions::NONE,
    };
    let usage = UsageContract {
        sensitivity,
        granted: terms.granted,
        exempt,
        environment: terms.environment,
        expiry: now + u64::from(terms.retention_days) * DAY_MS,
        contract_key: secret.public(),
    };
    Ok(GeneratedContract { usage, secret })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use medshare_protocol::usage::{Action, Actions, Environment};

    fn terms() -> UsageTerms {
        UsageTerms {
            granted: Actions::NONE.with(Action::Read),
            exempt: Actions::NONE.with(Action::Write),
            environment: Environment::Any,
            retention_days: 30,
        }
    }

    #[test]
    fn the_terms_stand_in_the_contract_and_exemptions_only_for_low() {
        let low = generate(&terms(), Sensitivity::Low, 1_000).unwrap().usage;
        assert_eq!((low.granted, low.exempt), (terms().granted, terms().exempt));
        assert_eq!(low.expiry, 1_000 + 30 * 86_400_000);
        let high = generate(&terms(), Sensitivity::High, 1_000).unwrap().usage;
        assert_eq!(
            (high.granted, high.exempt),
            (terms().granted, Actions::NONE)
        );
    }

    #[test]
    fn every_package_has_a_key_pair_of_its_own() {
        let one = generate(&terms(), Sensitivity::High, 0).unwrap();
        let two = generate(&terms(), Sensitivity::High, 0).unwrap();
        assert_ne!(one.usage.contract_key, two.usage.contract_key);
        assert_eq!(one.secret.public(), one.usage.contract_key);
    }
}
