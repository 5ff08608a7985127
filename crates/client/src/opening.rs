//! Opens a package (P17): nothing is decrypted before the `decrypt` report is durably with the node.
//!
//! The header is believed only as far as the chain agrees with it. The data key needs both shares: the requestor's
//! stands sealed in the header, the custodian's comes with the receipt of the report.

mod checks;
mod error;
mod whole;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_primitives::Bytes;
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::id::PackageId;
use medshare_protocol::package::SignedHeader;
use medshare_protocol::report::ReportBody;
use medshare_protocol::seal::{self, DataKey, SealedFor, Share};
use medshare_protocol::typed::Session;
use medshare_protocol::usage::{Action, Actions, Environment, UsageContract};

use crate::agent::{Agent, Opened, ReportError};
use crate::api::ApiError;
use crate::content::Content;
use crate::journal::Journal;
use crate::reporter::{Answered, Parts, Reporter, SessionKey, deliver};
use crate::requestor::Requestor;
use crate::spool::overlay_of;

pub use error::OpenError;

/// Longest life of a session key, ms: a week.
pub const SESSION_LIFETIME_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// Pause before a node is asked again that said another session has the lease, and did not say until when; doubled
/// each time.
const LEASE_PAUSE: Duration = Duration::from_secs(1);

/// What to open, and how.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The package file.
    pub container: PathBuf,
    /// The client's journal of this package.
    pub journal: PathBuf,
    /// Where this program runs: packages for the sandbox open nowhere else.
    pub environment: Environment,
    /// How long to wait for another session's lease to end: that of a client that was killed, for example.
    pub patience: Duration,
}

/// The beginning of a package file: whose it is and which rules go with it. Opens nothing and asks nobody.
///
/// # Errors
/// [`OpenError::Disk`], [`OpenError::Damaged`], [`OpenError::Package`].
pub fn read_header(container: &Path) -> Result<SignedHeader, OpenError> {
    header_of(container, &open_file(container)?)
}

fn header_of(container: &Path, file: &File) -> Result<SignedHeader, OpenError> {
    SignedHeader::read(&mut BufReader::new(file))
        .map_err(|error| whole::of_header(container, error))
}

fn open_file(container: &Path) -> Result<File, OpenError> {
    File::open(container).map_err(|error| OpenError::Disk {
        path: container.to_owned(),
        error,
    })
}

/// Opens a package for `requestor`: the agent that comes back decrypts on demand and keeps the lease.
///
/// # Errors
/// [`OpenError`]. A report that went out stays reported.
pub async fn open(requestor: &Requestor, opening: &Opening) -> Result<Agent, OpenError> {
    open_with(requestor, opening, |_, _| ()).await
}

/// As [`open`]. `progress` gets bytes done and in all when the file has to be read as a whole: when it was not downloaded
/// here, or was touched since.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    requestor: &Requestor,
    opening: &Opening,
    progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<Agent, OpenError> {
    // One file from here on, whatever is put in its place.
    let file = open_file(&opening.container)?;
    let header = header_of(&opening.container, &file)?;
    let package = header.header.package_id();
    let usage = checks::origin(requestor, &header.header).await?;
    let own_share = own_share(requestor, &header)?;
    let mut journal = Journal::open(&opening.journal)?;
    settle(requestor, &header, &mut journal).await?;
    checks::state(requestor, package).await?;
    checks::environment(usage.environment, opening.environment)?;
    let stamp = whole::check(requestor, &header, &opening.container, &file, progress).await?;

    let reporter = reporter(requestor, &header, &usage, journal)?;
    let answered = report_decrypt(requestor, &reporter, opening.patience).await?;
    let key = data_key(requestor, &header, &own_share, &answered);
    let content = key.and_then(|key| {
        let overlay = overlay_of(&opening.container);
        Ok(Content::open(file, &header, &key, overlay)?)
    });
    let content = content.inspect_err(|error| {
        tracing::warn!(%package, %error, "reported as decrypted, but not opened");
    })?;
    Ok(Agent::start(Opened {
        header: header.header,
        usage,
        content,
        stamp,
        reporter,
        ledger: requestor.ledger.clone(),
        clock: requestor.clock.clone(),
        container: opening.container.clone(),
        answered,
    }))
}

/// Our share comes out of the header before anything is reported: a package that cannot be opened here must not be
/// reported as opened.
fn own_share(requestor: &Requestor, header: &SignedHeader) -> Result<Share, OpenError> {
    let context = seal::share_context(header.header.package_id(), requestor.address());
    let sealed = &header.header.sealed_share;
    seal::open(
        &requestor.sealing,
        SealedFor::RequestorShare,
        &context,
        sealed,
    )
    .and_then(|share| Share::from_slice(&share))
    .map_err(|_| OpenError::OtherSealingKey {
        own: requestor.sealing.public(),
    })
}

