//! The custodian's desk: what its people look at and decide, beside the running node (P18, P19).
//!
//! It reads the node's own store with the node's key, on the node's machine: no interface is open to anybody for it.

use alloy_primitives::{Address, B256};
use alloy_signer_local::PrivateKeySigner;
use medshare_chain::Chain;
use medshare_protocol::id::PackageId;
use medshare_protocol::output::{MAX_REASON_BYTES, OutputFiles};
use medshare_protocol::report::ReportBody;
use medshare_protocol::typed::OutputDecision;
use medshare_protocol::usage::Actions;
use medshare_protocol::wire::{HeldOutput, SignedDecision};
use std::path::PathBuf;

use crate::clock;
use crate::config::{Config, OpenError, read_key};
use crate::error::NodeError;
use crate::outputs::{cannot, contract_secret, held_path, no_output, released_path, write};
use crate::secrets::AtRest;
use crate::store::{Finding, Store, StoredPackage};

/// Reports that are read at once.
const PAGE: u32 = 256;

/// The desk of one node.
pub struct Desk {
    store: Store,
    secrets: AtRest,
    signer: PrivateKeySigner,
    chain: medshare_chain::ChainConfig,
    packages_dir: PathBuf,
}

/// A report with what it says in private.
#[derive(Clone, Debug)]
pub struct OpenedReport {
    /// Its number.
    pub number: u32,
    /// What was done.
    pub actions: Actions,
    /// Which of it are violations.
    pub violated: Actions,
    /// By the requestor's clock, ms since the Unix epoch.
    pub time: u64,
    /// By the node's.
    pub received: u64,
    /// Who signed it.
    pub session: Address,
    /// Its digest.
    pub digest: B256,
    /// Its body; or why it cannot be read: a client seals what it likes.
    pub body: Result<ReportBody, String>,
}

impl Desk {
    /// Opens the desk of the node with this configuration, which may be running.
    ///
    /// # Errors
    /// When the key or the store cannot be opened.
    pub async fn open(config: &Config, passphrase: &str) -> Result<Self, OpenError> {
        let signer = read_key(config.keystore.clone(), passphrase).await?;
        Ok(Self {
            store: Store::open_existing(&config.data_dir.join("node.db")).await?,
            secrets: AtRest::new(&signer),
            signer,
            chain: config.chain.clone(),
            packages_dir: config.data_dir.join("packages"),
        })
    }

    /// What the node has found that somebody should look at, of a package or of all, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn findings(&self, package: Option<PackageId>) -> Result<Vec<Finding>, NodeError> {
        Ok(match package {
            Some(package) => self.store.findings(package).await?,
            None => self.store.all_findings().await?,
        })
    }

    /// The reports of a package from a number on, opened with its contract key (P10, P18).
    ///
    /// # Errors
    /// [`NodeError::NotFound`]; when the store cannot be read.
    pub async fn reports(
        &self,
        package: PackageId,
        from: u32,
    ) -> Result<Vec<OpenedReport>, NodeError> {
        let stored = self.package(package).await?;
        let secret = contract_secret(&self.secrets, &stored)?;
        let usage = &stored.processed.usage;
        let (mut opened, mut from) = (Vec::new(), from);
        loop {
            let page = self.store.recorded_reports(package, from, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(opened);
            };
            let Some(next) = last.submission.report.number.checked_add(1) else {
                return Ok(opened);
            };
            from = next;
            opened.extend(page.iter().map(|recorded| {
                let submission = &recorded.submission;
                let report = &submission.report;
                let actions = Actions(report.actions);
                let body = ReportBody::open(&submission.body, &secret, package, report.number);
                OpenedReport {
                    number: report.number,
                    actions,
                    violated: usage.violations(actions),
                    time: report.time,
                    received: recorded.receipt.received,
                    session: submission.session.key,
                    digest: recorded.receipt.report,
                    body: body.map_err(|error| error.to_string()),
                }
            }));
        }
    }

    /// The outputs that are held back, or were, of a package or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn outputs(
        &self,
        package: Option<PackageId>,
    ) -> Result<Vec<(PackageId, HeldOutput)>, NodeError> {
        Ok(self.store.outputs(package).await?)
    }

    /// The files of an output.
    ///
    /// # Errors
    /// [`NodeError::NotFound`]; [`NodeError::BadRequest`] when the client sealed what is no output.
    pub async fn files(&self, package: PackageId, number: u32) -> Result<OutputFiles, NodeError> {
        let stored = self.package(package).await?;
        self.held(package, number).await?;
        let secret = contract_secret(&self.secrets, &stored)?;
        let path = held_path(&self.packages_dir, package, number);
        let sealed = tokio::fs::read(&path)
            .await
            .map_err(|error| cannot("read", &path, &error))?;
        let opened = move || OutputFiles::open_held(&sealed, &secret, package);
        tokio::task::spawn_blocking(opened)
            .await?
            .map_err(|error| NodeError::BadRequest(error.to_string()))
    }

    /// Releases an output to the requestor, or refuses it; once and for all.
    ///
    /// # Errors
    /// [`NodeError::NotFound`]; [`NodeError::Conflict`] when it was decided before; [`NodeError::BadRequest`] for what is no
    /// output, or a reason that is too long; an unreachable chain: the requestor's key is there.
    pub async fn decide(
        &self,
        package: PackageId,
        number: u32,
        released: bool,
        reason: &str,
    ) -> Result<SignedDecision, NodeError> {
        let held = self.held(package, number).await?;
        if held.decision.is_some() {
            return Err(NodeError::Conflict(format!(
                "the output {number} of {package} was decided before; a decision stands"
            )));
        }
        if reason.len() > MAX_REASON_BYTES {
            return Err(NodeError::BadRequest(format!(
                "a reason has {MAX_REASON_BYTES} bytes at most"
            )));
        }
        let chain = Chain::connect(&self.chain).await?;
        if released {
            self.seal_to_requestor(&chain, package, number).await?;
        }
        let decision = OutputDecision {
            package: package.0,
            number,
            output: held.output,
            released,
            reason: reason.to_owned(),
            time: clock::now_ms(),
        };
        let signature = chain.domain().sign(&decision, &self.signer)?;
        let signed = SignedDecision {
            decision,
            signature: signature.to_vec().into(),
        };
        self.store.decide_output(&signed).await?;
        Ok(signed)
    }

    async fn seal_to_requestor(
        &self,
        chain: &Chain,
        package: PackageId,
        number: u32,
    ) -> Result<(), NodeError> {
        let files = self.files(package, number).await?;
        let request = self.store.stored_request(package).await?;
        let request = request.ok_or_else(|| no_output(package, number))?;
        let requestor = request.signed.request.requestor;
        let record = chain
            .requestor(requestor)
            .await?
            .ok_or_else(|| NodeError::refused(format!("{requestor} is not registered any more")))?;
        let sealed = move || files.seal_released(record.sealing_key, package, number);
        let sealed = tokio::task::spawn_blocking(sealed).await?;
        let sealed = sealed.map_err(|error| NodeError::Internal(error.to_string()))?;
        write(&released_path(&self.packages_dir, package, number), sealed).await
    }

    async fn held(&self, package: PackageId, number: u32) -> Result<HeldOutput, NodeError> {
        let held = self.store.output(package, number).await?;
        held.ok_or_else(|| no_output(package, number))
    }

    async fn package(&self, id: PackageId) -> Result<StoredPackage, NodeError> {
        let package = self.store.package(id).await?;
        package.ok_or_else(|| NodeError::NotFound(format!("there is no package {id} here")))
    }
}
