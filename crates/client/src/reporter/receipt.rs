//! Whether a receipt is one: signed by the package's node, for this very report.

use alloy_primitives::{Address, B256};
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Domain;
use medshare_protocol::wire::ReportAnswer;

use super::ReportError;

/// What the receipt must be about.
pub(crate) struct Expected {
    pub(crate) package: PackageId,
    pub(crate) number: u32,
    /// Of the report.
    pub(crate) digest: B256,
}

/// Checks a receipt before anything that the answer says is believed.
pub(crate) fn check(
    domain: &Domain,
    node: Address,
    expected: &Expected,
    answer: &ReportAnswer,
) -> Result<(), ReportError> {
    let receipt = &answer.receipt;
    let fault = if !domain.is_signed_by(receipt, &answer.signature, node) {
        format!("it is not signed by the package's node {node}")
    } else if receipt.package != expected.package.0 {
        "it is for another package".into()
    } else if receipt.number != expected.number {
        format!("it is for report {}", receipt.number)
    } else if receipt.report != expected.digest {
        "it is for another report with this number".into()
    } else {
        return Ok(());
    };
    Err(ReportError::BadReceipt {
        number: expected.number,
        reason: fault,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy_primitives::Bytes;
    use alloy_signer_local::PrivateKeySigner;
    use medshare_protocol::typed::Receipt;
    use medshare_protocol::usage::State;

    #[test]
    fn only_the_node_s_receipt_for_this_report_counts() {
        let domain = Domain::new(31_337, Address::repeat_byte(1));
        let node = PrivateKeySigner::random();
        let good = Receipt {
            package: B256::repeat_byte(2),
            number: 3,
            report: B256::repeat_byte(4),
            received: 5,
            leaseSeconds: 60,
        };
        let expected = Expected {
            package: PackageId(B256::repeat_byte(2)),
            number: 3,
            digest: B256::repeat_byte(4),
        };
        let judge = |receipt: &Receipt, domain: &Domain, signer: &PrivateKeySigner| {
            let signature = domain.sign(receipt, signer).unwrap();
            let answer = ReportAnswer {
                receipt: receipt.clone(),
                signature: Bytes::copy_from_slice(signature.as_slice()),
                state: State::Active,
                share: None,
            };
            check(
                &Domain::new(31_337, Address::repeat_byte(1)),
                node.address(),
                &expected,
                &answer,
            )
        };
        judge(&good, &domain, &node).unwrap();
        assert!(judge(&good, &domain, &PrivateKeySigner::random()).is_err());
        assert!(judge(&good, &Domain::new(1, Address::repeat_byte(1)), &node).is_err());
        for other in [
            Receipt {
                package: B256::ZERO,
                ..good.clone()
            },
            Receipt {
                number: 2,
                ..good.clone()
            },
            Receipt {
                report: B256::ZERO,
                ..good.clone()
            },
        ] {
            assert!(judge(&other, &domain, &node).is_err(), "{other:?}");
        }
    }
}
