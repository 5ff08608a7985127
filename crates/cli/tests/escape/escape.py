#!/usr/bin/env python3
"""Tries every way out of the sandbox that it can think of.

Run inside by tests/suite/run.rs, which has prepared ways out and wrote where they are into facts.json. Each row is a
function; it fails (raises, or returns nothing) where the way is closed, and returns what it found where it is open.
Writes {row: what was found, or null} to the output folder.
"""

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
FACTS = json.load(open("/medshare/work/facts.json"))
OUTPUT = os.environ["MEDSHARE_OUTPUT"]
DATA = os.environ["MEDSHARE_DATA"]
ROWS = {}
# x86-64 alone has these numbers; on other machines the rows that use them are left to the kernel's names (see `call`).
NUMBERS = {
    "ptrace": 101, "process_vm_readv": 310, "pidfd_getfd": 438, "pidfd_open": 434, "kcmp": 312, "unshare": 272,
    "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "open_tree": 428, "fsopen": 430,
    "move_mount": 429, "mount_setattr": 442, "clone": 56, "clone3": 435, "keyctl": 250, "add_key": 248,
    "request_key": 249, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425,
    "open_by_handle_at": 304, "name_to_handle_at": 303, "shmget": 29, "shmat": 30, "msgget": 68, "semget": 64,
    "mq_open": 240, "socket": 41, "getpid": 39, "kill": 62, "vmsplice": 278, "process_madvise": 440,
}
NEW = {"user": 0x10000000, "mnt": 0x20000, "pid": 0x20000000, "ipc": 0x8000000, "net": 0x40000000, "uts": 0x4000000}


def row(function):
    ROWS[function.__name__.replace("_", "-")] = function
    return function


def call(name, *arguments, x32=False):
    """The system call by its number; EPERM and ENOSYS are what a closed way says."""
    number = NUMBERS[name] | (0x40000000 if x32 else 0)
    result = LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def denied(name, *arguments, x32=False):
    """Open unless the filter itself says no: another error means that the kernel has looked at it."""
    try:
        return f"{name} gave {call(name, *arguments, x32=x32)}"
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS):
            return f"{name} was looked at: {error}"


def text(path):
    with open(path, "rb") as file:
        return file.read()


# --- Sockets --------------------------------------------------------------------------------------------------------

def sends(family, kind, address, protocol=0):
    with socket.socket(family, kind, protocol) as out:
        out.settimeout(2)
        if kind == socket.SOCK_DGRAM and family in (socket.AF_INET, socket.AF_INET6):
            out.sendto(b"carried off", address)
        else:
            out.connect(address)
            out.sendall(b"carried off")
    return f"sent to {address}"


@row
def tcp():
    return sends(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", FACTS["tcp"]))


@row
def tcp_over_ipv6():
    return sends(socket.AF_INET6, socket.SOCK_STREAM, ("::1", FACTS["tcp"]))


@row
def udp():
    return sends(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", FACTS["udp"]))


@row
def unix_socket_in_a_shown_folder():
    return sends(socket.AF_UNIX, socket.SOCK_STREAM, "/medshare/work/socket")


@row
def unix_datagram_in_a_shown_folder():
    return sends(socket.AF_UNIX, socket.SOCK_DGRAM, "/medshare/work/datagram")


@row
def datagrams_of_a_pair():
    one, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"carried off", "/medshare/work/datagram")
    return "sent to a socket in the folder"


@row
def descriptors_by_a_pair():
    one, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with open(DATA) as data:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", data.fileno()))
        one.sendmsg([b"carried off"], [rights], 0, "/medshare/work/datagram")
    return "sent a descriptor"


@row
def other_pairs():
    # Whatever flags stand beside them.
    kinds = [kind | flag for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_RDM) for flag in (0, socket.SOCK_CLOEXEC)]
    for kind in kinds:
        try:
            return f"{socket.socketpair(socket.AF_UNIX, kind)}"
        except OSError:
            pass


@row
def a_stream_that_is_sent_elsewhere():
    return sends_by_a_pair(socket.SOCK_STREAM)


@row
def packets_that_are_sent_elsewhere():
    return sends_by_a_pair(socket.SOCK_SEQPACKET)


