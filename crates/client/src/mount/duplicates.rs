//! Second files that have rows of the data (SPEC §5.2).
//!
//! One is a duplicate, and judged when it is closed. Where writing is permitted and duplicating is not, it may yet be about
//! to take the data's place, as editors do when they save: then it is held, given to nobody, until it does; or is judged when
//! somebody wants it, or when it has not for a third of a lease.

use std::io::{Error, ErrorKind, Read};
use std::sync::Arc;

use fuser::Errno;
use medshare_protocol::usage::{Action, Verdict};

use super::answer::errno;
use super::contents::reading_failed;
use super::folder::Inside;
use super::second_files::Rows;
use crate::agent::{Agent, AgentError};
use crate::rows;

/// Why a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Whoever wrote it closed it.
    Closed,
    /// Somebody wants it, by reading it or under another name.
    Given,
    /// Time has passed.
    Waited,
}

impl Inside {
    /// Judges a second file if it has rows of the data.
    pub(super) async fn judge_rows(
        self: &Arc<Self>,
        inode: u64,
        moment: Moment,
        program: Option<String>,
    ) -> Result<(), Errno> {
        let verdict = self.agent.usage().judge(Action::Duplicate);
        let known = self.files().rows(inode);
        let Some((rows, version)) = known.filter(|_| verdict != Verdict::Ignored) else {
            return Ok(());
        };
        let rows = match rows {
            Rows::Unknown if moment != Moment::Given => self.look_for_rows(inode, version).await?,
            rows => rows,
        };
        let Rows::Held(since) = rows else {
            return Ok(());
        };
        if verdict == Verdict::Violation && self.may(Action::Write) {
            let held = self.agent.clock().since_boot().saturating_sub(since);
            match moment {
                Moment::Closed => return Ok(()),
                Moment::Waited if held < self.agent.lease() / 3 => return Ok(()),
                Moment::Waited | Moment::Given => {}
            }
        }
        let name = self.files().name(inode);
        self.authorise(Action::Duplicate, &name, None, program)
            .await?;
        self.judged(inode);
        Ok(())
    }

    /// Somebody wants it.
    pub(super) async fn give(
        self: &Arc<Self>,
        inode: u64,
        program: Option<String>,
    ) -> Result<(), Errno> {
        self.judge_rows(inode, Moment::Given, program).await
    }

    /// Whether it is given to nobody.
    pub(super) fn is_held(&self, inode: u64) -> bool {
        let rows = self.files().rows(inode);
        matches!(rows, Some((Rows::Held(_), _)))
    }

    /// What it holds may be there.
    pub(super) fn judged(&self, inode: u64) {
        self.files().set_rows(inode, 0, Rows::Judged);
    }

    async fn look_for_rows(self: &Arc<Self>, inode: u64, version: u64) -> Result<Rows, Errno> {
        let inside = Arc::clone(self);
        let looking = tokio::task::spawn_blocking(move || {
            let look = |issued| {
                let file = SecondReader {
                    inside: &inside,
                    inode,
                    offset: 0,
                };
                let data = || DataReader {
                    agent: &inside.agent,
                    offset: 0,
                    issued,
                };
                rows::count(file, data, 1)
            };
            // Rows that were written over are rows of the data all the same.
            match look(false)? {
                0 if inside.agent.is_changed().map_err(failed)? => look(true),
                found => Ok(found),
            }
        });
        let found = looking.await.map_err(|_| Errno::EIO)?;
        let rows = match found.map_err(|error| reading_failed(&error))? {
            0 => Rows::None,
            _ => Rows::Held(self.agent.clock().since_boot()),
        };
        self.files().set_rows(inode, version, rows);
        Ok(rows)
    }
}

struct SecondReader<'a> {
    inside: &'a Inside,
    inode: u64,
    offset: u64,
}

impl Read for SecondReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self
            .inside
            .files()
            .read(self.inode, self.offset, buffer.len() as u64);
        let bytes = bytes.ok_or(ErrorKind::PermissionDenied)?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }
}

struct DataReader<'a> {
    agent: &'a Agent,
    offset: u64,
    /// As it was issued, or as it is now.
    issued: bool,
}

impl Read for DataReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match self.issued {
            true => self.agent.read_issued(self.offset, buffer),
            false => self.agent.read_into(self.offset, buffer),
        };
        let read = read.map_err(failed)?;
        self.offset += read as u64;
        Ok(read)
    }
}

fn failed(error: AgentError) -> Error {
    match errno(&error) {
        Errno::EACCES => Error::new(ErrorKind::PermissionDenied, error),
        _ => Error::other(error),
    }
}
