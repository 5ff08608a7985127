//! What must hold before a package is opened: the chain, not the file, is believed.

use medshare_chain::PackageIssued;
use medshare_protocol::id::PackageId;
use medshare_protocol::package::PackageHeader;
use medshare_protocol::typed::Receipt;
use medshare_protocol::usage::{Environment, State, UsageContract};
use medshare_protocol::wire::LastReport;

use super::OpenError;
use crate::agent::{Lock, ReportError};
use crate::reporter::Answered;
use crate::requestor::Requestor;

/// Whether the header tells of a package that was issued to this requestor, by a registered node of its owner, and
/// nothing in it differs from what the chain holds. The rules that come back are the chain's.
pub(super) async fn origin(
    requestor: &Requestor,
    header: &PackageHeader,
) -> Result<UsageContract, OpenError> {
    let domain = requestor.ledger.domain();
    if header.domain() != domain {
        return Err(OpenError::OtherDeployment {
            package_contract: header.contract,
            package_chain: header.chain_id,
            contract: domain.contract(),
            chain: domain.chain_id(),
        });
    }
    if header.requestor != requestor.address() {
        let (tagged, wallet) = (header.requestor, requestor.address());
        return Err(OpenError::OfAnother { tagged, wallet });
    }
    let node = requestor.ledger.node(header.node).await?;
    if node.is_none_or(|node| node.custodian != header.owner) {
        return Err(OpenError::UnknownNode {
            node: header.node,
            owner: header.owner,
        });
    }
    let issued = requestor.ledger.issued(header.package_id()).await?;
    agrees(header, &issued.ok_or(OpenError::NotIssued)?)
}

/// Field by field.
fn agrees(header: &PackageHeader, issued: &PackageIssued) -> Result<UsageContract, OpenError> {
    let usage = header
        .usage()
        .ok_or(OpenError::Contradiction("usage contract"))?;
    let fields = [
        ("requestor", header.requestor == issued.request.requestor),
        ("custodian", header.owner == issued.request.custodian),
        ("dataset", header.dataset_id() == issued.request.dataset),
        ("payload hash", header.payload_hash() == issued.payload_hash),
        ("node", header.node == issued.node),
        ("second node", header.verifier == issued.verifier),
        ("usage contract", usage == issued.usage),
    ];
    match fields.into_iter().find(|(_, same)| !same) {
        Some((field, _)) => Err(OpenError::Contradiction(field)),
        None => Ok(usage),
    }
}

/// Whether the package may be used now.
pub(super) async fn state(requestor: &Requestor, package: PackageId) -> Result<(), OpenError> {
    match requestor.ledger.package(package).await?.state {
        State::None => Err(OpenError::NotIssued),
        state if state.is_usable() => Ok(()),
        state => Err(OpenError::Closed(Lock::of_state(state))),
    }
}

/// Whether it may be opened here.
pub(super) fn environment(permitted: Environment, here: Environment) -> Result<(), OpenError> {
    match (permitted, here) {
        (Environment::Sandbox | Environment::SandboxHeld, Environment::Any) => {
            Err(OpenError::NeedsSandbox)
        }
        _ => Ok(()),
    }
}

/// Whether the node still has all the reports that it gave receipts for. It may have more: those of another machine.
pub(super) fn report_chain(ours: Option<&Receipt>, theirs: &LastReport) -> Result<(), OpenError> {
    let Some(ours) = ours else {
        return Ok(());
    };
    let lost =
        theirs.number < ours.number || theirs.number == ours.number && theirs.digest != ours.report;
    if lost {
        return Err(OpenError::ReportsLost {
            ours: ours.number,
            theirs: theirs.number,
        });
    }
    Ok(())
}

/// Who has the lease, in one sentence with the time from now: nodes tell its end in ms since the Unix epoch.
pub(super) fn elsewhere(error: &ReportError, now_ms: u64) -> String {
    let said = error.to_string();
    match lease_end_ms(&said) {
        Some(end_ms) => {
            let seconds = end_ms.saturating_sub(now_ms).div_ceil(1000);
            format!(
                "another session has the package open, and its lease ends in {seconds} s unless it is renewed"
            )
        }
        None => said,
    }
}

/// The number behind `lease until`, if there is one.
fn lease_end_ms(said: &str) -> Option<u64> {
    let (_, behind) = said.split_once("lease until ")?;
    let digits = behind.find(|character: char| !character.is_ascii_digit());
    behind[..digits.unwrap_or(behind.len())].parse().ok()
}

/// Whether the answer to the report permits to go on.
pub(super) fn lease(answered: Answered) -> Result<Answered, OpenError> {
    if !answered.state.is_usable() {
        return Err(OpenError::Closed(Lock::of_state(answered.state)));
    }
    if answered.lease.is_zero() {
        return Err(OpenError::Closed(Lock::LeaseEnded));
    }
    Ok(answered)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::api::ApiError;
    use alloy_primitives::B256;

    #[test]
    fn the_lease_of_another_session_is_told_once_and_from_now() {
        let told = |detail: &str| {
            let refused = ApiError::Refused {
                status: 409,
                kind: "conflict".into(),
                detail: detail.into(),
                retry_after_seconds: None,
            };
            elsewhere(&refused.into(), 1_700_000_000_000)
        };
        assert_eq!(
            told("the package is open: another session holds the lease until 1700000041500 (ms)"),
            "another session has the package open, and its lease ends in 42 s unless it is renewed"
        );
        assert!(told("x lease until 5").contains("ends in 0 s"));
        // Words that carry no time are passed on as they are.
        for other in [
            "there is a gap",
            "lease until soon",
            "lease until 99999999999999999999999 (ms)",
        ] {
            assert_eq!(told(other), other);
        }
    }

    #[test]
    fn a_node_that_forgot_a_receipted_report_is_found_out() {
        let receipt = Receipt {
            package: B256::ZERO,
            number: 3,
            report: B256::repeat_byte(3),
            received: 1,
            leaseSeconds: 60,
        };
        let last = |number, byte| LastReport {
            number,
            digest: B256::repeat_byte(byte),
        };
        report_chain(None, &last(9, 9)).unwrap();
        report_chain(Some(&receipt), &last(3, 3)).unwrap();
        report_chain(Some(&receipt), &last(5, 9)).unwrap();
        assert!(report_chain(Some(&receipt), &last(3, 4)).is_err());
        assert!(matches!(
            report_chain(Some(&receipt), &last(2, 2)),
            Err(OpenError::ReportsLost { ours: 3, theirs: 2 })
        ));
    }

    #[test]
    fn a_package_for_the_sandbox_opens_nowhere_else() {
        environment(Environment::Any, Environment::Any).unwrap();
        environment(Environment::Any, Environment::Sandbox).unwrap();
        environment(Environment::Sandbox, Environment::Sandbox).unwrap();
        environment(Environment::SandboxHeld, Environment::Sandbox).unwrap();
        assert!(environment(Environment::Sandbox, Environment::Any).is_err());
        assert!(environment(Environment::SandboxHeld, Environment::Any).is_err());
    }
}