def sends_by_a_pair(kind):
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    other.close()
    for address in ("/medshare/work/datagram", "/medshare/work/socket"):
        for way in (lambda: one.sendmsg([b"carried off"], [], 0, address), lambda: one.connect(address)):
            try:
                return f"{way()}: {address} was reached"
            except OSError:
                pass


@row
def abstract_socket():
    return sends(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + FACTS["abstract"])


@row
def netlink():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) and "a netlink socket"


@row
def raw_packets():
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) and "a packet socket"


@row
def ping():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) and "an ICMP socket"


@row
def virtual_machine_sockets():
    return socket.socket(40, socket.SOCK_STREAM, 0) and "a vsock socket"


@row
def kernel_crypto_sockets():
    return socket.socket(38, socket.SOCK_SEQPACKET, 0) and "an AF_ALG socket"


@row
def network_interfaces():
    lines = text("/proc/self/net/dev").decode().splitlines()[2:]
    names = {line.split(":")[0].strip() for line in lines} - {"lo"}
    # Kernels with tunnels compiled in show them, down, in every namespace.
    names = {name for name in names if not name.startswith(("sit", "tunl", "ip6", "gre", "erspan", "ip_vti"))}
    return names and f"interfaces {sorted(names)}"


@row
def sockets_through_a_ring():
    return denied("io_uring_setup", 8, ctypes.create_string_buffer(120))


# --- Processes ------------------------------------------------------------------------------------------------------

def own_processes():
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


@row
def processes_of_the_machine():
    # Where numbers are this small, they are ours.
    strangers = {pid for pid in own_processes() if pid > 1_000}
    return strangers and f"processes {sorted(strangers)[:5]}"


@row
def signal_to_the_machine():
    os.kill(FACTS["pid"], 0)
    command = text(f"/proc/{FACTS['pid']}/cmdline")
    return b"sleep" in command and "a process outside took a signal"


@row
def the_first_process():
    tries = {"mem": text, "environ": text, "maps": text, "fd/0": open, "fd/1": os.readlink, "root": os.listdir, "cwd": os.readlink, "exe": os.readlink}
    for name, look in tries.items():
        try:
            return f"/proc/1/{name}: {str(look('/proc/1/' + name))[:80]}"
        except OSError:
            pass


@row
def memory_of_another_process():
    child = subprocess.Popen(["sleep", "5"])
    try:
        local = ctypes.create_string_buffer(8)
        vector = struct.pack("PN", ctypes.addressof(local), 8)
        return denied("process_vm_readv", child.pid, vector, 1, vector, 1, 0)
    finally:
        child.kill()
        child.wait()


@row
def tracing():
    return denied("ptrace", 16, 1, 0, 0)


@row
def descriptors_of_another_process():
    return denied("pidfd_getfd", call("pidfd_open", os.getpid(), 0), 0, 0)


@row
def comparing_processes():
    return denied("kcmp", os.getpid(), os.getpid(), 0, 0, 1)


@row
def the_old_root():
    seen = set(os.listdir("/proc/self/root/../..")) | set(os.listdir("/../.."))
    return "work" not in seen and f"another root: {sorted(seen)}"


@row
def settings_of_the_kernel():
    for name in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/hostname"):
        try:
            open(name, "w")
            return name
        except OSError:
            pass
    return os.path.exists("/proc/sys") and "/proc/sys is there"


