//! The kernel's calls. Those that may report are carried out on the runtime: no call waits for another's network.

use std::ffi::OsStr;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, CopyFileRangeFlags, Errno, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, InitFlags, IoctlFlags, KernelConfig, LockOwner, OpenFlags, RenameFlags,
    ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyIoctl,
    ReplyLseek, ReplyOpen, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use zeroize::Zeroizing;

use super::answer::refusal;
use super::folder::{DataFolder, FOLDER, program};
use super::second_files::DATA;

/// At most so many bytes come in one write, and go in one read.
const MAX_CALL_BYTES: u32 = 1 << 20;
/// The kernel asks again for each name: they change their files, and after a revocation nothing may be answered from
/// memory.
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
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> std::io::Result<()> {
        // Pages go when the kernel hears of another length or time: the data can be changed over the agent's socket, too.
        // Where the kernel cannot do that, it never keeps pages beyond an open file.
        let _ = config.add_capabilities(InitFlags::FUSE_AUTO_INVAL_DATA);
        let _ = config.set_max_write(MAX_CALL_BYTES);
        Ok(())
    }

    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        or_fail!(reply, self.admit(request));
        let inside = &self.inside;
        let found = inside
            .find(parent, name)
            .and_then(|inode| inside.look(inode));
        let attributes = or_fail!(reply, found);
        reply.entry(&NOT_REMEMBERED, &attributes, GENERATION);
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let attributes = or_fail!(reply, self.inside.look(inode.0));
        reply.attr(&self.inside.remembered(), &attributes);
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
        modified: Option<TimeOrNow>,
        _changed: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _created: Option<SystemTime>,
        _status_changed: Option<SystemTime>,
        _backed_up: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        // Modes and owners are nobody's here, nor are the data's times: they stay as they are, without complaint.
        let program = program(request);
        self.answer_later(async move |inside| {
            or_fail!(reply, inside.look(inode.0));
            if let Some(length) = size {
                or_fail!(reply, inside.resize(inode.0, length, program).await);
            }
            match modified {
                Some(TimeOrNow::SpecificTime(time)) => inside.files().set_modified(inode.0, time),
                Some(TimeOrNow::Now) => inside.files().set_modified(inode.0, SystemTime::now()),
                None => {}
            }
            let attributes = or_fail!(reply, inside.look(inode.0));
            reply.attr(&inside.remembered(), &attributes);
        });
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
        or_fail!(reply, self.inside.check(inode));
        let files = self.inside.files();
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
        or_fail!(reply, self.admit(request));
        let program = program(request);
        self.answer_later(async move |inside| {
            let (file, how) = or_fail!(reply, inside.open(inode.0, flags, program).await);
            reply.opened(file, how);
        });
    }

    fn read(
        &self,
        request: &Request,
        inode: INodeNo,
        file: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        if !self.inside.is_held(inode.0) {
            let bytes = or_fail!(reply, self.inside.read(file, offset, size));
            return reply.data(&bytes);
        }
        let program = program(request);
        self.answer_later(async move |inside| {
            or_fail!(reply, inside.give(inode.0, program).await);
            let bytes = or_fail!(reply, inside.read(file, offset, size));
            reply.data(&bytes);
        });
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        file: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = or_fail!(reply, u32::try_from(data.len()).map_err(|_| Errno::EFBIG));
        let open = or_fail!(reply, self.inside.open_file(file.0));
        let Some(handle) = open.data else {
            or_fail!(reply, self.inside.write_second(inode.0, offset, data));
            return reply.written(written);
        };
        let bytes = Zeroizing::new(data.to_vec());
        self.answer_later(async move |inside| {
            or_fail!(reply, inside.write_data(&handle, offset, bytes).await);
            reply.written(written);
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
        let inside = &self.inside;
        or_fail!(reply, inside.check(parent));
        let inode = or_fail!(reply, inside.files().create(name).map_err(refusal));
        let attributes = or_fail!(reply, inside.look(inode));
        let file = or_fail!(reply, inside.opened(inode, None));
        reply.created(
            &NOT_REMEMBERED,
            &attributes,
            GENERATION,
            file,
            FopenFlags::empty(),
        );
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let inode = or_fail!(reply, self.inside.find(parent, name));
        let program = program(request);
        self.answer_later(async move |inside| {
            or_fail!(reply, inside.unlink(inode, program).await);
            reply.ok();
        });
    }

    fn rename(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let (name, new_name, program) = (name.to_owned(), new_name.to_owned(), program(request));
        self.answer_later(async move |inside| {
            let (from, to) = ((parent, name.as_ref()), (new_parent, new_name.as_ref()));
            or_fail!(reply, inside.rename(from, to, flags, program).await);
            reply.ok();
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
        or_fail!(reply, self.inside.check(new_parent));
        let (name, program) = (new_name.to_owned(), program(request));
        self.answer_later(async move |inside| {
            let second = or_fail!(reply, inside.link(inode.0, &name, program).await);
            let attributes = or_fail!(reply, inside.look(second));
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
        let program = program(request);
        self.answer_later(async move |inside| {
            let (what, to) = ((from_offset, length), (to.0, to_offset));
            let copied = or_fail!(reply, inside.copy_range(what, to, program).await);
            reply.written(copied);
        });
    }

    fn fallocate(
        &self,
        request: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        if mode != 0 {
            // Holes, and what does not change the length.
            return reply.error(Errno::EOPNOTSUPP);
        }
        let program = program(request);
        self.answer_later(async move |inside| {
            let end = offset.saturating_add(length);
            or_fail!(reply, inside.allocate(inode.0, end, program).await);
            reply.ok();
        });
    }

    fn flush(
        &self,
        request: &Request,
        inode: INodeNo,
        _: FileHandle,
        _: LockOwner,
        reply: ReplyEmpty,
    ) {
        // The answer is what `close` says.
        let program = program(request);
        self.answer_later(async move |inside| {
            or_fail!(reply, inside.closed(inode.0, program).await);
            reply.ok();
        });
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        file: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.answer_later(async move |inside| {
            inside.released(file).await;
            reply.ok();
        });
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    // What a folder of files alone has not, and what programs try and do without: extended attributes (ls), reflinks and
    // holes (cp).

    fn mknod(
        &self,
        _: &Request,
        _: INodeNo,
        _: &OsStr,
        _mode: u32,
        _umask: u32,
        _device: u32,
        reply: ReplyEntry,
    ) {
        reply.error(Errno::EPERM);
    }

    fn mkdir(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, _umask: u32, reply: ReplyEntry) {
        reply.error(Errno::EPERM);
    }

    fn symlink(&self, _: &Request, _: INodeNo, _: &OsStr, _: &std::path::Path, reply: ReplyEntry) {
        reply.error(Errno::EPERM);
    }

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
