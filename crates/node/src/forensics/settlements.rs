//! What is said to have become of violations, against what the contract has settled (P19): a violation that is kept is not
//! forgotten for a word beside it.

use std::sync::Arc;

use medshare_protocol::id::PackageId;
use medshare_protocol::wire::AlertKind;

use super::Fault;
use super::own::{Own, Wrong};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::StoredTampering;

impl Inner {
    /// A violation without the contract's word, while access goes on, is brought to the contract again: once, for
    /// it may refuse it.
    pub(super) async fn check_settlements(
        self: &Arc<Self>,
        package: PackageId,
    ) -> Result<(), NodeError> {
        let without_word = self.store.without_the_contracts_word(package).await?;
        if without_word.is_empty() {
            return Ok(());
        }
        let status = self.chain.package(package).await?;
        if !status.state.is_usable() {
            return Ok(());
        }
        for (number, said) in without_word {
            if number <= status.settled {
                continue;
            }
            let fault = Fault {
                kind: AlertKind::Report,
                chain: None,
                height: None,
                package,
                detail: format!(
                    "report {number} is a violation that is said to be {said}, and the contract has not settled it"
                ),
            };
            if !self.told.is_new(&fault) {
                continue;
            }
            self.store.settle_again(package, number).await?;
            self.alert(fault, Some("it is brought to the contract again".into()))
                .await?;
            self.to_anchor.notify_one();
        }
        Ok(())
    }

    /// Contradicting reports are what the requestor has signed twice.
    pub(super) async fn tampering_wrongs(&self, own: &Own) -> Result<Vec<Wrong>, NodeError> {
        let kept = self.store.tamperings(own.id).await?;
        let wrongs = kept.into_iter().filter_map(|(number, tampering)| {
            let holds = tampering.is_some_and(|tampering| self.contradicts(number, &tampering));
            (!holds).then(|| {
                let detail = format!(
                    "the report that contradicts report {number} is not one that the requestor signed"
                );
                (AlertKind::Report, detail)
            })
        });
        Ok(wrongs.collect())
    }

    fn contradicts(&self, number: u32, tampering: &StoredTampering) -> bool {
        let StoredTampering {
            first,
            second,
            second_signature,
        } = tampering;
        let domain = self.chain.domain();
        second.package == first.package.0
            && second.number == number
            && domain.report_digest(second) != first.digest
            && domain.is_signed_by(second, second_signature, first.session_key)
    }
}
