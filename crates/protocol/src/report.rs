//! What a report says in private (P17, P18): its body, CBOR sealed to the contract key.

use minicbor::{Decode, Encode};

use crate::cbor;
use crate::digest::sha256d;
use crate::id::PackageId;
use crate::seal::{self, SealError, SealedFor, SealingSecret};
use crate::usage::Action;
use alloy_primitives::B256;

use std::collections::BTreeMap;

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
    /// How often each action was done, by its bit (SPEC §5): of the six, and none that was not done.
    #[n(4)]
    #[cbor(default, skip_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<u8, u64>,
    /// Files that a program in the sandbox wrote.
    #[n(5)]
    #[cbor(default, skip_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// sha256d of the output as it was sealed for the custodian, where the usage contract holds outputs back.
    #[cbor(n(6), with = "held", has_nil)]
    pub held: Option<B256>,
}

/// A file that a program in the sandbox wrote. Encoded as a CBOR array.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Output {
    /// Its path in the output folder.
    #[n(0)]
    pub path: String,
    /// Its size, bytes.
    #[n(1)]
    pub size: u64,
    /// Its SHA-256.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// How many of its lines have a row of the data (SPEC §5.2, of the sandbox).
    #[n(3)]
    pub input_rows: u64,
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
        seal::seal(
            contract_key,
            SealedFor::Report,
            &seal::report_context(package, number),
            &self.to_bytes(),
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
        Self::from_bytes(&body)
    }

    /// Its CBOR, before it is sealed: deterministic (RFC 8949, 4.2).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads what [`ReportBody::to_bytes`] writes; any other spelling, a range that ends before it starts, and a count of
    /// none of the six actions or of no times are refused.
    ///
    /// # Errors
    /// [`BodyError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BodyError> {
        let body: Self =
            cbor::decode(bytes).map_err(|error| BodyError::Malformed(error.to_string()))?;
        if let Some((start, end)) = body.ranges.iter().find(|(start, end)| start > end) {
            return Err(BodyError::Malformed(format!(
                "a range from {start} to {end}"
            )));
        }
        let six = 0..Action::SIX.len();
        let counts =
            |(action, count): (&u8, &u64)| six.contains(&usize::from(*action)) && *count > 0;
        if !body.counts.iter().all(counts) {
            return Err(BodyError::Malformed(
                "it counts what is none of the six actions, or was not done".into(),
            ));
        }
        Ok(body)
    }
}

/// A hash that may be missing: 32 bytes, or left out.
mod held {
    use alloy_primitives::B256;
    use minicbor::decode::Error;
    use minicbor::encode::{self, Write};
    use minicbor::{Decoder, Encoder};

    use crate::form::bytes32;

    pub(super) fn encode<C, W: Write>(
        hash: &Option<B256>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match hash {
            Some(hash) => bytes32::encode(hash, encoder, context),
            None => encoder.null()?.ok(),
        }
    }

    pub(super) fn decode<C>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Option<B256>, Error> {
        bytes32::decode(decoder, context).map(Some)
    }

    pub(super) fn is_nil(hash: &Option<B256>) -> bool {
        hash.is_none()
    }

    #[expect(clippy::unnecessary_wraps, reason = "what minicbor's derive calls")]
    pub(super) fn nil() -> Option<Option<B256>> {
        Some(None)
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
            ..ReportBody::default()
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
        let bytes = brief.to_bytes();
        assert_eq!(hex::encode(bytes), "a2006163028182001864");
        let whole = ReportBody {
            file: Some("f".into()),
            program: Some("p".into()),
            ..brief
        };
        let bytes = whole.to_bytes();
        assert_eq!(hex::encode(bytes), "a4006163016166028182001864036170");
        let counted = ReportBody {
            counts: BTreeMap::from([(0, 25), (1, 1)]),
            outputs: vec![Output {
                path: "o".into(),
                size: 2,
                sha256: [7; 32],
                input_rows: 0,
            }],
            ..whole
        };
        let expected = format!(
            "a600616301616602818200186403617004a20018190101058184616f025820{}00",
            "07".repeat(32)
        );
        let bytes = counted.to_bytes();
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(ReportBody::from_bytes(&bytes).unwrap(), counted);
        let held = ReportBody {
            held: Some(B256::repeat_byte(9)),
            ..counted
        };
        let bytes = held.to_bytes();
        let expected = format!("a7{}065820{}", &expected[2..], "09".repeat(32));
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(ReportBody::from_bytes(&bytes).unwrap(), held);
    }

    #[test]
    fn another_spelling_or_a_backward_range_is_refused() {
        let refused = |digits: &str| ReportBody::from_bytes(&hex::decode(digits).unwrap()).is_err();
        assert!(!refused("a2006163028182001864"));
        assert!(refused("a200616302818200186400"), "a byte behind it");
        assert!(refused("bf006163028182001864ff"), "indefinite length");
        assert!(refused("a200616302818218001864"), "a longer zero");
        assert!(
            refused("a300616301f6028182001864"),
            "null for what is unknown"
        );
        assert!(refused("a2006163028182186400"), "a range from 100 to 0");
        assert!(!refused("a3006163028004a10001"));
        assert!(refused("a3006163028004a0"), "counts of nothing");
        assert!(refused("a3006163028004a10000"), "done no times");
        assert!(refused("a3006163028004a10601"), "decrypt is not counted");
        assert!(refused("a300616302800580"), "no outputs");
        assert!(refused("a300616302800600"), "held is a hash");
        assert!(refused("a3006163028006f6"), "null for what is not held");
        assert!(refused("a300616302800700"), "a key that is not named");
    }
}
