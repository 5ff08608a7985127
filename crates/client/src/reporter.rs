//! Reports, one after the other: numbered, chained, sealed, signed, written down, sent, receipted (P17, P18).

mod line;
mod receipt;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::id::PackageId;
use medshare_protocol::report::{Output, ReportBody, body_hash};
use medshare_protocol::seal::SealError;
use medshare_protocol::typed::{Domain, Renewal, Report, Session};
use medshare_protocol::usage::{Actions, State};
use medshare_protocol::wire::{ReportAnswer, ReportSubmission};

use crate::api::{ApiError, NodeApi};
use crate::clock::Clock;
use crate::journal::{Journal, JournalError};

pub(crate) use line::Line;
pub(crate) use receipt::{Expected, check};

/// At most so many bytes of each text in a report's body.
const MAX_TEXT_BYTES: usize = 4_096;
/// At most so many byte ranges in a report's body.
const MAX_RANGES: usize = 1_024;
/// At most so many outputs in a report's body; who has more sends more reports.
const MAX_OUTPUTS: usize = 64;
/// At most so many bytes of an output's path.
const MAX_PATH_BYTES: usize = 256;

/// Why a report has no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The node or the network. The report is in the journal and is sent again before the next one.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// It could not be written down, so it was not sent.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The contract key is unusable.
    #[error("the report cannot be sealed: {0}")]
    Sealing(#[from] SealError),
    /// The node's receipt is none.
    #[error(
        "the node's receipt for report {number} does not hold ({reason}); the action was not carried out: tell the custodian"
    )]
    BadReceipt {
        /// Number of the report.
        number: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// The session key could not sign.
    #[error("the session key could not sign: {0}")]
    Signing(String),
    /// There are 2³² − 1 reports.
    #[error("the package has as many reports as one can have; ask for a new package")]
    NumbersExhausted,
}

impl ReportError {
    /// Whether the node said no, for good, to what was sent.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Api(error @ ApiError::Refused { .. }) if !error.may_pass())
    }
}

/// The session: a key that lives as long as the opened data, and the wallet's word for it.
pub(crate) struct SessionKey {
    pub(crate) key: PrivateKeySigner,
    pub(crate) delegation: Session,
    pub(crate) signature: Bytes,
}

/// An accepted answer with the time its lease counts from.
pub(crate) struct Answered {
    pub(crate) number: u32,
    pub(crate) state: State,
    pub(crate) lease: Duration,
    /// [`Clock::since_boot`] before the question went out: the node's lease began later, so ours ends no later.
    pub(crate) asked: Duration,
    pub(crate) share: Option<Bytes>,
}

/// Makes the reports of one opened package. They go out one after the other; written down they are at once, so that what
/// a violation says is on disk before the program that tried it has its answer, whatever the network does.
pub(crate) struct Reporter {
    pub(crate) package: PackageId,
    pub(crate) domain: Domain,
    /// Who must have signed the receipts.
    pub(crate) node: Address,
    /// What report bodies are sealed to.
    pub(crate) contract_key: B256,
    pub(crate) api: NodeApi,
    pub(crate) session: SessionKey,
    pub(crate) clock: Arc<dyn Clock>,
    book: Mutex<Book>,
    sending: tokio::sync::Mutex<()>,
}

/// What a reporter of a package is made from.
pub(crate) struct Parts {
    pub(crate) package: PackageId,
    pub(crate) domain: Domain,
    pub(crate) node: Address,
    pub(crate) contract_key: B256,
    pub(crate) api: NodeApi,
    pub(crate) session: SessionKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) journal: Journal,
}

/// Where the chain of reports stands. Locked for moments only, never across an await.
pub(crate) struct Book {
    pub(crate) journal: Journal,
    /// Number and digest of the last report made.
    pub(crate) number: u32,
    pub(crate) previous: B256,
    /// Time of the last renewal sent, ms.
    renewed_ms: u64,
    /// The node's time in the newest receipt, ms.
    received_ms: u64,
}

