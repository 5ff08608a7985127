//! The kernel's calls on the folder. All are answered at once, from memory: no usage contract speaks of what the command
//! makes itself, before it leaves the sandbox. Links, devices, pipes and sockets cannot be made.

use std::ffi::OsStr;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow,
    WriteFlags,
};

use super::node::{Look, Trouble};
use super::tree::{MAX_NODES, Tree};
use super::{MAX_OUTPUT_BYTES, Scratch};
use crate::mount::Insiders;

/// The kernel may remember for so long: but for the pipes, nobody else writes here.
const REMEMBERED: Duration = Duration::from_secs(1);
const GENERATION: Generation = Generation(0);
const BLOCK_BYTES: u32 = 4_096;
const MAX_NAME_BYTES: u32 = 255;
/// Permission to execute, for the owner.
const EXECUTE: u32 = 0o100;

/// The folder as the kernel is served it.
pub(super) struct Served {
    scratch: Scratch,
    insiders: Insiders,
    since: SystemTime,
}

/// A reply in an early return: `let x = or_fail!(reply, result)`.
macro_rules! or_fail {
    ($reply:ident, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(trouble) => return $reply.error(errno(trouble)),
        }
    };
}

impl Served {
    pub(super) fn new(scratch: Scratch, insiders: Insiders) -> Self {
        Self {
            scratch,
            insiders,
            since: SystemTime::now(),
        }
    }

    fn admit(&self, request: &Request) -> Result<(), Trouble> {
        let admitted = self.insiders.admit(request);
        admitted.map_err(|_| Trouble::Forbidden)
    }

    fn attributes(&self, look: Look) -> FileAttr {
        let (kind, perm, nlink) = match (look.folder, look.executable) {
            (true, _) => (FileType::Directory, 0o700, 2),
            (false, true) => (FileType::RegularFile, 0o700, 1),
            (false, false) => (FileType::RegularFile, 0o600, 1),
        };
        FileAttr {
            ino: INodeNo(look.inode),
            size: look.length,
            blocks: look.length.div_ceil(512),
            atime: self.since,
            mtime: self.since,
            ctime: self.since,
            crtime: self.since,
            kind,
            perm,
            nlink,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            rdev: 0,
            blksize: BLOCK_BYTES,
            flags: 0,
        }
    }

    /// An answer that makes the kernel hold the node.
    fn told(&self, tree: &mut Tree, inode: u64) -> Result<FileAttr, Trouble> {
        let look = tree.look(inode)?;
        tree.hold(inode);
        Ok(self.attributes(look))
    }
}

impl Filesystem for Served {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        or_fail!(reply, self.admit(request));
        let mut tree = self.scratch.tree();
        let inode = or_fail!(reply, tree.find(parent.0, name));
        let attributes = or_fail!(reply, self.told(&mut tree, inode));
        reply.entry(&REMEMBERED, &attributes, GENERATION);
    }

    fn forget(&self, _: &Request, inode: INodeNo, times: u64) {
        self.scratch.tree().forget(inode.0, times);
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let look = or_fail!(reply, self.scratch.tree().look(inode.0));
        reply.attr(&REMEMBERED, &self.attributes(look));
    }

    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        mode: Option<u32>,
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
        // Owners and times stay as they are, without complaint.
        let mut tree = self.scratch.tree();
        if let Some(length) = size {
            or_fail!(reply, tree.set_length(inode.0, length));
        }
        if let Some(mode) = mode {
            tree.set_executable(inode.0, mode & EXECUTE != 0);
        }
        let look = or_fail!(reply, tree.look(inode.0));
        reply.attr(&REMEMBERED, &self.attributes(look));
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        let mut tree = self.scratch.tree();
        let inode = or_fail!(reply, tree.create(parent.0, name, true));
        let attributes = or_fail!(reply, self.told(&mut tree, inode));
        reply.entry(&REMEMBERED, &attributes, GENERATION);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        or_fail!(reply, self.admit(request));
        let mut tree = self.scratch.tree();
        let inode = or_fail!(reply, tree.create(parent.0, name, false));
        tree.set_executable(inode, mode & !umask & EXECUTE != 0);
        let attributes = or_fail!(reply, self.told(&mut tree, inode));
        let (handle, flags) = (FileHandle(0), FopenFlags::empty());
        reply.created(&REMEMBERED, &attributes, GENERATION, handle, flags);
    }

    fn open(&self, request: &Request, inode: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        or_fail!(reply, self.admit(request));
        or_fail!(reply, self.scratch.tree().look(inode.0));
        reply.opened(FileHandle(0), FopenFlags::empty());
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
        let bytes = self.scratch.tree().read(inode.0, offset, size.into());
        let bytes = or_fail!(reply, bytes);
        reply.data(&bytes);
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        or_fail!(reply, self.scratch.tree().write(inode.0, offset, data));
        // The kernel writes at most 16 MiB at once.
        reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        or_fail!(reply, self.scratch.tree().remove(parent.0, name, false));
        reply.ok();
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        or_fail!(reply, self.scratch.tree().remove(parent.0, name, true));
        reply.ok();
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if flags.contains(RenameFlags::RENAME_EXCHANGE) {
            return reply.error(Errno::EINVAL);
        }
        let replace = !flags.contains(RenameFlags::RENAME_NOREPLACE);
        let (from, to) = ((parent.0, name), (new_parent.0, new_name));
        or_fail!(reply, self.scratch.tree().rename(from, to, replace));
        reply.ok();
    }

    fn readdir(
        &self,
        request: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        or_fail!(reply, self.admit(request));
        let tree = self.scratch.tree();
        let entries = or_fail!(reply, tree.entries(inode.0));
        let here: [(&OsStr, u64); 2] = [
            (".".as_ref(), inode.0),
            ("..".as_ref(), tree.parent(inode.0)),
        ];
        let named = entries
            .iter()
            .map(|(name, inode)| (name.as_os_str(), *inode));
        let begun = usize::try_from(offset).unwrap_or(usize::MAX);
        for (position, (name, inode)) in here.into_iter().chain(named).enumerate().skip(begun) {
            let kind = match tree.look(inode) {
                Ok(look) if !look.folder => FileType::RegularFile,
                _ => FileType::Directory,
            };
            if reply.add(INodeNo(inode), position as u64 + 1, kind, name) {
                break;
            }
        }
        drop(tree);
        reply.ok();
    }

    /// Room as the limits give it: some programs look before they write.
    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let blocks = MAX_OUTPUT_BYTES / u64::from(BLOCK_BYTES);
        let nodes = MAX_NODES as u64;
        let size = BLOCK_BYTES;
        reply.statfs(
            blocks,
            blocks,
            blocks,
            nodes,
            nodes,
            size,
            MAX_NAME_BYTES,
            size,
        );
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }

    fn listxattr(&self, _: &Request, _: INodeNo, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }
}

const fn errno(trouble: Trouble) -> Errno {
    match trouble {
        Trouble::Exists => Errno::EEXIST,
        Trouble::NotThere => Errno::ENOENT,
        Trouble::NoFolder => Errno::ENOTDIR,
        Trouble::Folder => Errno::EISDIR,
        Trouble::NotEmpty => Errno::ENOTEMPTY,
        Trouble::Elsewhere => Errno::EXDEV,
        Trouble::Full => Errno::ENOSPC,
        Trouble::Lost => Errno::EIO,
        Trouble::Forbidden => Errno::EACCES,
    }
}
