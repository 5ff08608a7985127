//! Reads the files and compares them with what their blocks say.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use medshare_chain::B256;
use medshare_protocol::block::ParentBody;
use medshare_protocol::digest::Sha256d;
use medshare_protocol::form::{Step, form_digest, steps_until};
use medshare_protocol::package::{SignedHeader, container_length};
use medshare_protocol::typed::Domain;

use super::{FileFinding, FileKind, Files, Parent, Side, Stand};
use crate::audit::report::Subject;
use crate::audit::{AuditError, AuditFault};

/// Files are read in pieces of so many bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// A form has at most 64 steps; no more than this is read of one.
const MAX_FORM_BYTES: u64 = 1024 * 1024;

impl Files {
    /// Checks every file, in the order of packages. Blocking.
    pub(in crate::audit) fn check(
        &self,
        domain: &Domain,
        mut note: impl FnMut(FileFinding),
    ) -> Result<(), AuditError> {
        for file in self.index.files() {
            let (package, kind, path, place) = file?;
            let finding = |stand: Option<Stand>, fault| FileFinding {
                subject: stand.map_or(Subject::Package(package), Stand::subject),
                at: stand.map(|stand| stand.at),
                fault,
                path: path.clone(),
            };
            let Some(place) = place else {
                note(finding(None, AuditFault::FileUnanchored { kind }));
                continue;
            };
            let (stand, compared) = match kind {
                FileKind::ReportBody(_) => {
                    let block: Side = self.index.block(place)?;
                    let found = hash(&path);
                    let compared = found.map(|found| differs(kind, found, block.sealed_report));
                    (block.stand, compared)
                }
                FileKind::Container | FileKind::Form => {
                    let block: Parent = self.index.block(place)?;
                    let compared = match ParentBody::from_bytes(&block.body) {
                        Ok(body) if kind == FileKind::Form => form(&path, &body, &block),
                        Ok(body) => container(&path, &body, &block, domain),
                        Err(error) => Err(io::Error::other(error)),
                    };
                    (block.stand, compared)
                }
            };
            // A file on a damaged disk is a finding as well, and those of the others are not lost for it.
            let fault = compared.unwrap_or_else(|error| {
                let reason = error.to_string();
                Some(AuditFault::FileMalformed { kind, reason })
            });
            if let Some(fault) = fault {
                note(finding(Some(stand), fault));
            }
        }
        for (path, reason) in &self.odd {
            note(FileFinding {
                subject: Subject::File,
                at: None,
                fault: AuditFault::FileUnnamed {
                    reason: reason.clone(),
                },
                path: path.clone(),
            });
        }
        Ok(())
    }
}

impl Stand {
    const fn subject(self) -> Subject {
        Subject::Block {
            chain: self.chain,
            height: self.height,
        }
    }
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
    parent: &Parent,
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
        ("package", header.package_id() == block.package),
        ("dataset", header.dataset_id() == block.dataset),
        ("node", header.node == block.node),
        ("owner", header.owner == block.owner),
        ("requestor", header.requestor == block.requestor),
        ("payload hash", header.payload_hash() == block.payload_hash),
        ("verifier", header.verifier == block.verifier),
        ("deployment", header.domain() == *domain),
        ("usage contract", header.usage() == Some(parent.usage)),
        ("length", container_length(&signed) == length),
    ];
    let wrong = pairs.iter().find(|(_, is_same)| !is_same);
    Ok(wrong.and_then(|(field, _)| contradicts(kind, format!("its {field} is another"))))
}

/// A form has one spelling: the one that a node serves. So no byte of the file can be changed and still be read as the
/// same form.
fn form(path: &Path, body: &ParentBody, parent: &Parent) -> io::Result<Option<AuditFault>> {
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
    if steps_until(&steps, parent.validated).is_some() {
        return Ok(None);
    }
    Ok(contradicts(
        kind,
        "it does not continue the form that the second node signed",
    ))
}
