//! A bundle as a zip file. Every part has one spelling: what would be written again differently is refused, so that no
//! byte of a part can be changed unseen. The archive's own times are fixed: the same evidence makes the same bytes.

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};

use alloy_primitives::Bytes;
use medshare_protocol::wire::Dossier;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{EVIDENCE_VERSION, Evidence, Subject, fhir, prov, readme};

/// At most so many bytes of one part are read.
pub const MAX_PART_BYTES: u64 = 64 * 1024 * 1024;
/// More parts than this has no bundle.
const MAX_PARTS: usize = 32;

const SUBJECT: &str = "evidence.json";
const REQUEST: &str = "request.json";
const FORM: &str = "form.json";
const USAGE: &str = "usage.json";
const VALIDATION: &str = "validation.json";
const REPORTS: &str = "reports.json";
const DELETION: &str = "deletion.json";
const BLOCKS: &str = "blocks.json";
const PROOFS: &str = "proofs.json";
const CONTRACT: &str = "contract.json";
const WALLET: &str = "wallet.json";
const CODE: &str = "code.hex";
const README: &str = "README.txt";
const PROV: &str = "prov.jsonld";
const FHIR: &str = "fhir.json";

/// Why a file is no bundle, or none could be written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// No zip file, or a broken one.
    #[error("this is no bundle: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// It cannot be read or written.
    #[error("the bundle cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// A part is missing.
    #[error("the bundle has no part {0}")]
    Missing(&'static str),
    /// There is a part that does not belong there.
    #[error("the bundle has a part {0} that is none of evidence")]
    Strange(String),
    /// A part is longer than any can be.
    #[error("the part {part} has more than {limit} bytes")]
    TooLong {
        /// Its name.
        part: String,
        /// How many are read.
        limit: u64,
    },
    /// A part cannot be read.
    #[error("the part {part} cannot be read: {reason}")]
    Unreadable {
        /// Its name.
        part: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A part says the right thing in other bytes than it was written in.
    #[error("the part {0} is not as it was written: it was changed")]
    Respelled(&'static str),
    /// A later format.
    #[error("the bundle has the format {0}; this program reads {EVIDENCE_VERSION}")]
    Version(u32),
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Validated {
    verifier: alloy_primitives::Address,
    #[serde(flatten)]
    answer: medshare_protocol::wire::ValidationAnswer,
}

impl Evidence {
    /// Its parts by name, as they are written.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<&'static str, Vec<u8>> {
        let Dossier {
            request,
            form,
            usage,
            verifier,
            validation,
            reports,
            deletion,
        } = &self.dossier;
        let validated = Validated {
            verifier: *verifier,
            answer: validation.clone(),
        };
        let mut parts = BTreeMap::from([
            (SUBJECT, json(&self.subject)),
            (REQUEST, json(request)),
            (FORM, json(form)),
            (USAGE, json(usage)),
            (VALIDATION, json(&validated)),
            (REPORTS, json(reports)),
            (BLOCKS, json(&self.blocks)),
            (PROOFS, json(&self.proofs)),
            (CONTRACT, json(&self.contract)),
            (WALLET, json(&self.wallet)),
            (CODE, format!("{}\n", self.code).into_bytes()),
            (PROV, json(&prov::document(self))),
            (FHIR, json(&fhir::bundle(self))),
            (README, readme::text(self).into_bytes()),
        ]);
        if let Some(deletion) = deletion {
            parts.insert(DELETION, json(deletion));
        }
        parts
    }

    /// Writes the bundle.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: impl Write + Seek) -> Result<(), BundleError> {
        let mut archive = ZipWriter::new(out);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        for (name, bytes) in self.parts() {
            archive.start_file(name, options)?;
            archive.write_all(&bytes)?;
        }
        archive.finish()?;
        Ok(())
    }

    /// Reads a bundle. That it can be read says nothing about what it proves: [`verify`](super::verify()) does.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(file: impl Read + Seek) -> Result<Self, BundleError> {
        let parts = Parts::read(file)?;
        let subject: Subject = parts.json(SUBJECT)?;
        if subject.evidence != EVIDENCE_VERSION {
            return Err(BundleError::Version(subject.evidence));
        }
        let validated: Validated = parts.json(VALIDATION)?;
        let deletion = match parts.0.contains_key(DELETION) {
            true => Some(parts.json(DELETION)?),
            false => None,
        };
        let evidence = Self {
            subject,
            dossier: Dossier {
                request: parts.json(REQUEST)?,
                form: parts.json(FORM)?,
                usage: parts.json(USAGE)?,
                verifier: validated.verifier,
                validation: validated.answer,
                reports: parts.json(REPORTS)?,
                deletion,
            },
            blocks: parts.json(BLOCKS)?,
            proofs: parts.json(PROOFS)?,
            contract: parts.json(CONTRACT)?,
            wallet: parts.json(WALLET)?,
            code: parts.code()?,
        };
        parts.are_those_of(&evidence)?;
        Ok(evidence)
    }
}

/// The bytes of a bundle's parts.
struct Parts(BTreeMap<String, Vec<u8>>);

impl Parts {
    fn read(file: impl Read + Seek) -> Result<Self, BundleError> {
        let mut archive = ZipArchive::new(file)?;
        if archive.len() > MAX_PARTS {
            let strange = format!("number {MAX_PARTS}");
            return Err(BundleError::Strange(strange));
        }
        let mut parts = BTreeMap::new();
        for index in 0..archive.len() {
            let part = archive.by_index(index)?;
            let name = part.name()?.into_owned();
            let mut bytes = Vec::new();
            // The size that an archive tells may be a lie: what counts is what comes out.
            part.take(MAX_PART_BYTES + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > MAX_PART_BYTES {
                let (part, limit) = (name, MAX_PART_BYTES);
                return Err(BundleError::TooLong { part, limit });
            }
            if parts.insert(name.clone(), bytes).is_some() {
                return Err(BundleError::Strange(format!("{name}, twice,")));
            }
        }
        Ok(Self(parts))
    }

    fn bytes(&self, part: &'static str) -> Result<&[u8], BundleError> {
        let bytes = self.0.get(part).map(Vec::as_slice);
        bytes.ok_or(BundleError::Missing(part))
    }

    fn json<T: DeserializeOwned>(&self, part: &'static str) -> Result<T, BundleError> {
        serde_json::from_slice(self.bytes(part)?).map_err(|error| BundleError::Unreadable {
            part,
            reason: error.to_string(),
        })
    }

    fn code(&self) -> Result<Bytes, BundleError> {
        let unreadable = |reason: String| BundleError::Unreadable { part: CODE, reason };
        let text = std::str::from_utf8(self.bytes(CODE)?)
            .map_err(|error| unreadable(error.to_string()))?;
        text.trim_end()
            .parse()
            .map_err(|_| unreadable("it is no hexadecimal text".into()))
    }

    /// Every part is what the evidence in it would be written as, also those that are made of others.
    fn are_those_of(&self, evidence: &Evidence) -> Result<(), BundleError> {
        let expected = evidence.parts();
        for (part, bytes) in &expected {
            if self.bytes(part)? != bytes {
                return Err(BundleError::Respelled(part));
            }
        }
        let strange = self
            .0
            .keys()
            .find(|name| !expected.contains_key(name.as_str()));
        match strange {
            Some(name) => Err(BundleError::Strange(name.clone())),
            None => Ok(()),
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value)
        .expect("the protocol's types have string keys and finite numbers only");
    text.push(b'\n');
    text
}
