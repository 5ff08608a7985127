//! The anonymisation certificate (P13): what the second node measured, on the output alone, and signed.
//!
//! It travels as the very text that was signed, so that nobody has to write JSON the same way twice.

use alloy_primitives::{Address, B256, Bytes};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::sha256d;
use crate::id::{PackageId, PayloadHash};
use crate::typed::{Certification, Domain};
use crate::usage::Sensitivity;

mod measures;
pub use measures::{
    Amount, Disclosure, Found, Linkage, OutOfRange, Risks, SafeHarborLine, Share, Verdict,
};

/// Version of the text.
pub const CERTIFICATE_VERSION: u32 = 1;
/// Longest text, bytes.
pub const MAX_CERTIFICATE_BYTES: usize = 65_536;

/// What was measured. Nothing in it quotes a value of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Version of this text: 1.
    pub version: u32,
    /// The package.
    pub package: PackageId,
    /// sha256d(salt ‖ payload) of what was measured.
    pub payload_hash: PayloadHash,
    /// When, by the second node's clock, ms since the Unix epoch.
    pub time: u64,
    /// k that the dataset's descriptor promises.
    pub promised_k: u64,
    /// Rows of the smallest class over the quasi-identifiers.
    pub k: u64,
    /// Classes over the quasi-identifiers.
    pub classes: u64,
    /// Rows.
    pub rows: u64,
    /// Share of the rows that are alone in their class, 0 to 1.
    pub unique_share: Share,
    /// Identifiers that were found, by column and rule: of what is certified, none.
    pub identifiers: Vec<String>,
    /// How sensitive the payload ranks.
    pub sensitivity: Sensitivity,
    /// Why.
    pub reasons: Vec<String>,
    /// That a record is found again: by prosecutor, journalist and marketer. A text may lack this and what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risks: Option<Risks>,
    /// What the classes tell of each sensitive column: l, t and δ as measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<Vec<Disclosure>>,
    /// How often a simulated attack picks the right record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linkage: Option<Linkage>,
    /// HIPAA Safe Harbor, line by line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_harbor: Option<Vec<SafeHarborLine>>,
}

/// A certificate's text with the second node's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedCertificate {
    /// The [`Certificate`] as JSON, exactly as it was signed.
    pub text: String,
    /// Of its [`Certification`], by the second node.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
}

/// What is wrong with a certificate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CertificateError {
    /// No certificate of this version.
    #[error("the certificate cannot be read: {0}")]
    Unreadable(String),
    /// About something else.
    #[error("the certificate is about the package {package} and the payload {payload_hash}")]
    OfAnother {
        /// Its package.
        package: PackageId,
        /// Its payload.
        payload_hash: PayloadHash,
    },
    /// Not signed by the second node.
    #[error("the certificate is not signed by the second node {0}")]
    Unsigned(Address),
}

impl Certificate {
    /// Reads a text. White space, escapes, the order of fields and how a number is written are free, and nothing else is.
    ///
    /// # Errors
    /// When it is no certificate of this version, is too long, or has other fields.
    pub fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        let refused = |reason: String| Err(serde_json::Error::custom(reason));
        if text.len() > MAX_CERTIFICATE_BYTES {
            return refused(format!("it has over {MAX_CERTIFICATE_BYTES} bytes"));
        }
        let certificate: Self = serde_json::from_str(text)?;
        if certificate.version != CERTIFICATE_VERSION {
            return refused(format!("its version is {}", certificate.version));
        }
        let (read, written) = (serde_json::from_str(text)?, certificate.to_value());
        if has_form(&read, &written) {
            return Ok(certificate);
        }
        refused("a value is spelled another way than SPEC §6.1 has it".into())
    }

    fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a certificate has string keys and finite numbers only")
    }

    /// Its text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a certificate has string keys and finite numbers only")
    }
}

impl SignedCertificate {
    /// sha256d of the text: what is signed, and what the form names (P11).
    #[must_use]
    pub fn content(&self) -> B256 {
        sha256d(&[self.text.as_bytes()])
    }

    /// The certificate, if it is about this payload and the second node signed it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(
        &self,
        domain: &Domain,
        package: PackageId,
        payload_hash: PayloadHash,
        second_node: Address,
    ) -> Result<Certificate, CertificateError> {
        let certificate = Certificate::from_text(&self.text)
            .map_err(|error| CertificateError::Unreadable(error.to_string()))?;
        if (certificate.package, certificate.payload_hash) != (package, payload_hash) {
            return Err(CertificateError::OfAnother {
                package: certificate.package,
                payload_hash: certificate.payload_hash,
            });
        }
        let signed = certification(package, payload_hash, self.content());
        if domain.is_signed_by(&signed, &self.signature, second_node) {
            return Ok(certificate);
        }
        Err(CertificateError::Unsigned(second_node))
    }
}

/// Whether the values are the same but for how their numbers are written: serde reads an object's fields from an array, too, and
/// bytes in more spellings than one.
fn has_form(read: &Value, written: &Value) -> bool {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            read.len() == written.len()
                && written
                    .iter()
                    .all(|(name, value)| read.get(name).is_some_and(|read| has_form(read, value)))
        }
        (Value::Array(read), Value::Array(written)) => {
            let pairs = || read.iter().zip(written);
            read.len() == written.len() && pairs().all(|(read, written)| has_form(read, written))
        }
        (Value::Number(_), Value::Number(_)) => true,
        (read, written) => read == written,
    }
}

/// The message that is signed for a text with this sha256d.
#[must_use]
pub fn certification(
    package: PackageId,
    payload_hash: PayloadHash,
    content: B256,
) -> Certification {
    Certification {
        package: package.0,
        payloadHash: payload_hash.0,
        content,
    }
}