impl Reporter {
    pub(crate) fn new(parts: Parts) -> Self {
        let book = Book {
            journal: parts.journal,
            number: 0,
            previous: B256::ZERO,
            renewed_ms: 0,
            received_ms: 0,
        };
        Self {
            package: parts.package,
            domain: parts.domain,
            node: parts.node,
            contract_key: parts.contract_key,
            api: parts.api,
            session: parts.session,
            clock: parts.clock,
            book: Mutex::new(book),
            sending: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while it was held leaves a report written down and not counted: the next has its number, and the node
        // refuses it.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else sends.
    pub(crate) async fn line(&self) -> Line<'_> {
        Line::new(self, self.sending.lock().await)
    }

    /// Makes a report and writes it down; its number. It goes out with whoever has the line next, or at the next opening. `synced`: what
    /// is told whether or not there is an answer outlives the machine; what is done only once the node has it need not,
    /// and waits for no disk but the node's.
    pub(crate) fn write_down(
        &self,
        actions: Actions,
        body: &ReportBody,
        synced: bool,
    ) -> Result<u32, ReportError> {
        let mut book = self.book();
        let number = book
            .number
            .checked_add(1)
            .ok_or(ReportError::NumbersExhausted)?;
        let body = bounded(body).seal(self.contract_key, self.package, number)?;
        let report = Report {
            package: self.package.0,
            number,
            previous: book.previous,
            actions: actions.0,
            time: self.clock.wall_ms(),
            body: body_hash(&body),
        };
        let digest = self.domain.report_digest(&report);
        let submission = ReportSubmission {
            signature: self.sign(&report)?,
            report,
            session: self.session.delegation.clone(),
            session_signature: self.session.signature.clone(),
            body: body.into(),
        };
        book.journal.sending(&submission, synced)?;
        (book.number, book.previous) = (number, digest.0);
        Ok(number)
    }

    fn sign(&self, message: &impl alloy_sol_types::SolStruct) -> Result<Bytes, ReportError> {
        let signature = self.domain.sign(message, &self.session.key);
        signature
            .map(|signature| Bytes::copy_from_slice(signature.as_slice()))
            .map_err(|error| ReportError::Signing(error.to_string()))
    }

    fn first_pending(&self) -> Option<ReportSubmission> {
        self.book().journal.kept().pending.front().cloned()
    }

    /// The next renewal, and what its receipt must be about. Nothing while a report is still to be sent: a renewal that
    /// names it would say that it is kept back.
    fn next_renewal(&self) -> Option<(Renewal, Expected)> {
        let mut book = self.book();
        if !book.journal.kept().pending.is_empty() {
            return None;
        }
        // A node takes renewals in the order of their times; a wall clock that was set back must not end the lease.
        book.renewed_ms = self.clock.wall_ms().max(book.renewed_ms.saturating_add(1));
        let renewal = Renewal {
            package: self.package.0,
            number: book.number,
            time: book.renewed_ms,
        };
        let expected = Expected {
            package: self.package,
            number: book.number,
            digest: book.previous,
        };
        Some((renewal, expected))
    }
}

/// Sends one report and checks its receipt.
pub(crate) async fn deliver(
    api: &NodeApi,
    domain: &Domain,
    node: Address,
    submission: &ReportSubmission,
) -> Result<ReportAnswer, ReportError> {
    let package = PackageId(submission.report.package);
    let answer = api.report(package, submission).await?;
    let expected = Expected {
        package,
        number: submission.report.number,
        digest: domain.report_digest(&submission.report).0,
    };
    check(domain, node, &expected, &answer)?;
    Ok(answer)
}

/// A body that is never too long to be sent, whatever the caller put in: no violation goes unreported for the length
/// of a file's name. Three texts, 1,024 ranges of 19 bytes and 64 outputs of 320 are less than what a node takes.
fn bounded(body: &ReportBody) -> ReportBody {
    let cut_to = |text: &str, most| text[..text.floor_char_boundary(most)].to_owned();
    let cut = |text: &str| cut_to(text, MAX_TEXT_BYTES);
    let outputs = body.outputs.iter().take(MAX_OUTPUTS);
    ReportBody {
        comment: cut(&body.comment),
        file: body.file.as_deref().map(cut),
        ranges: body.ranges.iter().take(MAX_RANGES).copied().collect(),
        program: body.program.as_deref().map(cut),
        counts: body.counts.clone(),
        outputs: outputs
            .map(|output| Output {
                path: cut_to(&output.path, MAX_PATH_BYTES),
                ..output.clone()
            })
            .collect(),
        held: body.held,
    }
}

fn answered(answer: &ReportAnswer, asked: Duration) -> Answered {
    Answered {
        number: answer.receipt.number,
        state: answer.state,
        lease: Duration::from_secs(u64::from(answer.receipt.leaseSeconds)),
        asked,
        share: answer.share.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use medshare_protocol::report::MAX_SEALED_BODY_BYTES;
    use medshare_protocol::seal::SealingSecret;

    #[test]
    fn the_longest_body_is_taken_by_nodes() {
        let output = Output {
            path: "ö".repeat(100_000),
            size: u64::MAX,
            sha256: [0; 32],
            input_rows: u64::MAX,
        };
        let huge = ReportBody {
            comment: "ä".repeat(100_000),
            file: Some("€".repeat(100_000)),
            ranges: vec![(u64::MAX, u64::MAX); 100_000],
            program: Some("x".repeat(100_000)),
            counts: (0..6).map(|action| (action, u64::MAX)).collect(),
            outputs: vec![output; 1_000],
            held: Some(B256::ZERO),
        };
        let key = SealingSecret::generate().unwrap().public();
        let sealed = bounded(&huge).seal(key, PackageId(B256::ZERO), 1).unwrap();
        assert!(sealed.len() <= MAX_SEALED_BODY_BYTES, "{}", sealed.len());
        let small = ReportBody {
            comment: "ä".into(),
            ..ReportBody::default()
        };
        assert_eq!(bounded(&small), small);
    }
}
