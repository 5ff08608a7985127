//! What a report says in private (P17, P18): its body, CBOR sealed to the contract key.

use minicbor::{Decode, Encode};

use crate::digest::sha256d;
use crate::id::PackageId;
use crate::seal::{self, SealError, SealedFor, SealingSecret};
use alloy_primitives::B256;

/// At most so many bytes of sealed body.
pub const MAX_SEALED_BODY_BYTES: usize = 64 * 1024;

/// The particulars of a report. Encoded as a CBOR map with the integer keys given.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct ReportBody {
    /// The paper's comment: `Data with DataID … has been decrypted`.
    #[n(0)]
    pub comment: String,
    /// The file the action was done to.
    #[n(1)]
    pub file: Option<String>,
    /// Byte ranges, start and end (exclusive).
    #[n(2)]
    pub ranges: Vec<(u64, u64)>,
    /// The program that did it, as far as it is known.
    #[n(3)]
    pub program: Option<String>,
}

/// Why a sealed body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not sealed to this contract key.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// Opened, but no report body.
    #[error("the opened report body is malformed: {0}")]
    Malformed(String),
}

impl ReportBody {
    /// Seals the body of report `number` to `contract_key`.
    ///
    /// # Errors
    /// When the contract key is unusable.
    pub fn seal(
        &self,
        contract_key: B256,
        package: PackageId,
        number: u32,
    ) -> Result<Vec<u8>, SealError> {
        let body = minicbor::to_vec(self).expect("writing to a vector cannot fail");
        seal::seal(
            contract_key,
            SealedFor::Report,
            &seal::report_context(package, number),
            &body,
        )
    }

    /// Opens what [`ReportBody::seal`] made.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn open(
        sealed: &[u8],
        contract_secret: &SealingSecret,
        package: PackageId,
        number: u32,
    ) -> Result<Self, BodyError> {
        let context = seal::report_context(package, number);
        let body = seal::open(contract_secret, SealedFor::Report, &context, sealed)?;
        minicbor::decode(&body).map_err(|error| BodyError::Malformed(error.to_string()))
    }
}

/// What stands for the sealed body in the report and in the side-block: its sha256d.
#[must_use]
pub fn body_hash(sealed: &[u8]) -> B256 {
    sha256d(&[sealed])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_body_opens_for_its_package_and_number_only() {
        let secret = SealingSecret::generate().unwrap();
        let package = PackageId(B256::repeat_byte(1));
        let body = ReportBody {
            comment: "Data has been decrypted".into(),
            file: Some("data.csv".into()),
            ranges: vec![(0, 100)],
            program: None,
        };
        let sealed = body.seal(secret.public(), package, 3).unwrap();
        assert_eq!(
            ReportBody::open(&sealed, &secret, package, 3).unwrap(),
            body
        );
        assert!(ReportBody::open(&sealed, &secret, package, 4).is_err());
        let other = PackageId(B256::repeat_byte(2));
        assert!(ReportBody::open(&sealed, &secret, other, 3).is_err());
    }

    /// SPEC.md, section 8: what is unknown is left out, not null; the keys ascend.
    #[test]
    fn a_body_is_the_map_of_the_spec() {
        let brief = ReportBody {
            comment: "c".into(),
            ranges: vec![(0, 100)],
            ..ReportBody::default()
        };
        let bytes = minicbor::to_vec(&brief).unwrap();
        assert_eq!(hex::encode(bytes), "a2006163028182001864");
        let whole = ReportBody {
            file: Some("f".into()),
            program: Some("p".into()),
            ..brief
        };
        let bytes = minicbor::to_vec(&whole).unwrap();
        assert_eq!(hex::encode(bytes), "a4006163016166028182001864036170");
    }
}
