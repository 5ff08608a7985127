//! Bodies of reports, opened and sealed (SPEC.md §8).

use std::sync::OnceLock;

use alloy_primitives::B256;
use medshare_protocol::id::PackageId;
use medshare_protocol::report::ReportBody;
use medshare_protocol::seal::{SEAL_OVERHEAD_BYTES, SealingSecret};

use super::cbor::is_deterministic;

/// Any bytes as an opened body, and as a sealed one.
pub fn check(data: &[u8]) {
    if let Ok(body) = ReportBody::from_bytes(data) {
        assert_eq!(body.to_bytes(), data, "a body has one encoding");
        assert!(is_deterministic(data));
        assert!(body.ranges.iter().all(|(start, end)| start <= end));
        assert!(
            body.counts
                .iter()
                .all(|(action, count)| *action < 6 && *count > 0)
        );
        sealed_again(&body, data.len());
    }
    opened(data);
}

fn sealed_again(body: &ReportBody, length: usize) {
    let secret = SealingSecret::from_bytes([7; 32]);
    let package = PackageId(B256::repeat_byte(9));
    let sealed = body
        .seal(secret.public(), package, 1)
        .expect("a usable key");
    assert_eq!(sealed.len(), length + SEAL_OVERHEAD_BYTES);
    assert_eq!(
        &ReportBody::open(&sealed, &secret, package, 1).expect("sealed so"),
        body
    );
    assert!(ReportBody::open(&sealed, &secret, package, 2).is_err());
}

/// Report 1 of package.json, and the key that it is sealed to.
struct Known {
    secret: SealingSecret,
    package: PackageId,
    sealed: Vec<u8>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let file = super::vector(include_str!("../../../test/vectors/package.json"));
        let secret = super::bytes(&file["report"]["contract_secret"]).try_into();
        Known {
            secret: SealingSecret::from_bytes(secret.expect("32 bytes")),
            package: PackageId(super::hash(&file["digests"]["AccessRequest"])),
            sealed: super::bytes(&file["report"]["sealed_body"]),
        }
    })
}

/// The one sealed body that is known opens; nothing else does.
fn opened(data: &[u8]) {
    let Known {
        secret,
        package,
        sealed,
    } = known();
    let opened = ReportBody::open(data, secret, *package, 1);
    assert_eq!(opened.is_ok(), data == sealed);
}
