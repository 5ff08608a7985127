//! What the command wrote: listed, sized, hashed, looked through for rows of the data, judged, reported; and handed out
//! only then.

use std::io::Read;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use medshare_protocol::digest::{Sha256Stream, sha256};
use medshare_protocol::output::{OutputError, OutputFiles, output_hash};
use medshare_protocol::report::{self, ReportBody};
use medshare_protocol::usage::Action;
use serde::Serialize;

use super::rows::Rows;
use super::scratch::Scratch;
use crate::agent::{Agent, AgentError};
use crate::hidden::Hidden;
use crate::outputs::{HeldError, write_folder};

/// Separates the hash of a manifest from all others.
const MANIFEST_DOMAIN: &[u8] = b"medshare/output/v1\0";
/// Bytes of data that are looked through at once.
const PIECE_BYTES: u64 = 1024 * 1024;
/// Longest first line that is taken for the names of columns.
const MAX_HEADER_BYTES: u64 = 64 * 1024;
/// Files that a report names one by one; the manifest's hash covers all.
const MAX_NAMED: usize = 24;

/// One file of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its path in the output folder.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: B256,
    /// How many lines hold a row, of each package in the plan's order; its path counts as a line.
    pub rows: Vec<u64>,
    #[serde(skip)]
    inode: u64,
}

impl Listed {
    /// Whether it holds rows of any package.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        self.rows.iter().any(|rows| *rows > 0)
    }
}

/// All that the command wrote. Wiped when this goes.
pub struct Output {
    scratch: Scratch,
    cut: bool,
}

impl Output {
    /// Nothing can be written from here on. `cut`: what the command printed had no room.
    pub(super) fn new(scratch: Scratch, cut: bool) -> Self {
        scratch.tree().close();
        Self { scratch, cut }
    }

    /// Whether what the command printed had no room, and is not all there.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Lists, sizes, hashes, and counts rows of the data of `agents`. Takes as long as reading all data once.
    ///
    /// # Errors
    /// [`AgentError`] when data has been closed.
    pub fn list(&self, agents: &[Agent]) -> Result<Vec<Listed>, AgentError> {
        let tree = self.scratch.tree();
        let files: Vec<_> = tree
            .files()
            .into_iter()
            .filter_map(|(path, inode)| Some((path, inode, tree.content(inode).ok()?)))
            .collect();
        let mut listed = Vec::new();
        for (path, inode, content) in &files {
            listed.push(Listed {
                path: path.clone(),
                size: content.length(),
                sha256: hash(content)?,
                rows: Vec::new(),
                inode: *inode,
            });
        }
        for agent in agents {
            // The names of files go out as their contents do.
            let looked = files.iter().flat_map(|(path, _, content)| {
                let path: Box<dyn Read> = Box::new(path.as_os_str().as_encoded_bytes());
                [path, Box::new(content.reader())]
            });
            let counts = rows_of(agent, looked.collect())?;
            for (file, counts) in listed.iter_mut().zip(counts.chunks(2)) {
                file.rows.push(counts.iter().sum());
            }
        }
        Ok(listed)
    }

    /// Writes the files into the new folder `to`, for its owner alone. Modes are not taken along.
    ///
    /// # Errors
    /// [`HeldError::Folder`].
    pub fn hand_out(&self, files: &[Listed], to: &Path) -> Result<(), HeldError> {
        let tree = self.scratch.tree();
        // Nothing but plain names comes out of the tree; it is looked at all the same before a path is made of it.
        let plain = files
            .iter()
            .filter(|file| super::scratch::is_plain(&file.path));
        let content = |inode| tree.content(inode).map(Hidden::reader).ok();
        let readers = plain.filter_map(|file| Some((file.path.as_path(), content(file.inode)?)));
        write_folder(to, readers)
    }

    /// Packs the files and seals them for the custodian of `agent`'s package.
    ///
    /// # Errors
    /// [`OutputError`], also for a file whose name is no UTF-8.
    pub fn seal(&self, files: &[Listed], agent: &Agent) -> Result<Sealed, OutputError> {
        let mut packed = OutputFiles::default();
        let tree = self.scratch.tree();
        for file in files {
            let name = file.path.to_str();
            let bad = || OutputError::BadPath(file.path.to_string_lossy().into_owned());
            let content = tree.read(file.inode, 0, file.size);
            let content = content.map_err(|error| OutputError::Malformed(error.to_string()))?;
            packed.add(name.ok_or_else(bad)?, &content)?;
        }
        drop(tree);
        let bytes = packed.seal_held(agent.usage().contract_key, agent.package())?;
        let hash = output_hash(&bytes);
        Ok(Sealed { bytes, hash })
    }
}

/// An output that only the custodian can open.
pub struct Sealed {
    /// What the node is given.
    pub bytes: Vec<u8>,
    /// Its sha256d: what the report says of it.
    pub hash: B256,
}

