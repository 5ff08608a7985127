//! The kernel's calls, each handed to the agent. Calls that report go to the runtime: no call waits for another's
//! network.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, CopyFileRangeFlags, Errno, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, IoctlFlags, LockOwner, OpenAccMode, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyIoctl, ReplyLseek,
    ReplyOpen, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use medshare_protocol::usage::Action;
use zeroize::Zeroizing;

use super::answer::{attributes, errno, refusal};
use super::folder::{DataFolder, FOLDER, program};
use super::second_files::{self, DATA};
use crate::agent::Deed;

/// The kernel asks again each time: lengths change, and after a revocation nothing may be answered from memory.
const NOT_REMEMBERED: Duration = Duration::ZERO;
const GENERATION: Generation = Generation(0);

/// A reply in an early return: `let x = or_fail!(reply, result)`.
macro_rules! or_fail {
    ($reply:ident, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(errno) => return $reply.error(errno),
        }
    };
}

impl Filesystem for DataFolder {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.find(parent, name).and_then(|inode| self.look(inode));
        let attributes = or_fail!(reply, found);
        reply.entry(&NOT_REMEMBERED, &attributes, GENERATION);
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let attributes = or_fail!(reply, self.look(inode.0));
        reply.attr(&NOT_REMEMBERED, &attributes);
    }

    fn setattr(
        &self,
        request: &Request,
        inode: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _accessed: Option<TimeOrNow>,
        _modified: Option<TimeOrNow>,
        _changed: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _created: Option<SystemTime>,
        _status_changed: Option<SystemTime>,
        _backed_up: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        // Modes, owners and times are nobody's here: they stay as they are, without complaint.
        let attributes = or_fail!(reply, self.look(inode.0));
        match size {
            None => reply.attr(&NOT_REMEMBERED, &attributes),
            Some(length) if inode.0 == DATA => {
                let (agent, program) = (self.agent.clone(), program(request));
                self.answer_later(async move {
                    match agent.act(Deed::Truncate { length }, program).await {
                        Ok(_) => {
                            let blocks = length.div_ceil(512);
                            let new = fuser::FileAttr {
                                size: length,
                                blocks,
                                ..attributes
                            };
                            reply.attr(&NOT_REMEMBERED, &new);
                        }
                        Err(error) => reply.error(errno(&error)),
                    }
                });
            }
            Some(length) => {
                or_fail!(
                    reply,
                    self.files().truncate(inode.0, length).map_err(refusal)
                );
                let attributes = or_fail!(reply, self.look(inode.0));
                reply.attr(&NOT_REMEMBERED, &attributes);
            }
        }
    }

    fn readdir(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        or_fail!(reply, self.check(inode));
        let files = self.files();
        let begin = [
            (FOLDER, ".".as_ref()),
            (FOLDER, "..".as_ref()),
            (DATA, files.data_name()),
        ];
        let begun = usize::try_from(offset).unwrap_or(usize::MAX);
        let entries = begin.into_iter().chain(files.names());
        for (position, (inode, name)) in entries.enumerate().skip(begun) {
            let kind = if inode == FOLDER {
                FileType::Directory
            } else {
                FileType::RegularFile
            };
            if reply.add(INodeNo(inode), position as u64 + 1, kind, name) {
                break;
            }
        }
        drop(files);
        reply.ok();
    }

    fn open(&self, request: &Request, inode: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        or_fail!(reply, self.look(inode.0));
        let reads = flags.acc_mode() != OpenAccMode::O_WRONLY;
        if inode.0 != DATA || !reads {
            return reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
        }
        let name = self.files().data_name().to_owned();
        let body = self.body(Action::Read, request, &name, self.whole());
        let agent = self.agent.clone();
        self.answer_later(async move {
            match agent.authorise(Action::Read, &body).await {
                Ok(_) => reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO),
                Err(error) => reply.error(errno(&error)),
            }
        });
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        if inode.0 != DATA {
            let bytes = self.files().read(inode.0, offset, size.into());
            return match bytes {
                Some(bytes) => reply.data(&bytes),
                None => reply.error(Errno::EACCES),
            };
        }
        // Beyond the end of a file there is nothing, and that is no error.
        let length = or_fail!(reply, self.agent.length().map_err(|error| errno(&error)));
        match self.agent.bytes(offset.min(length), size.into()) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(errno(&error)),
        }
    }

    fn write(
        &self,
        request: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = u32::try_from(data.len()).expect("the kernel writes at most 16 MiB at once");
        if inode.0 != DATA {
            or_fail!(
                reply,
                self.files().write(inode.0, offset, data).map_err(refusal)
            );
            return reply.written(written);
        }
        let deed = Deed::Write {
            offset,
            bytes: Zeroizing::new(data.to_vec()),
        };
        let (agent, program) = (self.agent.clone(), program(request));
        self.answer_later(async move {
            match agent.act(deed, program).await {
                Ok(_) => reply.written(written),
                Err(error) => reply.error(errno(&error)),
            }
        });
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        or_fail!(reply, self.check(parent));
        let made = self.files().create(name, Zeroizing::default());
        let inode = or_fail!(reply, made.map_err(refusal));
        let attributes = or_fail!(reply, self.look(inode));
        let direct = FopenFlags::FOPEN_DIRECT_IO;
        reply.created(
            &NOT_REMEMBERED,
            &attributes,
            GENERATION,
            FileHandle(0),
            direct,
        );
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let inode = or_fail!(reply, self.find(parent, name));
        if inode != DATA {
            or_fail!(reply, self.files().remove(inode).map_err(refusal));
            return reply.ok();
        }
        let (agent, program) = (self.agent.clone(), program(request));
        self.answer_later(async move {
            match agent.act(Deed::Delete, program).await {
                Ok(_) => reply.ok(),
                Err(error) => reply.error(errno(&error)),
            }
        });
    }

    fn rename(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        or_fail!(reply, self.check(new_parent));
        let inode = or_fail!(reply, self.find(parent, name));
        let (seconds, new_name) = (Arc::clone(&self.seconds), new_name.to_owned());
        let body = self.body(Action::Move, request, &new_name, self.whole());
        let agent = self.agent.clone();
        self.answer_later(async move {
            if inode == DATA
                && let Err(error) = agent.authorise(Action::Move, &body).await
            {
                return reply.error(errno(&error));
            }
            match second_files::locked(&seconds).rename(inode, &new_name) {
                Ok(()) => reply.ok(),
                Err(refused) => reply.error(refusal(refused)),
            }
        });
    }

    fn link(
        &self,
        request: &Request,
        inode: INodeNo,
        new_parent: INodeNo,
        new_name: &OsStr,
        reply: ReplyEntry,
    ) {
        or_fail!(reply, self.check(new_parent));
        if inode.0 != DATA {
            return reply.error(Errno::EPERM);
        }
        let (seconds, name) = (Arc::clone(&self.seconds), new_name.to_owned());
        let body = self.body(Action::Duplicate, request, &name, self.whole());
        let (agent, since) = (self.agent.clone(), self.since);
        self.answer_later(async move {
            let bytes = match agent.authorise(Action::Duplicate, &body).await {
                Ok(_) => agent.bytes(0, u64::MAX),
                Err(error) => Err(error),
            };
            let bytes = or_fail!(reply, bytes.map_err(|error| errno(&error)));
            let length = bytes.len() as u64;
            let made = second_files::locked(&seconds).create(&name, bytes);
            let inode = or_fail!(reply, made.map_err(refusal));
            let attributes = attributes(inode, FileType::RegularFile, length, since);
            reply.entry(&NOT_REMEMBERED, &attributes, GENERATION);
        });
    }

    fn copy_file_range(
        &self,
        request: &Request,
        from: INodeNo,
        _: FileHandle,
        from_offset: u64,
        to: INodeNo,
        _: FileHandle,
        to_offset: u64,
        length: u64,
        _: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        if from.0 != DATA || to.0 == DATA {
            // Into the data it is a write; the program does it with read and write when it is told so.
            return reply.error(Errno::EOPNOTSUPP);
        }
        let range = (
            from_offset,
            from_offset.saturating_add(length).min(self.whole().1),
        );
        let name = self.files().data_name().to_owned();
        let body = self.body(Action::Duplicate, request, &name, range);
        let (agent, seconds) = (self.agent.clone(), Arc::clone(&self.seconds));
        self.answer_later(async move {
            let bytes = match agent.authorise(Action::Duplicate, &body).await {
                Ok(_) => agent.bytes(from_offset, length.min(u32::MAX.into())),
                Err(error) => Err(error),
            };
            let bytes = or_fail!(reply, bytes.map_err(|error| errno(&error)));
            let copied = second_files::locked(&seconds).write(to.0, to_offset, &bytes);
            or_fail!(reply, copied.map_err(refusal));
            reply.written(u32::try_from(bytes.len()).expect("cut to u32 above"));
        });
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    // What programs try and do without: extended attributes (ls), reflinks and holes (cp).

    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }

    fn listxattr(&self, _: &Request, _: INodeNo, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }

    fn ioctl(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: IoctlFlags,
        _command: u32,
        _input: &[u8],
        _output_bytes: u32,
        reply: ReplyIoctl,
    ) {
        reply.error(Errno::ENOTTY);
    }

    fn lseek(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _offset: i64,
        _whence: i32,
        reply: ReplyLseek,
    ) {
        reply.error(Errno::ENOSYS);
    }
}
