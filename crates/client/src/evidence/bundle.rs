//! A bundle as a zip file. Evidence has one spelling, down to the archive's own bytes: what would be written again
//! differently is refused, so that no byte of the file can be changed unseen. Therefore parts are stored, not compressed
//! (APPNOTE.TXT, 4.4.5, method 0): compressors of one method write different bytes, and what stands behind the end of a
//! compressed part is seen by one reader and not by another.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use alloy_primitives::Bytes;
use medshare_protocol::form::MAX_FORM_STEPS;
use medshare_protocol::wire::Dossier;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{EVIDENCE_VERSION, Evidence, MAX_REPORTS, Subject, fhir, prov, readme};

/// No bundle is longer, bytes.
pub const MAX_BYTES: u64 = 96 * 1024 * 1024;

/// Longest parts that are read whose length does not follow from what has to stand in them, bytes. Empty texts and arrays take
/// many times their length in memory: so they are counted before they are made.
const MAX_PART_BYTES: usize = 4 * 1024 * 1024;
/// … of the blocks.
const MAX_BLOCKS_BYTES: usize = 16 * 1024 * 1024;

/// Length of the record that a zip file without a comment ends with, and how it begins (APPNOTE.TXT, 4.3.16).
const END_BYTES: usize = 22;
const END_MAGIC: [u8; 4] = *b"PK\x05\x06";

/// A bundle has 15 parts; what is wrong with a longer archive is said by name up to here.
const MAX_LISTED: usize = 64;

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
const ALL: [&str; 15] = [
    SUBJECT, REQUEST, FORM, USAGE, VALIDATION, REPORTS, DELETION, BLOCKS, PROOFS, CONTRACT, WALLET,
    CODE, README, PROV, FHIR,
];

/// Why a file is no bundle, or none could be written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// No zip file, or a broken one.
    #[error("this is no bundle: {0}")]
    Archive(#[from] ZipError),
    /// It cannot be read or written.
    #[error("the bundle cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// A part is missing.
    #[error("the bundle has no part {0}")]
    Missing(&'static str),
    /// There is a part that does not belong there.
    #[error("the bundle has a part {0:?} that is none of evidence")]
    Strange(String),
    /// Its parts are right, but the archive has other bytes.
    #[error(
        "the archive is not as `medshare evidence` writes it: something was changed in it or added, or another program \
         packed it"
    )]
    Repacked,
    /// It is longer than any can be.
    #[error("the bundle has more than {MAX_BYTES} bytes")]
    TooLong,
    /// There are more of a kind than any package has.
    #[error("the part {part} has {count} entries, and at most {limit} are read")]
    TooMany {
        /// Its name.
        part: &'static str,
        /// How many there are.
        count: usize,
        /// How many are read.
        limit: usize,
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
    /// When it cannot be written, and when it is longer than is read again.
    pub fn write(&self, mut out: impl Write) -> Result<(), BundleError> {
        self.is_bounded()?;
        let bytes = archive(&self.parts())?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(BundleError::TooLong);
        }
        Ok(out.write_all(&bytes)?)
    }

    /// Reads a bundle. That it can be read says nothing about what it proves: [`verify`](super::verify()) does.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(file: impl Read) -> Result<Self, BundleError> {
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(BundleError::TooLong);
        }
        let parts = Parts::of(&bytes)?;
        let evidence = parts.evidence()?;
        evidence.is_bounded()?;
        let expected = evidence.parts();
        parts.are(&expected)?;
        match archive(&expected)? == bytes {
            true => Ok(evidence),
            false => Err(BundleError::Repacked),
        }
    }

    /// Before anything is made of what a stranger handed over.
    fn is_bounded(&self) -> Result<(), BundleError> {
        for (part, count, limit) in [
            (REPORTS, self.dossier.reports.len(), MAX_REPORTS),
            (BLOCKS, self.blocks.sides.len(), MAX_REPORTS),
            (PROOFS, self.proofs.sides.len(), MAX_REPORTS),
            (FORM, self.dossier.form.len(), MAX_FORM_STEPS),
        ] {
            if count > limit {
                return Err(BundleError::TooMany { part, count, limit });
            }
        }
        Ok(())
    }
}