/// What becomes of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes to the requestor.
    HandedOut,
    /// It goes nowhere.
    CheckedOnly,
    /// It goes to the custodian, sealed, with this sha256d.
    HeldBack(B256),
    /// It was to go there, and could not be sealed: it goes nowhere.
    Lost,
}

impl Drop for Output {
    fn drop(&mut self) {
        self.scratch.wipe();
    }
}

/// What is no UTF-8 becomes U+FFFD: JSON has no other text.
fn lossy<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

fn hash(content: &Hidden) -> std::io::Result<B256> {
    let mut hash = Sha256Stream::default();
    let mut offset = 0;
    while offset < content.length() {
        let piece = content.read_at(offset, PIECE_BYTES)?;
        hash.update(&piece);
        offset += piece.len() as u64;
    }
    Ok(hash.finish())
}

fn rows_of(agent: &Agent, outputs: Vec<Box<dyn Read + '_>>) -> Result<Vec<u64>, AgentError> {
    let length = agent.length()?;
    let beginning = agent.bytes(0, length.min(MAX_HEADER_BYTES))?;
    let header = beginning.split(|byte| *byte == b'\n').next();
    Rows::under(header.unwrap_or_default()).count(outputs, |give| {
        let mut offset = 0;
        while offset < length {
            let piece = agent.bytes(offset, PIECE_BYTES.min(length - offset))?;
            give(&piece);
            offset += piece.len().max(1) as u64;
        }
        Ok(())
    })
}

/// Judges an output by the usage contract of `agent`, the plan's package number `package`, and reports it: as a copy if
/// it holds rows of that package and is handed out, else as part of the reading that it comes from. Number of the
/// report, where the usage contract wants one; of what is held back there is always one.
///
/// # Errors
/// [`AgentError`]; nothing may be handed out then.
pub async fn judge(
    agent: &Agent,
    package: usize,
    files: &[Listed],
    program: &str,
    fate: Fate,
) -> Result<Option<u32>, AgentError> {
    let holds_rows = |file: &Listed| file.rows.get(package).is_some_and(|rows| *rows > 0);
    let body = body(agent, package, files, program, fate);
    match fate {
        Fate::HandedOut if files.iter().any(holds_rows) => {
            agent.authorise(Action::Copy, &body).await
        }
        Fate::HandedOut | Fate::CheckedOnly => agent.authorise(Action::Read, &body).await,
        Fate::HeldBack(_) | Fate::Lost => agent.declare(Action::Read, &body).await.map(Some),
    }
}

/// What the custodian is told of it. It is bounded: it names the first files, those with rows before others, and the hash
/// of the whole manifest.
fn body(agent: &Agent, package: usize, files: &[Listed], program: &str, fate: Fate) -> ReportBody {
    let rows = |file: &Listed| file.rows.get(package).copied().unwrap_or(0);
    let mut named: Vec<&Listed> = files.iter().collect();
    named.sort_by_key(|file| std::cmp::Reverse(rows(file)));
    let comment = format!(
        "output of a command on {} in the sandbox, {}: {} files, {} bytes, manifest {}",
        agent.header().dataset_id(),
        match fate {
            Fate::HandedOut => "to be handed out",
            Fate::CheckedOnly => "checked only",
            Fate::Lost => "lost, since it could not be held back",
            Fate::HeldBack(_) => "held back",
        },
        files.len(),
        files.iter().map(|file| file.size).sum::<u64>(),
        manifest(files, package)
    );
    let outputs = named
        .into_iter()
        .take(MAX_NAMED)
        .map(|file| report::Output {
            path: file.path.to_string_lossy().into_owned(),
            size: file.size,
            sha256: file.sha256.0,
            input_rows: rows(file),
        });
    ReportBody {
        comment,
        file: Some("output".to_owned()),
        program: Some(program.to_owned()),
        outputs: outputs.collect(),
        held: match fate {
            Fate::HeldBack(hash) => Some(hash),
            Fate::HandedOut | Fate::CheckedOnly | Fate::Lost => None,
        },
        ..ReportBody::default()
    }
}

/// SHA-256 over each file's path, size, hash and rows; fields are preceded by their lengths or have one.
fn manifest(files: &[Listed], package: usize) -> B256 {
    let mut bytes = Vec::new();
    for file in files {
        let path = file.path.as_os_str().as_encoded_bytes();
        let rows = file.rows.get(package).copied().unwrap_or(0);
        bytes.extend_from_slice(&(path.len() as u64).to_be_bytes());
        bytes.extend_from_slice(path);
        bytes.extend_from_slice(&file.size.to_be_bytes());
        bytes.extend_from_slice(file.sha256.as_slice());
        bytes.extend_from_slice(&rows.to_be_bytes());
    }
    sha256(&[MANIFEST_DOMAIN, &bytes])
}

#[cfg(test)]
mod tests;
