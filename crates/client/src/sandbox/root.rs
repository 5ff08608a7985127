//! The root that the command sees: the machine's programs and libraries, read-only, and the data.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};
use rustix::process::{chdir, getegid, geteuid, pivot_root};

use super::plan::{BASE, OUTPUT, Plan, TEMPORARY, WORK};
use super::refusal::{OrRefuse, Refusal};

/// Programs and libraries. What is a link (merged /usr) stays one; what is not there is left out.
const SYSTEM: [&str; 9] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix",
];
/// What programs need of /etc to start: the loader's cache, names of users, time zone, Debian's choices, R, fonts.
const SETTINGS: [&str; 10] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/localtime",
    "/etc/R",
    "/etc/fonts",
];
/// Devices that hold nothing.
pub(super) const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// What is shown of the machine.
pub(super) fn shown() -> impl Iterator<Item = &'static str> {
    SYSTEM.into_iter().chain(SETTINGS)
}

const FUSE: &str = "/dev/fuse";
/// Room for the folders of the root itself, which is read-only before the command starts.
const ROOT_OPTIONS: &str = "size=64k,nr_inodes=256,mode=0755";

/// Builds it under the plan's root folder. The descriptors serve the output, the temporary files, and the packages.
pub(super) fn build(plan: &Plan) -> Result<Vec<OwnedFd>, Refusal> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).or_refuse("the mounts cannot be made private")?;
    // Held open: the new root may cover the way to it.
    let work = File::open(&plan.work).or_refuse(plan.work.display())?;
    let root = &plan.root;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount(
        "medshare",
        root,
        "tmpfs",
        flags,
        Some(text(ROOT_OPTIONS)?.as_c_str()),
    )
    .or_refuse("no new root can be mounted")?;
    for path in shown() {
        show(root, Path::new(path))?;
    }
    for device in DEVICES {
        let target = place(root, Path::new(device), false)?;
        mount_bind(device, &target).or_refuse(device)?;
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, root.join("dev").join(name)).or_refuse(name)?;
    }
    place(root, Path::new("/proc"), true)?;
    show_work(root, &work, &plan.work)?;
    for folder in &plan.show {
        let target = place(root, folder, true)?;
        bind_folder(folder, &target, folder)?;
    }
    mount_data(root, plan)
}

/// Output and temporary files may be written; the data may not. Without `nodev` or `nosuid` nothing is mounted.
fn mount_data(root: &Path, plan: &Plan) -> Result<Vec<OwnedFd>, Refusal> {
    let writable = MountFlags::NOSUID | MountFlags::NODEV;
    let data = writable | MountFlags::RDONLY | MountFlags::NOEXEC;
    let mut mounts = vec![
        mount_fuse(root, OUTPUT, writable)?,
        mount_fuse(root, TEMPORARY, writable)?,
    ];
    for package in &plan.packages {
        mounts.push(mount_fuse(root, &Plan::folder(*package), data)?);
    }
    let first = plan.packages.first();
    let first = first.ok_or_else(|| Refusal::new("there is no package"))?;
    let link = place(root, Path::new(BASE), true)?.join("data");
    symlink(first.to_string(), link).or_refuse("data")?;
    Ok(mounts)
}

/// The device is opened here, in the user namespace that mounts: the kernel demands it. Whose requests are served is
/// written in the mount, and checked again by whoever serves them.
fn mount_fuse(root: &Path, at: &str, flags: MountFlags) -> Result<OwnedFd, Refusal> {
    let device = OpenOptions::new().read(true).write(true).open(FUSE);
    let device = device.or_refuse(
        "this machine lets its users mount nothing (/dev/fuse); ask its administrator to load the module fuse and to make /dev/fuse readable and writable for all",
    )?;
    let target = place(root, Path::new(at), true)?;
    let options = format!(
        "fd={},rootmode=40000,user_id={},group_id={},default_permissions",
        device.as_raw_fd(),
        geteuid().as_raw(),
        getegid().as_raw()
    );
    let options = text(&options)?;
    mount("medshare", &target, "fuse", flags, Some(options.as_c_str()))
        .or_refuse(format!("{at} cannot be mounted"))?;
    Ok(device.into())
}

/// Shows a path of the machine where it is, read-only.
fn show(root: &Path, path: &Path) -> Result<(), Refusal> {
    let Ok(metadata) = path.symlink_metadata() else {
        return Ok(());
    };
    if metadata.is_symlink() && metadata.len() > 0 && path.parent() == Some(Path::new("/")) {
        let target = fs::read_link(path).or_refuse(path.display())?;
        return symlink(target, inside(root, path)).or_refuse(path.display());
    }
    let Ok(metadata) = path.metadata() else {
        return Ok(());
    };
    let target = place(root, path, metadata.is_dir())?;
    bind_read_only(path, &target).or_refuse(path.display())
}

/// The folder that the command was started in: its script is there.
fn show_work(root: &Path, work: &File, name: &Path) -> Result<(), Refusal> {
    let target = place(root, Path::new(WORK), true)?;
    let source = PathBuf::from(format!("/proc/self/fd/{}", work.as_raw_fd()));
    bind_folder(&source, &target, name)
}

fn bind_folder(source: &Path, target: &Path, name: &Path) -> Result<(), Refusal> {
    match bind_read_only(source, target) {
        // Mounts below are locked in a user namespace: the kernel does not show what they cover.
        Err(Errno::INVAL) => Err(Refusal::new(format!(
            "other file systems are mounted in {}; show, or start from, a folder that holds your own files and nothing else",
            name.display()
        ))),
        shown => shown.or_refuse(name.display()),
    }
}

/// Read-only, without set-user-id and devices. What the machine forbids beyond that stays forbidden.
fn bind_read_only(source: &Path, target: &Path) -> Result<(), Errno> {
    mount_bind(source, target)?;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    if statvfs(target)?.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        flags |= MountFlags::NOEXEC;
    }
    mount_remount(target, flags, "")
}

/// Changes into the finished root for good; the old one is let go. Its PID namespace is the caller's.
pub(super) fn enter(root: &Path) -> Result<(), Refusal> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    // Nothing of the machine (subset=pid), and of processes those only that one might look into anyway.
    let options = text("hidepid=invisible,subset=pid")?;
    mount(
        "proc",
        root.join("proc"),
        "proc",
        flags,
        Some(options.as_c_str()),
    )
    .or_refuse("no /proc of its own can be mounted; in a container, it must not mask its /proc")?;
    chdir(root).or_refuse("the new root")?;
    pivot_root(".", ".").or_refuse("the new root")?;
    unmount(".", UnmountFlags::DETACH).or_refuse("the old root stays")?;
    chdir("/").or_refuse("/")?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount("/", flags, "").or_refuse("the new root stays writable")
}

/// An empty file or folder to mount on.
fn place(root: &Path, path: &Path, folder: bool) -> Result<PathBuf, Refusal> {
    let target = inside(root, path);
    let parent = if folder {
        Some(&*target)
    } else {
        target.parent()
    };
    if let Some(parent) = parent {
        fs::create_dir_all(parent).or_refuse(path.display())?;
    }
    if !folder {
        File::create(&target).or_refuse(path.display())?;
    }
    Ok(target)
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn text(options: &str) -> Result<CString, Refusal> {
    CString::new(options).or_refuse("mount options")
}
