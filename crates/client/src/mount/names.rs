//! Giving files names and taking them away.

use std::ffi::OsStr;
use std::sync::Arc;

use fuser::{Errno, INodeNo, RenameFlags};
use medshare_protocol::usage::Action;

use super::answer::{errno, refusal};
use super::folder::Inside;
use super::second_files::DATA;
use crate::agent::Deed;

impl Inside {
    pub(super) async fn unlink(&self, inode: u64, program: Option<String>) -> Result<(), Errno> {
        if inode == DATA {
            let done = self.agent.act(Deed::Delete, program).await;
            return done.map(drop).map_err(|error| errno(&error));
        }
        let open = self.open_files().has(inode);
        let mut files = self.files();
        files.unlink(inode).map_err(refusal)?;
        if !open {
            files.forget_nameless(inode);
        }
        Ok(())
    }

    pub(super) async fn rename(
        self: &Arc<Self>,
        (parent, name): (INodeNo, &OsStr),
        (new_parent, new_name): (INodeNo, &OsStr),
        flags: RenameFlags,
        program: Option<String>,
    ) -> Result<(), Errno> {
        self.check(new_parent)?;
        let inode = self.find(parent, name)?;
        let replaced = self.files().find(new_name).filter(|other| *other != inode);
        if flags.contains(RenameFlags::RENAME_NOREPLACE) && replaced.is_some() {
            return Err(Errno::EEXIST);
        }
        if !RenameFlags::RENAME_NOREPLACE.contains(flags) {
            return Err(Errno::EINVAL);
        }
        match replaced {
            Some(DATA) => return self.replace_data(inode, new_name, program).await,
            _ if inode == DATA => {
                let range = Some(self.whole());
                self.authorise(Action::Move, new_name, range, program)
                    .await?;
            }
            _ => self.give(inode, program).await?,
        }
        self.files().rename(inode, new_name).map_err(refusal)?;
        if let Some(nameless) = replaced
            && !self.open_files().has(nameless)
        {
            self.files().forget_nameless(nameless);
        }
        Ok(())
    }

    /// A second file takes the data's name: the data is rewritten. Whoever has either open has a file that is no more.
    async fn replace_data(
        &self,
        inode: u64,
        name: &OsStr,
        program: Option<String>,
    ) -> Result<(), Errno> {
        let length = self.look(inode)?.size;
        self.authorise(Action::Write, name, Some((0, length)), program)
            .await?;
        let bytes = self.files().take(inode).map_err(refusal)?;
        let length = bytes.len() as u64;
        for deed in [Deed::Truncate { length }, Deed::Write { offset: 0, bytes }] {
            let done = self.agent.carry_out(deed).await;
            done.map_err(|error| errno(&error))?;
        }
        Ok(())
    }

    /// Another name for the data is a second file with its content. Second files have one name.
    pub(super) async fn link(
        &self,
        inode: u64,
        name: &OsStr,
        program: Option<String>,
    ) -> Result<u64, Errno> {
        if inode != DATA {
            return Err(Errno::EPERM);
        }
        let range = Some(self.whole());
        self.authorise(Action::Duplicate, name, range, program)
            .await?;
        let bytes = self.agent.bytes(0, u64::MAX);
        let bytes = bytes.map_err(|error| errno(&error))?;
        let second = self.files().create(name).map_err(refusal)?;
        self.write_second(second, 0, &bytes)?;
        self.judged(second);
        Ok(second)
    }
}