/// Sends again what an earlier process wrote down and has no receipt for: the identical reports, in their order.
async fn settle(
    requestor: &Requestor,
    header: &SignedHeader,
    journal: &mut Journal,
) -> Result<(), OpenError> {
    let domain = requestor.ledger.domain();
    while let Some(submission) = journal.kept().pending.front().cloned() {
        let node = header.header.node;
        match deliver(&requestor.node, &domain, node, &submission).await {
            Ok(answer) => journal.received(&answer)?,
            // Its session is over, or the node has the number already: it will never be taken, so a new one may go.
            Err(error) if error.is_refusal() => {
                tracing::warn!(number = submission.report.number, %error, "an earlier report was refused");
                journal.refused(submission.report.number, &error.to_string())?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn reporter(
    requestor: &Requestor,
    header: &SignedHeader,
    usage: &UsageContract,
    journal: Journal,
) -> Result<Reporter, OpenError> {
    let package = header.header.package_id();
    Ok(Reporter::new(Parts {
        package,
        domain: requestor.ledger.domain(),
        node: header.header.node,
        contract_key: usage.contract_key,
        api: requestor.node.clone(),
        session: session(requestor, package, usage)?,
        journal,
        clock: requestor.clock.clone(),
    }))
}

/// A fresh key for this opening alone, and the wallet's word for it: the wallet need not be asked for each report.
fn session(
    requestor: &Requestor,
    package: PackageId,
    usage: &UsageContract,
) -> Result<SessionKey, OpenError> {
    let key = PrivateKeySigner::random();
    let expiry = (requestor.clock.wall_ms() + SESSION_LIFETIME_MS).min(usage.expiry);
    let delegation = Session {
        package: package.0,
        key: key.address(),
        expiry,
    };
    let signature = requestor
        .ledger
        .domain()
        .sign(&delegation, &requestor.wallet);
    let signature = signature.map_err(|error| OpenError::Signing(error.to_string()))?;
    let signature = Bytes::copy_from_slice(signature.as_slice());
    Ok(SessionKey {
        key,
        delegation,
        signature,
    })
}

/// The report that opens. Where another session holds the lease, waits until it ends, if there is patience for that.
async fn report_decrypt(
    requestor: &Requestor,
    reporter: &Reporter,
    patience: Duration,
) -> Result<Answered, OpenError> {
    let package = reporter.package;
    let body = ReportBody {
        comment: format!("Data with DataID {package} has been decrypted"),
        ..ReportBody::default()
    };
    let end = requestor.clock.since_boot() + patience;
    let mut pause = LEASE_PAUSE;
    loop {
        let last = requestor.node.last_report(package).await?;
        {
            let mut book = reporter.book();
            checks::report_chain(book.journal.kept().last.as_ref(), &last)?;
            (book.number, book.previous) = (last.number, last.digest);
        }
        let sent = reporter
            .line()
            .await
            .report(Actions::NONE.with(Action::Decrypt), &body)
            .await;
        let Err(error) = sent else {
            return checks::lease(sent?);
        };
        let Some(wished) = conflict(&error) else {
            return Err(error.into());
        };
        let left = end.saturating_sub(requestor.clock.since_boot());
        if left.is_zero() {
            let now_ms = requestor.clock.wall_ms();
            return Err(OpenError::LeaseElsewhere(checks::elsewhere(&error, now_ms)));
        }
        tracing::info!(%package, %error, "waiting for the lease");
        // The last try is at the very end of the patience.
        let resume = requestor.clock.since_boot() + wished.unwrap_or(pause).min(left);
        requestor.clock.wait_until(resume).await;
        pause *= 2;
    }
}

/// Whether the node said that another session is at work, and how long it wishes us to wait, if it says that.
fn conflict(error: &ReportError) -> Option<Option<Duration>> {
    match error {
        ReportError::Api(ApiError::Refused {
            status: 409,
            retry_after_seconds,
            ..
        }) => Some(retry_after_seconds.map(Duration::from_secs)),
        _ => None,
    }
}

/// Puts the shares together.
fn data_key(
    requestor: &Requestor,
    header: &SignedHeader,
    own_share: &Share,
    answered: &Answered,
) -> Result<DataKey, OpenError> {
    let sealed = answered.share.as_ref().ok_or(OpenError::NoShare)?;
    let context = seal::share_context(header.header.package_id(), requestor.address());
    let share = seal::open(
        &requestor.sealing,
        SealedFor::CustodianShare,
        &context,
        sealed,
    )
    .and_then(|share| Share::from_slice(&share))
    .map_err(|_| OpenError::BadShare)?;
    Ok(DataKey::derive(&header.bytes, own_share, &share))
}
