//! The outer stage: new namespaces, a new root that nobody else sees, and the mounts in it.
//!
//! It is one process with one thread (unshare(2) demands that for a user namespace), started anew from this program's
//! own file. It keeps the identity of its user: no id of root is borrowed.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use nix::sched::{CloneFlags, unshare};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, configure_capability_in_ambient_set,
    set_capabilities,
};

use super::channel::{Channel, Message};
use super::plan::Plan;
use super::refusal::{OrRefuse, Refusal};
use super::{INNER, root};

/// Everything that a process can have of its own.
const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(CloneFlags::CLONE_NEWNS)
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// The name of the machine, inside.
const HOST_NAME: &str = "medshare";

/// Makes the sandbox, and ends as what runs in it ends.
pub(super) fn run(plan: &str, channel: Channel) -> Result<u8, Refusal> {
    let parsed: Plan = serde_json::from_str(plan).or_refuse("the plan cannot be read")?;
    new_namespaces()?;
    hand_down().or_refuse("the capabilities cannot be handed down")?;
    let mounts = root::build(&parsed)?;
    let descriptors: Vec<_> = mounts.iter().map(OwnedFd::as_fd).collect();
    channel
        .send(&Message::Mounted, &descriptors)
        .or_refuse("the agent is gone")?;
    drop(mounts);
    // It is the first process of the new PID namespace, and has the same socket.
    let mut inner = Command::new("/proc/self/exe")
        .args([INNER, plan])
        .env_clear()
        .spawn()
        .or_refuse("the inner stage cannot be started")?;
    let ended = inner
        .wait()
        .or_refuse("the inner stage is not waited for")?;
    Ok(code(ended))
}

/// To be called before anything is opened. What was open in the terminal that this was started from is none of the command's business. The child's own 0, 1
/// and 2 are the socket and the two pipes.
pub(super) fn close_inherited() -> Result<(), Refusal> {
    let reading = || "the open files are not known (/proc/self/fd)".to_owned();
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .or_refuse(reading())?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for number in open.into_iter().filter(|number| *number > 2) {
        // The folder's own descriptor is among them, and is closed already.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

fn new_namespaces() -> Result<(), Refusal> {
    // Read before: in the new namespace they are nobody's until they are mapped.
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(NAMESPACES).or_refuse(
        "this machine lets its users make no namespaces; ask its administrator to allow them (kernel.unprivileged_userns_clone, user.max_user_namespaces, AppArmor)",
    )?;
    let write = |file: &str, text: String| {
        std::fs::write(file, text).or_refuse(format!("{file} cannot be written"))
    };
    write("/proc/self/setgroups", "deny".into())?;
    write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    nix::unistd::sethostname(HOST_NAME).or_refuse("the name of the machine cannot be covered")
}

/// Starting a program takes a user's capabilities away, those in a namespace of one's own as well. The inner stage needs
/// two of them to enter the root and to give up the rest.
fn hand_down() -> Result<(), Errno> {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::SETPCAP;
    let own = capabilities(None)?;
    let inheritable = needed;
    set_capabilities(None, CapabilitySets { inheritable, ..own })?;
    needed
        .iter()
        .try_for_each(|one| configure_capability_in_ambient_set(one, true))
}

/// As a shell tells it: 128 and the signal where a signal ended it.
pub(super) fn code(ended: ExitStatus) -> u8 {
    let code = ended
        .code()
        .or_else(|| ended.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}