/// The one archive of these parts: in the order of their names, stored, with one time and one mode.
pub(super) fn archive(parts: &BTreeMap<&'static str, Vec<u8>>) -> Result<Vec<u8>, BundleError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in parts {
        archive.start_file(*name, options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// The bytes of a bundle's parts.
struct Parts(BTreeMap<String, Vec<u8>>);

impl Parts {
    fn of(file: &[u8]) -> Result<Self, BundleError> {
        ends_as_a_bundle(file)?;
        let mut archive = ZipArchive::new(Cursor::new(file))?;
        let mut parts = BTreeMap::new();
        // Parts that lie over each other are more than the file.
        let mut left = MAX_BYTES;
        for index in 0..archive.len() {
            let part = archive.by_index_raw(index)?;
            if part.compression() != CompressionMethod::Stored {
                return Err(BundleError::Repacked);
            }
            let name = part.name()?.into_owned();
            if !ALL.contains(&name.as_str()) {
                return Err(BundleError::Strange(name));
            }
            let mut bytes = Vec::new();
            part.take(left + 1).read_to_end(&mut bytes)?;
            left = left
                .checked_sub(bytes.len() as u64)
                .ok_or(BundleError::TooLong)?;
            parts.insert(name, bytes);
        }
        Ok(Self(parts))
    }

    fn evidence(&self) -> Result<Evidence, BundleError> {
        let subject: Subject = self.json(SUBJECT)?;
        if subject.evidence != EVIDENCE_VERSION {
            return Err(BundleError::Version(subject.evidence));
        }
        let validated: Validated = self.json(VALIDATION)?;
        let deletion = match self.0.contains_key(DELETION) {
            true => Some(self.json(DELETION)?),
            false => None,
        };
        Ok(Evidence {
            subject,
            dossier: Dossier {
                request: self.json(REQUEST)?,
                form: self.json(FORM)?,
                usage: self.json(USAGE)?,
                verifier: validated.verifier,
                validation: validated.answer,
                reports: self.json(REPORTS)?,
                deletion,
            },
            blocks: self.json(BLOCKS)?,
            proofs: self.json(PROOFS)?,
            contract: self.json(CONTRACT)?,
            wallet: self.json(WALLET)?,
            code: self.code()?,
        })
    }

    fn bytes(&self, part: &'static str) -> Result<&[u8], BundleError> {
        let bytes = self.0.get(part).map(Vec::as_slice);
        bytes.ok_or(BundleError::Missing(part))
    }

    /// A part that is about to be read.
    fn weighed(&self, part: &'static str) -> Result<&[u8], BundleError> {
        let bytes = self.bytes(part)?;
        let limit = match part {
            REPORTS | PROOFS => bytes.len(),
            BLOCKS => MAX_BLOCKS_BYTES,
            _ => MAX_PART_BYTES,
        };
        if bytes.len() <= limit {
            return Ok(bytes);
        }
        let reason = format!("it has more than {limit} bytes");
        Err(BundleError::Unreadable { part, reason })
    }

    fn json<T: DeserializeOwned>(&self, part: &'static str) -> Result<T, BundleError> {
        serde_json::from_slice(self.weighed(part)?).map_err(|error| BundleError::Unreadable {
            part,
            reason: error.to_string(),
        })
    }

    fn code(&self) -> Result<Bytes, BundleError> {
        let unreadable = |reason: String| BundleError::Unreadable { part: CODE, reason };
        let text = std::str::from_utf8(self.weighed(CODE)?)
            .map_err(|error| unreadable(error.to_string()))?;
        text.trim_end()
            .parse()
            .map_err(|_| unreadable("it is no hexadecimal text".into()))
    }

    /// Every part is what the evidence in it would be written as, also those that are made of others.
    fn are(&self, expected: &BTreeMap<&'static str, Vec<u8>>) -> Result<(), BundleError> {
        for (part, bytes) in expected {
            if self.bytes(part)? != bytes {
                return Err(BundleError::Respelled(part));
            }
        }
        Ok(())
    }
}

/// Before a list of the archive is made: an archive of 96 MiB can have millions of entries. What stands elsewhere in it is
/// compared in the end.
fn ends_as_a_bundle(file: &[u8]) -> Result<(), BundleError> {
    let end = file.last_chunk::<END_BYTES>();
    let Some(end) = end.filter(|end| end.starts_with(&END_MAGIC)) else {
        let reason = "it does not end as a zip file without a comment does".into();
        return Err(ZipError::InvalidArchive(reason).into());
    };
    let at = |place: usize| {
        u32::from_le_bytes([end[place], end[place + 1], end[place + 2], end[place + 3]])
    };
    let entries = usize::from(u16::from_le_bytes([end[10], end[11]]));
    let (disks, size, place) = (at(4), at(12), at(16));
    let is_whole = size as usize + place as usize + END_BYTES == file.len();
    match disks == 0 && entries <= MAX_LISTED && is_whole {
        true => Ok(()),
        false => Err(BundleError::Repacked),
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value)
        .expect("the protocol's types have string keys and finite numbers only");
    text.push(b'\n');
    text
}
