//! What processing fixes once (P12, P14): ranks, measures, the usage contract and the payload's salt.

use alloy_primitives::B256;
use medshare_protocol::form::Step;
use medshare_protocol::package::payload_hash;
use medshare_protocol::usage::Sensitivity;
use medshare_protocol::wire::Stage;

use super::selection::Selected;
use crate::clock;
use crate::contract_generator;
use crate::descriptor::Dataset;
use crate::error::NodeError;
use crate::release::Release;
use crate::running::Inner;
use crate::secrets::Secret;
use crate::store::{Change, ProcessedPackage, StoredRequest};

impl Inner {
    /// The steps `ranked`, `anonymised` and `contract-generated` (P12, P14), with what they fix.
    pub(super) async fn generate(
        &self,
        request: &StoredRequest,
        dataset: &Dataset,
        release: &Release,
        selected: &Selected,
        payload: &[u8],
    ) -> Result<(), NodeError> {
        let sensitivity = match selected.ranking.sensitivity {
            medshare_anonymiser::Sensitivity::Low => Sensitivity::Low,
            medshare_anonymiser::Sensitivity::High => Sensitivity::High,
        };
        let now = clock::now_ms();
        let generated = contract_generator::generate(&dataset.usage, sensitivity, now)?;
        let mut salt = B256::ZERO;
        getrandom::fill(salt.as_mut_slice())
            .map_err(|_| NodeError::Internal("the operating system gave no randomness".into()))?;
        let package = ProcessedPackage {
            contract_secret: self.secrets.encrypt(
                Secret::Contract,
                request.id,
                generated.secret.expose(),
            )?,
            usage: generated.usage,
            payload_salt: salt,
            payload_hash: payload_hash(salt, payload),
            payload_length: payload.len() as u64,
            processed: now,
        };
        let steps = [
            self.ranked(release, selected),
            self.anonymised(release, selected),
            self.step("contract-generated")
                .with("granted", package.usage.granted)
                .with("exempt", package.usage.exempt)
                .with("expiry", package.usage.expiry)
                .with("contract-key", package.usage.contract_key),
        ];
        let change = Change::Processed(&package);
        self.advance(
            request.id,
            Stage::Retrieved,
            Stage::Processed,
            &steps,
            change,
        )
        .await
    }

    fn ranked(&self, release: &Release, selected: &Selected) -> Step {
        let mut step = self
            .step("ranked")
            .with(
                "raw-sensitivity",
                format!("{:?}", release.ranking.sensitivity).to_lowercase(),
            )
            .with(
                "sensitivity",
                format!("{:?}", selected.ranking.sensitivity).to_lowercase(),
            )
            .with(
                "unique-share",
                format!("{:.6}", selected.ranking.unique_share),
            );
        for reason in &selected.ranking.reasons {
            step = step.with("reason", reason);
        }
        step
    }

    fn anonymised(&self, release: &Release, selected: &Selected) -> Step {
        let report = &release.report;
        let mut step = self
            .step("anonymised")
            .with("k", selected.measures.k)
            .with("classes", selected.measures.classes)
            .with("rows", selected.measures.rows)
            .with("suppressed-in-release", report.suppressed)
            .with("suppressed-in-selection", selected.suppressed)
            .with("loss", format!("{:.6}", report.loss));
        for (column, level, levels) in &report.levels {
            step = step.with(
                "level",
                format!("{column} {level}/{}", levels.saturating_sub(1)),
            );
        }
        step
    }
}
