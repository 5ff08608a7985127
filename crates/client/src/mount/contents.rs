//! Opening, reading and changing files.

use std::io::ErrorKind;
use std::ops::Deref;
use std::sync::Arc;

use fuser::{Errno, FileHandle, FopenFlags, OpenAccMode, OpenFlags};
use medshare_protocol::usage::Action;
use zeroize::Zeroizing;

use super::answer::{errno, refusal};
use super::duplicates::Moment;
use super::folder::Inside;
use super::open_files::OpenFile;
use super::second_files::DATA;
use crate::agent::{AgentError, Deed, MAX_CONTENT_BYTES};
use crate::content::Held;
use crate::handle::Handle;

/// What was read.
pub(super) enum Bytes {
    OfData(Held),
    OfSecondFile(Zeroizing<Vec<u8>>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::OfData(held) => held,
            Self::OfSecondFile(bytes) => bytes,
        }
    }
}

impl Inside {
    /// Opens a file. The data, for reading: that is when reading is judged. Of what the kernel then has in its memory,
    /// every program that has the file open may read without our seeing it.
    pub(super) async fn open(
        self: &Arc<Self>,
        inode: u64,
        flags: OpenFlags,
        program: Option<String>,
    ) -> Result<(FileHandle, FopenFlags), Errno> {
        self.look(inode)?;
        let mode = flags.acc_mode();
        let (reads, writes) = (mode != OpenAccMode::O_WRONLY, mode != OpenAccMode::O_RDONLY);
        let mut how = FopenFlags::empty();
        let mut data = None;
        if inode == DATA {
            let name = self.files().data_name().to_string_lossy().into_owned();
            let handle = Handle::new(&self.agent, name, program);
            if reads {
                let begun = handle.begin(Action::Read, None).await;
                begun.map_err(|error| errno(&error))?;
            }
            if writes && !self.may(Action::Write) {
                // What is written to a shared mapping comes here after the kernel has taken it. Directly, there is none.
                how = FopenFlags::FOPEN_DIRECT_IO;
            }
            data = Some(handle);
        } else if reads {
            self.give(inode, program).await?;
        }
        Ok((self.opened(inode, data)?, how))
    }

    /// Notes that a file is open.
    pub(super) fn opened(&self, inode: u64, data: Option<Handle>) -> Result<FileHandle, Errno> {
        let number = self.open_files().add(OpenFile { inode, data });
        number.map(FileHandle).ok_or(Errno::ENFILE)
    }

    /// Reads; beyond the end of a file there is nothing, and that is no error.
    pub(super) fn read(&self, file: FileHandle, offset: u64, size: u32) -> Result<Bytes, Errno> {
        let file = self.open_file(file.0)?;
        let Some(handle) = file.data else {
            let bytes = self.files().read(file.inode, offset, size.into());
            return bytes.map(Bytes::OfSecondFile).ok_or_else(|| self.gone());
        };
        let held = self.agent.hold(offset, size as usize);
        let held = held.map_err(|error| errno(&error))?;
        if self.agent.goes_on(offset, held.len()) {
            self.ahead.prepare();
        }
        // At the end of the file nothing is read.
        let end = offset.saturating_add(held.len() as u64);
        let range = (offset < end).then_some((offset, end));
        let given = range.map(|range| self.ahead.after(range));
        match handle.note(Action::Read, given) {
            true => Ok(Bytes::OfData(held)),
            // The kernel keeps to what a file was opened for.
            false => Err(Errno::EACCES),
        }
    }

    /// Writes to a second file.
    pub(super) fn write_second(&self, inode: u64, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.files().write(inode, offset, bytes).map_err(refusal)
    }

    /// Writes to the data. The first write through a handle is judged, and reported before it is done.
    pub(super) async fn write_data(
        &self,
        handle: &Handle,
        offset: u64,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Result<(), Errno> {
        let failed = |error: AgentError| errno(&error);
        let end = offset.saturating_add(bytes.len() as u64);
        if self.may(Action::Write) && end > MAX_CONTENT_BYTES {
            return Err(Errno::EFBIG);
        }
        let begun = handle.begin(Action::Write, Some((offset, end))).await;
        begun.map_err(failed)?;
        if offset > self.agent.length().map_err(failed)? {
            // Open data has no holes.
            let length = offset;
            let filled = self.agent.carry_out(Deed::Truncate { length }).await;
            filled.map_err(failed)?;
        }
        let written = self.agent.carry_out(Deed::Write { offset, bytes }).await;
        written.map_err(failed)
    }

    /// Cuts a file, or extends it with zeros.
    pub(super) async fn resize(
        &self,
        inode: u64,
        length: u64,
        program: Option<String>,
    ) -> Result<(), Errno> {
        if inode != DATA {
            return self.files().truncate(inode, length).map_err(refusal);
        }
        let done = self.agent.act(Deed::Truncate { length }, program).await;
        done.map(drop).map_err(|error| errno(&error))
    }

    /// Sees to it that a file has so many bytes. Of the data that is a write, whether or not it has them already.
    pub(super) async fn allocate(
        &self,
        inode: u64,
        end: u64,
        program: Option<String>,
    ) -> Result<(), Errno> {
        let length = self.look(inode)?.size;
        if inode != DATA && length >= end {
            return Ok(());
        }
        self.resize(inode, length.max(end), program).await
    }

    /// Copies bytes of the data into a second file; how many there were.
    pub(super) async fn copy_range(
        &self,
        (offset, length): (u64, u64),
        (to, to_offset): (u64, u64),
        program: Option<String>,
    ) -> Result<u32, Errno> {
        // Not more than a reply can tell of.
        let length = length.min(u64::from(u32::MAX));
        let end = offset.saturating_add(length).min(self.whole().1);
        let (offset, name) = (offset.min(end), self.files().name(to));
        let range = Some((offset, end));
        self.authorise(Action::Duplicate, &name, range, program)
            .await?;
        let bytes = self.agent.bytes(offset, end - offset);
        let bytes = bytes.map_err(|error| errno(&error))?;
        self.write_second(to, to_offset, &bytes)?;
        self.judged(to);
        u32::try_from(bytes.len()).map_err(|_| Errno::EFBIG)
    }

    /// A program closes a file; there may be others who have it.
    pub(super) async fn closed(
        self: &Arc<Self>,
        inode: u64,
        program: Option<String>,
    ) -> Result<(), Errno> {
        match inode {
            DATA => Ok(()),
            second => self.judge_rows(second, Moment::Closed, program).await,
        }
    }

    /// Nobody has it open through this handle any more.
    pub(super) async fn released(self: &Arc<Self>, file: FileHandle) {
        let Some(file) = self.open_files().remove(file.0) else {
            return;
        };
        if let Some(handle) = file.data {
            return handle.settle();
        }
        // Whoever wrote it has gone: what it is told is in the agent's lock.
        let _ = self.judge_rows(file.inode, Moment::Closed, None).await;
        if !self.open_files().has(file.inode) {
            self.files().forget_nameless(file.inode);
        }
    }
}

/// What reading the data or a second file failed with, where an `std::io` reader did it.
pub(super) fn reading_failed(error: &std::io::Error) -> Errno {
    match error.kind() {
        ErrorKind::PermissionDenied => Errno::EACCES,
        _ => Errno::EIO,
    }
}
