//! What the client itself keeps of a package: every report before it is sent, every receipt when it has come (P24).
//!
//! One JSON object a line, appended and synced. A report is written down *before* it goes out: a client that is
//! killed sends the identical report again, never another one with the same number, which would be tampering. The
//! receipts are the requestor's proof that the custodian has the reports.

mod entry;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use medshare_protocol::wire::{ReportAnswer, ReportSubmission};

pub use entry::{Entry, Kept};

/// At most so many bytes a line: a report's sealed body has at most 64 KiB, twice that in hexadecimal.
pub const MAX_LINE_BYTES: u64 = 256 * 1024;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process uses the package.
    #[error(
        "another process on this machine has the package open (lock {0}); use `medshare act`, or close it first"
    )]
    InUse(PathBuf),
    /// The disk.
    #[error("cannot use the journal {path}: {error}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A line that this program did not write.
    #[error(
        "line {line} of the journal {path} is not readable ({reason}); put it aside to start a new one: what was reported stays with the node"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// The journal of one package; while it lives, no other process can have it.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    kept: Kept,
}

impl Journal {
    /// Opens or begins the journal at `path` and reads it. A last line that was cut by a crash is dropped: its report
    /// never went out, or nothing was done under it yet.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let disk = |error| JournalError::Disk {
            path: path.to_owned(),
            error,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(disk)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(JournalError::InUse(path.to_owned()));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(disk(error)),
        }
        let mut journal = Self {
            file,
            path: path.to_owned(),
            kept: Kept::default(),
        };
        let whole = journal.read_lines()?;
        journal.file.set_len(whole).map_err(disk)?;
        journal.file.seek(SeekFrom::End(0)).map_err(disk)?;
        Ok(journal)
    }

    /// What it holds.
    #[must_use]
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Writes down a report that is about to be sent. `synced`: so that it outlives the machine.
    ///
    /// # Errors
    /// [`JournalError::Disk`]: it must then not be sent.
    pub fn sending(
        &mut self,
        submission: &ReportSubmission,
        synced: bool,
    ) -> Result<(), JournalError> {
        let submission = Box::new(submission.clone());
        self.append(Entry::Sending { submission }, synced)
    }

    /// Keeps the receipt of a report. It outlives this process; the next renewal, or the end, syncs it: until then a machine
    /// that fails has the same receipt from the node again, for the same report.
    ///
    /// # Errors
    /// [`JournalError::Disk`].
    pub fn received(&mut self, answer: &ReportAnswer) -> Result<(), JournalError> {
        self.append(Entry::receipt(answer), false)
    }

    /// Keeps the receipt of a renewal or of the session's end, and syncs all that was written.
    ///
    /// # Errors
    /// [`JournalError::Disk`].
    pub fn renewed(&mut self, answer: &ReportAnswer) -> Result<(), JournalError> {
        self.append(Entry::renewal(answer), true)
    }

    /// Notes that the node refused a report for good.
    ///
    /// # Errors
    /// [`JournalError::Disk`].
    pub fn refused(&mut self, number: u32, reason: &str) -> Result<(), JournalError> {
        self.append(
            Entry::Refused {
                number,
                reason: reason.to_owned(),
            },
            true,
        )
    }

    fn append(&mut self, entry: Entry, synced: bool) -> Result<(), JournalError> {
        let mut line = serde_json::to_vec(&entry).expect("entries are plain data");
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| match synced {
            true => self.file.sync_data(),
            false => Ok(()),
        });
        written.map_err(|error| JournalError::Disk {
            path: self.path.clone(),
            error,
        })?;
        self.kept.take(entry);
        Ok(())
    }

    /// Takes all whole lines in; their length in bytes.
    fn read_lines(&mut self) -> Result<u64, JournalError> {
        let mut reader = BufReader::new(&self.file);
        let (mut whole, mut line_number) = (0, 0);
        loop {
            let mut line = Vec::new();
            let read = (&mut reader)
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut line);
            read.map_err(|error| JournalError::Disk {
                path: self.path.clone(),
                error,
            })?;
            line_number += 1;
            let malformed = |reason: String| JournalError::Malformed {
                path: self.path.clone(),
                line: line_number,
                reason,
            };
            if line.last() != Some(&b'\n') {
                if line.len() as u64 == MAX_LINE_BYTES {
                    return Err(malformed("it is too long".into()));
                }
                return Ok(whole);
            }
            let entry =
                serde_json::from_slice(&line).map_err(|error| malformed(error.to_string()))?;
            self.kept.take(entry);
            whole += line.len() as u64;
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // What it holds is written; that the machine keeps it is worth a try.
        let _ = self.file.sync_data();
    }
}

#[cfg(test)]
mod tests;
