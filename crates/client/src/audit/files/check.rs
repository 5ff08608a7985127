//! Reads the files and compares them with what their blocks say.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use medshare_chain::{B256, PackageIssued};
use medshare_protocol::block::ParentBody;
use medshare_protocol::digest::Sha256d;
use medshare_protocol::form::{Step, form_digest};
use medshare_protocol::package::{SignedHeader, container_length};
use medshare_protocol::typed::Domain;

use super::{Block, FileFinding, FileKind, Files, Found};
use crate::audit::report::{Anchorage, Subject};
use crate::audit::source::folder_error;
use crate::audit::{AuditError, AuditFault};

/// Files are read in pieces of so many bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// A form has at most 64 steps; no more than this is read of one.
const MAX_FORM_BYTES: u64 = 1024 * 1024;

impl Files {
    /// Checks every file. Blocking.
    pub(in crate::audit) fn check(&self, domain: &Domain) -> Result<Vec<FileFinding>, AuditError> {
        let mut findings = Vec::new();
        for found in &self.found {
            let unreadable = |error: io::Error| folder_error(&found.path, &error.to_string());
            findings.extend(self.finding(found, domain).map_err(unreadable)?);
        }
        Ok(findings)
    }

    fn finding(&self, found: &Found, domain: &Domain) -> io::Result<Option<FileFinding>> {
        let kind = found.kind;
        let (place, fault) = match kind {
            FileKind::ReportBody(number) => {
                let block = self.sides.get(&(found.package, number)).copied().flatten();
                match block {
                    None => (None, Some(AuditFault::FileUnanchored { kind })),
                    Some(block) => {
                        let anchored = block.body.transaction.sealed_report;
                        (place(&block), differs(kind, hash(&found.path)?, anchored))
                    }
                }
            }
            FileKind::Container | FileKind::Form => {
                match self.parents.get(&found.package).and_then(Option::as_ref) {
                    None => (None, Some(AuditFault::FileUnanchored { kind })),
                    Some(block) => {
                        let (body, issued) = &block.body;
                        let fault = match kind {
                            FileKind::Form => form(&found.path, body, issued)?,
                            _ => container(&found.path, body, issued, domain)?,
                        };
                        (place(block), fault)
                    }
                }
            }
        };
        let (subject, at) = match place {
            Some((subject, at)) => (subject, Some(at)),
            None => (Subject::Package(found.package), None),
        };
        let path = found.path.clone();
        Ok(fault.map(|fault| FileFinding {
            subject,
            at,
            fault,
            path,
        }))
    }
}

const fn place<B>(block: &Block<B>) -> Option<(Subject, Anchorage)> {
    Some((block.subject, block.at))
}

fn differs(kind: FileKind, found: B256, anchored: B256) -> Option<AuditFault> {
    (found != anchored).then_some(AuditFault::FileDiffers {
        kind,
        found,
        anchored,
    })
}

fn contradicts(kind: FileKind, reason: impl ToString) -> Option<AuditFault> {
    let reason = reason.to_string();
    Some(AuditFault::FileContradicts { kind, reason })
}

/// sha256d of a file.
fn hash(path: &Path) -> io::Result<B256> {
    hash_of(&mut File::open(path)?)
}

fn hash_of(file: &mut File) -> io::Result<B256> {
    let mut hash = Sha256d::default();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.finish()),
            read => hash.update(&piece[..read]),
        }
    }
}

/// Every byte of a container is in its hash. Where that is right, what the header says must be what the block says: both
/// are its author's.
fn container(
    path: &Path,
    body: &ParentBody,
    issued: &PackageIssued,
    domain: &Domain,
) -> io::Result<Option<AuditFault>> {
    let kind = FileKind::Container;
    let mut file = File::open(path)?;
    let block = &body.transaction;
    let differing = differs(kind, hash_of(&mut file)?, block.container_hash.0);
    if differing.is_some() {
        return Ok(differing);
    }
    file.rewind()?;
    let length = file.metadata()?.len();
    let signed = match SignedHeader::read(&mut file) {
        Ok(signed) => signed,
        Err(error) => return Ok(contradicts(kind, error)),
    };
    let header = &signed.header;
    let pairs = [
        ("package", header.package_id() == issued.package),
        ("dataset", header.dataset_id() == block.dataset),
        ("node", header.node == block.node),
        ("owner", header.owner == block.owner),
        ("requestor", header.requestor == block.requestor),
        ("payload hash", header.payload_hash() == block.payload_hash),
        ("verifier", header.verifier == block.verifier),
        ("deployment", header.domain() == *domain),
        ("usage contract", header.usage() == Some(issued.usage)),
        ("length", container_length(&signed) == length),
    ];
    let wrong = pairs.iter().find(|(_, is_same)| !is_same);
    Ok(wrong.and_then(|(field, _)| contradicts(kind, format!("its {field} is another"))))
}

/// A form has one spelling: the one that a node serves. So no byte of the file can be changed and still be read as the
/// same form.
fn form(path: &Path, body: &ParentBody, issued: &PackageIssued) -> io::Result<Option<AuditFault>> {
    let kind = FileKind::Form;
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_FORM_BYTES + 1)
        .read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FORM_BYTES {
        let reason = format!("it has more than {MAX_FORM_BYTES} bytes, and no form has");
        return Ok(Some(AuditFault::FileMalformed { kind, reason }));
    }
    let steps: Vec<Step> = match serde_json::from_slice(&text) {
        Ok(steps) => steps,
        Err(error) => {
            let reason = error.to_string();
            return Ok(Some(AuditFault::FileMalformed { kind, reason }));
        }
    };
    if serde_json::to_vec(&steps)? != text {
        let reason = "it is not spelt as a node writes it".to_owned();
        return Ok(Some(AuditFault::FileMalformed { kind, reason }));
    }
    let digest = form_digest(&steps);
    let differing = differs(kind, digest.0, body.transaction.form_digest.0);
    if differing.is_some() {
        return Ok(differing);
    }
    let continues = (0..=steps.len()).any(|end| form_digest(&steps[..end]) == issued.form_digest);
    if continues {
        return Ok(None);
    }
    Ok(contradicts(
        kind,
        "it does not continue the form that the second node signed",
    ))
}