@row
def staying_behind():
    """Looked at from outside: nothing of it may be there when the run is over."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", FACTS["stay"]])
        os._exit(0)
    os.wait()


# --- Memory that others share ---------------------------------------------------------------------------------------

@row
def shared_memory_files():
    return os.path.exists("/dev/shm") and "/dev/shm is there"


@row
def shared_memory_of_system_v():
    return denied("shmget", FACTS["shm"], 0, 0)


@row
def semaphores_and_messages_of_system_v():
    return denied("semget", 4711, 1, 0o1600) or denied("msgget", 4711, 0o1600)


@row
def message_queues():
    return denied("mq_open", b"medshare", 0o102, 0o600, 0)


@row
def keys_of_the_kernel():
    return denied("keyctl", 0, -3, 0) or denied("add_key", b"user", b"x", b"y", 1, -3) or denied("request_key", b"user", b"x", 0, -3)


# --- Devices and terminals ------------------------------------------------------------------------------------------

@row
def devices():
    expected = {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr"}
    found = set(os.listdir("/dev")) - expected
    return found and f"/dev has {sorted(found)}"


@row
def a_device_of_one_s_own():
    os.mknod(OUTPUT + "/device", 0o60600, os.makedev(8, 0))
    return "a block device was made"


@row
def the_terminal():
    return any(os.isatty(number) for number in (0, 1, 2)) and "a terminal" or open("/dev/tty") and "/dev/tty"


@row
def typing_into_a_terminal():
    import fcntl
    for number in (0, 1, 2):
        try:
            fcntl.ioctl(number, 0x5412, b"x")
            return "typed"
        except OSError as error:
            if error.errno != errno.EPERM:
                return f"TIOCSTI was looked at: {error}"


@row
def standard_input():
    return os.read(0, 1) and "there is something to read"


# --- Mounts and namespaces ------------------------------------------------------------------------------------------

@row
def mounting():
    return denied("mount", b"none", OUTPUT.encode(), b"tmpfs", 0, 0) or denied("umount2", b"/medshare/work", 2)


@row
def mounting_in_the_new_way():
    return denied("fsopen", b"tmpfs", 0) or denied("open_tree", -100, b"/", 1) or denied("mount_setattr", -100, b"/", 0, ctypes.create_string_buffer(32), 32)


@row
def another_root():
    return denied("chroot", b"/medshare/work") or denied("pivot_root", b"/", b"/")


@row
def new_namespaces():
    for name, flag in NEW.items():
        found = denied("unshare", flag)
        if found:
            return f"{name}: {found}"


@row
def new_namespaces_with_a_process():
    for name, flag in NEW.items():
        try:
            child = call("clone", flag | signal.SIGCHLD, 0, 0, 0, 0)
        except OSError as error:
            if error.errno != errno.EPERM:
                return f"{name}: clone was looked at: {error}"
            continue
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return f"{name}: clone made one"


@row
def new_namespaces_in_the_new_way():
    try:
        call("clone3", ctypes.create_string_buffer(88), 88)
    except OSError as error:
        return error.errno != errno.ENOSYS and f"clone3 was looked at: {error}"
    return "clone3"


@row
def namespaces_of_others():
    return denied("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0)


@row
def namespaces_of_the_machine():
    inside = {name: os.readlink(f"/proc/self/ns/{name}") for name in FACTS["namespaces"]}
    shared = [name for name, number in FACTS["namespaces"].items() if inside[name] == number]
    return shared and f"shared with the machine: {shared}"


@row
def mounts_that_can_be_written():
    free = {OUTPUT, os.environ["TMPDIR"], "/proc", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
    mounts = [line.split()[1:4] for line in text("/proc/self/mounts").decode().splitlines()]
    loose = [at for at, _, options in mounts if at not in free and not {"ro", "nosuid", "nodev"} <= set(options.split(","))]
    return loose and f"not ro, nosuid and nodev: {loose}"


@row
def other_user_ids():
    with open("/proc/self/uid_map", "w") as file:
        file.write("0 0 1")
    return "the ids were mapped again"


# --- Files ----------------------------------------------------------------------------------------------------------

def written(path):
    with open(path, "w") as file:
        file.write("carried off")
    return f"wrote {path}"


def first_written(paths):
    for path in paths:
        try:
            return written(path)
        except OSError:
            pass


@row
def the_folder_it_was_started_in():
    return first_written(["/medshare/work/carried-off", "/medshare/work/facts.json"])


@row
def folders_of_the_machine():
    return first_written(["/carried-off", "/usr/carried-off", "/etc/carried-off", "/tmp/carried-off", "/var/tmp/carried-off",
                          "/dev/carried-off", "/proc/self/comm", "/medshare/carried-off", "/opt/carried-off"])


@row
def the_folder_of_the_data():
    return first_written([os.path.dirname(DATA) + "/carried-off", DATA])


@row
def files_of_the_machine():
    names = ["/etc/shadow", "/etc/hostname", "/etc/machine-id", "/root", "/home", "/var", "/run", "/sys", "/boot", "/tmp", FACTS["home"]]
    found = [name for name in names if os.path.exists(name)]
    return found and f"{found}"


@row
def a_pipe_in_a_shown_folder():
    out = os.open("/medshare/work/pipe", os.O_WRONLY | os.O_NONBLOCK)
    os.write(out, b"carried off")
    return "wrote into the pipe"


@row
def a_pipe_of_one_s_own():
    os.mkfifo(OUTPUT + "/pipe")
    return "a pipe was made"


@row
def symbolic_links():
    os.symlink("/medshare/work/carried-off", OUTPUT + "/link")
    return "a link was made in the output"


@row
def hard_links():
    for source in (DATA, "/medshare/work/facts.json", "/usr/bin/env"):
        try:
            os.link(source, OUTPUT + "/hard")
            return f"linked {source}"
        except OSError:
            pass


@row
def files_by_handle():
    return denied("name_to_handle_at", -100, b"/medshare/work", ctypes.create_string_buffer(136), ctypes.create_string_buffer(4), 0) \
        or denied("open_by_handle_at", -100, ctypes.create_string_buffer(136), 0)


@row
def inherited_descriptors():
    # What Python itself and this listing have open is closed again, or ours.
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    strange = {number: to for number, to in found.items() if number > 2 and "leak" in to}
    return strange and f"descriptors {strange}" or (not {0, 1, 2} <= set(found)) and "0, 1, 2 are not open"


@row
def the_environment():
    known = {"PATH", "LANG", "HOME", "TMPDIR", "MEDSHARE_DATA", "MEDSHARE_OUTPUT", "LC_CTYPE", "PWD", "SHLVL", "_"}
    return set(os.environ) - known and f"{sorted(set(os.environ) - known)}"


@row
def the_name_of_the_machine():
    return os.uname().nodename != "medshare" and os.uname().nodename


@row
def control_groups():
    strange = [line for line in text("/proc/self/cgroup").decode().splitlines() if not line.endswith(":/")]
    return strange and f"{strange}"


# --- Privileges and limits ------------------------------------------------------------------------------------------

def status():
    return dict(line.split(":\t", 1) for line in text("/proc/self/status").decode().splitlines() if ":\t" in line)


@row
def capabilities():
    held = {name: status()[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(status()[name], 16)}
    return held and f"{held}"


@row
def set_user_id_programs():
    return status()["NoNewPrivs"] != "1" and "programs may gain privileges"


@row
def core_dumps():
    return resource.getrlimit(resource.RLIMIT_CORE) != (0, 0) and "core dumps are written"


@row
def all_of_the_machine():
    kinds = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE")
    free = [kind for kind in kinds if resource.getrlimit(getattr(resource, kind))[1] == resource.RLIM_INFINITY]
    if free:
        return f"no limit: {free}"
    try:
        mmap.mmap(-1, 1 << 40)
        return "a terabyte of memory"
    except (OSError, ValueError, MemoryError):
        return None


@row
def more_than_the_output_holds():
    kept = b"\0" * (1 << 20)
    with open(os.environ["TMPDIR"] + "/large", "wb") as file:
        for _ in range(1 << 10):
            file.write(kept)
    return "a gigabyte was written"


@row
def the_kernel_s_rarely_used_parts():
    return denied("bpf", 0, 0, 0) or denied("perf_event_open", 0, 0, -1, -1, 0) or denied("userfaultfd", 0) or denied("vmsplice", 1, 0, 0, 0)


@row
def the_same_calls_by_other_numbers():
    return denied("socket", 2, 1, 0, x32=True) or denied("ptrace", 16, 1, 0, 0, x32=True)


def main():
    # A way that is closed by a signal closes that row, and no other.
    signal.signal(signal.SIGSYS, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    results = {}
    for name, function in ROWS.items():
        try:
            results[name] = function() or None
        except (OSError, subprocess.SubprocessError):
            results[name] = None
    large = os.environ["TMPDIR"] + "/large"
    if os.path.exists(large):
        os.remove(large)
    with open(OUTPUT + "/ways-out.json", "w") as file:
        json.dump(results, file, indent=1)
    return 0


sys.exit(main())
