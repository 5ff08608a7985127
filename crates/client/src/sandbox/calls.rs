//! System calls that the command cannot make (seccomp). A list of what is denied, not of what is allowed: R, Python
//! and DuckDB must run, and the namespaces with Landlock carry the weight. What only a capability allows is left out:
//! there is none.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter, sock_filter,
};

/// Denied altogether, with EPERM.
const DENIED: [libc::c_long; 45] = [
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Sockets of every kind: also a socket that stands as a file in a shown folder leads outside, and no namespace and
    // no Landlock rule keeps anybody from it. Pairs that stay connected stay.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // Other namespaces and roots.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Memory and messages that outlive a process.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    // The kernel's keys, files by handle.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // Makes calls that no filter sees, sockets among them.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Much code that is rarely used, and a history of holes.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_vmsplice,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    libc::SYS_acct,
];

/// clone(2) with any of these makes a namespace.
const NEW_NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Input typed into a terminal in its user's name, and into a virtual console.
const TYPING: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

/// Denies them to this thread and to all that it starts.
pub(super) fn deny() -> Result<(), Error> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        DENIED.into_iter().map(|call| (call, Vec::new())).collect();
    let clone = NEW_NAMESPACES.into_iter().map(|flag| {
        // As the kernel reads them: 32 bits.
        let flag = u64::from(flag.unsigned_abs());
        let set = SeccompCmpOp::MaskedEq(flag);
        rule(0, SeccompCmpArgLen::Dword, set, flag)
    });
    rules.insert(libc::SYS_clone, clone.collect::<Result<_, _>>()?);
    let typing = TYPING
        .into_iter()
        .map(|request| rule(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request));
    rules.insert(libc::SYS_ioctl, typing.collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_socketpair, pairs_that_can_be_aimed()?);
    // Its flags stand in memory, where no filter looks: without it, programs use clone.
    let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply(rules, libc::EPERM, arch)?;
    apply(absent, libc::ENOSYS, arch)?;
    deny_other_numbers()
}

/// A pair of streams or of sequenced packets stays connected, whatever address is given with what is sent. One of datagrams
/// can be sent to any other socket, by sendto(2) as by sendmsg(2), whose address no filter sees.
fn pairs_that_can_be_aimed() -> Result<Vec<SeccompRule>, Error> {
    /// Without the flags that stand beside it.
    const KIND: u64 = 0xf;
    const CONNECTED: [libc::c_int; 2] = [libc::SOCK_STREAM, libc::SOCK_SEQPACKET];
    let unix = u64::from(libc::AF_UNIX.unsigned_abs());
    let of_others = rule(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, unix);
    let connected = CONNECTED.map(|kind| u64::from(kind.unsigned_abs()));
    let others = (0..=KIND).filter(|kind| !connected.contains(kind));
    let others = others.map(|kind| {
        let is = SeccompCmpOp::MaskedEq(KIND);
        rule(1, SeccompCmpArgLen::Dword, is, kind)
    });
    std::iter::once(of_others).chain(others).collect()
}

fn rule(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, Error> {
    let condition = SeccompCondition::new(argument, length, operator, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

/// The filter kills what calls in the way of another architecture (32 bit on 64).
fn apply(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    errno: libc::c_int,
    arch: TargetArch,
) -> Result<(), Error> {
    let denied = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, arch)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)
}

/// x86-64 has a second set of numbers for the same calls (x32), from bit 30 on: they would pass the list above.
fn deny_other_numbers() -> Result<(), Error> {
    const X32: u32 = 1 << 30;
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    if cfg!(not(target_arch = "x86_64")) {
        return Ok(());
    }
    let statement = |code, k| sock_filter {
        code,
        jt: 0,
        jf: 0,
        k,
    };
    let denied = u32::from(SeccompAction::Errno(libc::ENOSYS.unsigned_abs()));
    apply_filter(&[
        // The number is the first field of `struct seccomp_data`.
        statement(LOAD_WORD, 0),
        sock_filter {
            jf: 1,
            ..statement(JUMP_IF_GREATER_OR_EQUAL, X32)
        },
        statement(RETURN, denied),
        statement(RETURN, u32::from(SeccompAction::Allow)),
    ])
}
