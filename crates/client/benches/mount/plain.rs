//! A FUSE mount as the agent's, with the same settings, that reads a plain file and hands its bytes out.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, InitFlags, KernelConfig, LockOwner, MountOption, OpenFlags, ReplyAttr,
    ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, Request, Session,
};

pub const NAME: &str = "plain";
const FOLDER: INodeNo = INodeNo(1);
const FILE: INodeNo = INodeNo(2);
/// As in the agent's mount.
const MAX_CALL_BYTES: u32 = 1 << 20;
const REMEMBERED: Duration = Duration::from_secs(1);

pub struct Mounted {
    session: BackgroundSession,
    asked: Arc<AtomicU64>,
}

struct Plain {
    file: File,
    length: u64,
    asked: Arc<AtomicU64>,
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; MAX_CALL_BYTES as usize]);
}

/// Shows `file` in the folder `at`.
pub fn mount(file: &Path, at: &Path) -> Mounted {
    let file = File::open(file).unwrap();
    let asked = Arc::default();
    let plain = Plain {
        length: file.metadata().unwrap().len(),
        file,
        asked: Arc::clone(&asked),
    };
    let mut config = Config::default();
    config.n_threads = Some(medshare_client::mount::THREADS);
    config.clone_fd = true;
    config.mount_options = vec![
        MountOption::NoDev,
        MountOption::NoSuid,
        MountOption::NoExec,
        MountOption::DefaultPermissions,
    ];
    let session = Session::new(plain, at, &config).unwrap().spawn().unwrap();
    Mounted { session, asked }
}

impl Mounted {
    /// How many bytes the kernel has asked for.
    pub fn unmount(self) -> u64 {
        self.session.umount_and_join().unwrap();
        self.asked.load(Ordering::Relaxed)
    }
}

impl Plain {
    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let (kind, size) = match inode {
            FOLDER => (FileType::Directory, 0),
            _ => (FileType::RegularFile, self.length),
        };
        let time = SystemTime::UNIX_EPOCH;
        FileAttr {
            ino: inode,
            size,
            blocks: size.div_ceil(512),
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind,
            perm: 0o700,
            nlink: 1,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            rdev: 0,
            blksize: 4_096,
            flags: 0,
        }
    }
}

impl Filesystem for Plain {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> std::io::Result<()> {
        let _ = config.add_capabilities(InitFlags::FUSE_AUTO_INVAL_DATA);
        let _ = config.set_max_write(MAX_CALL_BYTES);
        Ok(())
    }

    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == NAME {
            reply.entry(&Duration::ZERO, &self.attributes(FILE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&REMEMBERED, &self.attributes(inode));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        BUFFER.with_borrow_mut(|buffer| {
            let count = self.file.read_at(&mut buffer[..size as usize], offset);
            let count = count.unwrap();
            self.asked.fetch_add(count as u64, Ordering::Relaxed);
            reply.data(&buffer[..count]);
        });
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}
