//! A bundle as a zip file. Every part has one spelling: what would be written again differently is refused, so that no
//! byte of a part can be changed unseen. The archive's own times are fixed: the same evidence makes the same bytes.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};

use alloy_primitives::Bytes;
use medshare_protocol::form::MAX_FORM_STEPS;
use medshare_protocol::wire::Dossier;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{EVIDENCE_VERSION, Evidence, MAX_REPORTS, Subject, fhir, prov, readme};

/// At most so many bytes of all parts together are read.
pub const MAX_BYTES: u64 = 96 * 1024 * 1024;
/// Length of the record that a zip file without a comment ends with, and how it begins (APPNOTE.TXT, 4.3.16).
const END_BYTES: usize = 22;
const END_MAGIC: [u8; 4] = *b"PK\x05\x06";
/// Length of what stands before a part's name (4.3.7).
const LOCAL_BYTES: usize = 30;

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
    Archive(#[from] zip::result::ZipError),
    /// It cannot be read or written.
    #[error("the bundle cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// A part is missing.
    #[error("the bundle has no part {0}")]
    Missing(&'static str),
    /// There is a part that does not belong there.
    #[error("the bundle has a part {0:?} that is none of evidence")]
    Strange(String),
    /// A part stands twice, or something stands outside of the parts.
    #[error("the archive holds more than its parts: something was added")]
    Added,
    /// The parts are longer than any can be.
    #[error("the parts have more than {MAX_BYTES} bytes")]
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
    pub fn write(&self, out: impl Write + Seek) -> Result<(), BundleError> {
        self.is_bounded()?;
        let parts = self.parts();
        let bytes: usize = parts.values().map(Vec::len).sum();
        if bytes as u64 > MAX_BYTES {
            return Err(BundleError::TooLong);
        }
        let mut archive = ZipWriter::new(out);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        for (name, bytes) in parts {
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
        evidence.is_bounded()?;
        parts.are_those_of(&evidence)?;
        Ok(evidence)
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

/// The bytes of a bundle's parts.
struct Parts(BTreeMap<String, Vec<u8>>);

impl Parts {
    fn read(mut file: impl Read + Seek) -> Result<Self, BundleError> {
        let entries = entries_at_the_end(&mut file)?;
        let mut archive = ZipArchive::new(&mut file)?;
        // Of two parts with one name the archive shows one.
        if archive.len() != entries || archive.offset() != 0 {
            return Err(BundleError::Added);
        }
        for name in archive.file_names() {
            let name = name?;
            if !ALL.contains(&name.as_ref()) {
                return Err(BundleError::Strange(name.into_owned()));
            }
        }
        let (mut parts, mut places) = (BTreeMap::new(), BTreeMap::new());
        let mut left = MAX_BYTES;
        for index in 0..archive.len() {
            let part = archive.by_index(index)?;
            let name = part.name()?.into_owned();
            let data = part.data_start().ok_or(BundleError::Added)?;
            let place = Place {
                start: part.header_start(),
                data,
                end: data.saturating_add(part.compressed_size()),
            };
            places.insert(name.clone(), place);
            let mut bytes = Vec::new();
            // The size that an archive tells may be a lie: what counts is what comes out.
            part.take(left + 1).read_to_end(&mut bytes)?;
            left = left
                .checked_sub(bytes.len() as u64)
                .ok_or(BundleError::TooLong)?;
            parts.insert(name, bytes);
        }
        let list = archive.central_directory_start();
        drop(archive);
        for (name, place) in &places {
            has_name_at(&mut file, place, name)?;
        }
        has_nothing_between(places.into_values().collect(), list)?;
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

/// How many entries an archive has by its last record, which must be the file's last bytes.
fn entries_at_the_end(file: &mut (impl Read + Seek)) -> Result<usize, BundleError> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = [0; END_BYTES];
    if length >= END_BYTES as u64 {
        file.seek(SeekFrom::End(-(END_BYTES as i64)))?;
        file.read_exact(&mut end)?;
    }
    file.rewind()?;
    if end[..4] != END_MAGIC {
        // `zip` says what is wrong with it, or else something stands behind the archive.
        ZipArchive::new(file)?;
        return Err(BundleError::Added);
    }
    Ok(usize::from(u16::from_le_bytes([end[10], end[11]])))
}

/// Where a part lies in the file.
struct Place {
    start: u64,
    data: u64,
    end: u64,
}

/// The parts lie one behind the other from the first byte to the list at the end: whoever reads what stands before each part
/// instead of the list finds no other.
fn has_nothing_between(mut places: Vec<Place>, list: u64) -> Result<(), BundleError> {
    places.sort_unstable_by_key(|place| place.start);
    let mut end = 0;
    for place in places {
        if place.start != end {
            return Err(BundleError::Added);
        }
        end = place.end;
    }
    (end == list).then_some(()).ok_or(BundleError::Added)
}

/// A part's name stands before its bytes as well as in the list at the end (APPNOTE.TXT, 4.3.7), and nothing but it does: programs that
/// read one of the two must see the same archive.
fn has_name_at(
    file: &mut (impl Read + Seek),
    place: &Place,
    name: &str,
) -> Result<(), BundleError> {
    let mut header = [0; LOCAL_BYTES];
    let mut found = vec![0; name.len()];
    file.seek(SeekFrom::Start(place.start))?;
    file.read_exact(&mut header)?;
    file.read_exact(&mut found)?;
    let length = usize::from(u16::from_le_bytes([header[26], header[27]]));
    let follows = place.start + (LOCAL_BYTES + name.len()) as u64 == place.data;
    if follows && length == name.len() && found == name.as_bytes() {
        return Ok(());
    }
    Err(BundleError::Added)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value)
        .expect("the protocol's types have string keys and finite numbers only");
    text.push(b'\n');
    text
}
