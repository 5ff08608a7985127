//! P18: `medshare run` lets a command read the data and carry nothing off.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use medshare_client::agent::DATA_FILE;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::devnet::{Devnet, hang_up, interrupt};
use super::program::{Ran, run};
use super::session;

/// A program that counts the bytes of its input.
const PROGRAM: &str = "#include <stdio.h>\nint main(void) { long n = 0; while (getchar() != EOF) n++; printf(\"%ld\\n\", n); return 0; }\n";
const ESCAPE: &str = include_str!("../escape/escape.py");
const CONTROL: &str = include_str!("../escape/control.py");

/// A requestor with a package, in a folder to start from.
pub struct Bench {
    pub network: Devnet,
    pub alice: PathBuf,
    pub work: PathBuf,
    pub package: String,
}

impl Bench {
    /// Nothing where this machine has no FUSE.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// Of a network with more arguments.
    pub fn with(arguments: &[&str]) -> Option<Self> {
        if !Path::new("/dev/fuse").exists() {
            println!("LEFT OUT: this machine has no /dev/fuse");
            return None;
        }
        // Asked of another program than ours: a sandbox that we cannot make where one can be made is a fault.
        let namespaces = ["-Urmpin", "--fork", "--mount-proc", "true"];
        let asked = std::process::Command::new("unshare")
            .args(namespaces)
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            println!("LEFT OUT: this machine allows no namespaces of one's own");
            return None;
        }
        // After each run the next one waits for the lease to end.
        let network =
            Devnet::with(&[&["--rows", "300", "--lease-seconds", "8"], arguments].concat());
        let alice = network.register("alice");
        let package = network.obtain(&alice);
        let work = network.folder.path().join("work");
        std::fs::create_dir(&work).unwrap();
        Some(Self {
            network,
            alice,
            work,
            package,
        })
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.network.as_requestor(&self.alice);
        command
            .current_dir(&self.work)
            .args(["run", &self.package])
            .args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments), "")
    }

    pub fn state(&self) -> Value {
        session::json(self.network.as_requestor(&self.alice).arg("packages"))[0]["state"].clone()
    }
}

/// The ways out that stand open outside, so that it is the sandbox that closes them.
struct WaysOut {
    tcp: TcpListener,
    udp: UdpSocket,
    socket: UnixListener,
    datagram: UnixDatagram,
    abstract_socket: UnixListener,
    pipe: std::fs::File,
    neighbour: std::process::Child,
    memory: String,
}

impl WaysOut {
    fn open(bench: &Bench) -> Self {
        let work = &bench.work;
        let name = format!("medshare-test-{}", std::process::id());
        let pipe = work.join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let made = Command::new("ipcmk").args(["-M", "64"]).output().unwrap();
        let memory = String::from_utf8(made.stdout).unwrap();
        let memory = memory.trim().rsplit(' ').next().unwrap().to_owned();
        let listed = Command::new("ipcs").arg("-m").output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let mut lines = listed.lines().map(str::split_whitespace);
        let key = lines.find_map(|mut words| {
            let key = words.next()?;
            (words.next()? == memory).then(|| key.to_owned())
        });
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let neighbour = Command::new("sleep").arg("600").spawn().unwrap();
        let facts = json!({
            "tcp": tcp.local_addr().unwrap().port(),
            "udp": udp.local_addr().unwrap().port(),
            "abstract": name,
            "pid": neighbour.id(),
            "stay": format!("{}.25", 100_000 + std::process::id()),
            "shm": u32::from_str_radix(key.unwrap().trim_start_matches("0x"), 16).unwrap(),
            "home": bench.alice,
            "namespaces": namespaces(),
        });
        bench.file("facts.json", &facts.to_string());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let ways = Self {
            tcp,
            udp,
            socket: UnixListener::bind(work.join("socket")).unwrap(),
            datagram: UnixDatagram::bind(work.join("datagram")).unwrap(),
            abstract_socket: UnixListener::bind_addr(&address).unwrap(),
            // For both, so that opening waits for nobody.
            pipe: std::fs::File::options()
                .read(true)
                .write(true)
                .open(&pipe)
                .unwrap(),
            neighbour,
            memory,
        };
        ways.tcp.set_nonblocking(true).unwrap();
        ways.udp.set_nonblocking(true).unwrap();
        ways.socket.set_nonblocking(true).unwrap();
        ways.datagram.set_nonblocking(true).unwrap();
        ways.abstract_socket.set_nonblocking(true).unwrap();
        ways
    }

    /// Nothing came out at any of them.
    fn check(&self, work: &Path) {
        assert!(self.tcp.accept().is_err(), "TCP");
        assert!(self.udp.recv(&mut [0; 9]).is_err(), "UDP");
        assert!(self.socket.accept().is_err(), "a socket in the folder");
        assert!(
            self.datagram.recv(&mut [0; 9]).is_err(),
            "datagrams in the folder"
        );
        assert!(self.abstract_socket.accept().is_err(), "an abstract socket");
        rustix::fs::fcntl_setfl(&self.pipe, rustix::fs::OFlags::NONBLOCK).unwrap();
        let read = std::io::Read::read(&mut &self.pipe, &mut [0; 9]);
        assert!(read.is_err(), "a pipe in the folder: {read:?}");
        assert!(!work.join("carried-off").exists());
    }
}

impl Drop for WaysOut {
    fn drop(&mut self) {
        let _ = self.neighbour.kill();
        let _ = self.neighbour.wait();
        let _ = Command::new("ipcrm").args(["-m", &self.memory]).status();
    }
}

#[test]
fn no_way_out_of_the_sandbox_is_open() {
    let Some(bench) = Bench::start() else { return };
    bench.file("escape.py", ESCAPE);
    let ways = WaysOut::open(&bench);
    // A descriptor that the terminal left open, and a secret in the environment.
    let leak = bench.network.folder.path().join("leak");
    let inherit = ["sh", "-c", "exec 9>leak; cd work; exec \"$@\"", "sh"];
    let run = bench.command(&["--output", "of-root", "--", "python3", "escape.py"]);
    check_escape(&bench, through(&inherit, &run), "of-root");
    ways.check(&bench.work);
    assert_eq!(std::fs::read(&leak).unwrap(), b"");
    if !rustix::process::geteuid().is_root() {
        println!("LEFT OUT: only root can try it as another user as well");
        return;
    }
    let all = bench.network.folder.path();
    let owned = Command::new("chown")
        .args(["-R", "65534:65534", "alice", "work"])
        .current_dir(all)
        .status();
    assert!(owned.unwrap().success());
    // The way to them, and the file of the one before.
    for path in [all, &leak] {
        std::fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    let drop_root = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let run = bench.command(&["--output", "of-nobody", "--", "python3", "escape.py"]);
    check_escape(
        &bench,
        through(&[&drop_root[..], &inherit].concat(), &run),
        "of-nobody",
    );
    ways.check(&bench.work);
    bench.network.stop();
}

/// The kernel lets a sandbox's own user look at its processes, and through them at what they see.
#[test]
fn what_the_sandbox_shows_is_open_to_nobody_outside() {
    let Some(bench) = Bench::start() else { return };
    let begin = bench.work.join("begin");
    let made = Command::new("mkfifo").arg(&begin).status().unwrap();
    assert!(made.success());
    let mark = format!("{}.5", 300_000 + std::process::id());
    let script = format!(
        "head -3 $MEDSHARE_DATA > $MEDSHARE_OUTPUT/few; cd $MEDSHARE_OUTPUT; \
         exec 4< $MEDSHARE_DATA 5< few; head -c 9 <&4 | cmp -n 9 - few; exec sleep {mark} 3< /medshare/work/begin"
    );
    let mut command = bench.command(&["--patience-seconds", "100", "--", "sh", "-ec", &script]);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = quiet.spawn().unwrap();
    let _begun = std::fs::File::options().write(true).open(&begin).unwrap();
    let within = loop {
        match running(&mark) {
            Some(within) => break within,
            None => std::thread::yield_now(),
        }
    };
    let root = within.join("root/medshare");
    assert!(
        root.join("work/begin").exists(),
        "what is the machine's own"
    );
    for path in [
        root.join("data").join(DATA_FILE),
        root.join("output/few"),
        within.join("cwd/few"),
        within.join("fd/4"),
        within.join("fd/5"),
    ] {
        let read = std::fs::read(&path).unwrap_err();
        assert_eq!(read.kind(), ErrorKind::PermissionDenied, "{path:?}");
    }
    for path in [root.join("output"), root.join("data"), within.join("cwd")] {
        let listed = path
            .read_dir()
            .and_then(|mut entries| entries.next().transpose());
        assert_eq!(
            listed.unwrap_err().kind(),
            ErrorKind::PermissionDenied,
            "{path:?}"
        );
    }
    let written = std::fs::write(root.join("output/from-outside"), "").unwrap_err();
    assert_eq!(written.kind(), ErrorKind::PermissionDenied);
    child.kill().unwrap();
    child.wait().unwrap();
    bench.network.stop();
}

/// `command`, started by another one.
fn through(by: &[&str], command: &Command) -> Command {
    let mut started = Command::new(by[0]);
    started
        .args(&by[1..])
        .arg(command.get_program())
        .args(command.get_args())
        .env("SECRET_OF_THE_TERMINAL", "carried off");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => started.env(name, value),
            None => started.env_remove(name),
        };
    }
    started
}

/// Each `@row` was tried, and none is open.
fn check_escape(bench: &Bench, mut command: Command, output: &str) {
    let command = command.current_dir(bench.network.folder.path());
    let ran = run(command, "typed by nobody");
    let output = bench.work.join(output);
    let errors = std::fs::read_to_string(output.join("stderr")).unwrap_or_default();
    assert_eq!(ran.status, 0, "{ran:?}{errors}");
    let found = std::fs::read_to_string(output.join("ways-out.json")).unwrap();
    let found: Value = serde_json::from_str(&found).unwrap();
    let found = found.as_object().unwrap();
    let rows = ESCAPE.lines().filter(|line| *line == "@row").count();
    assert_eq!(found.len(), rows);
    let open: Vec<_> = found.iter().filter(|(_, how)| !how.is_null()).collect();
    assert!(open.is_empty(), "open: {open:#?}");
    let stay = format!("{}.25", 100_000 + std::process::id());
    assert!(!is_running(&stay), "a process stayed behind");
}

/// The namespaces that this process is in.
fn namespaces() -> Value {
    ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
        .into_iter()
        .map(|name| {
            let own = std::fs::read_link(Path::new("/proc/self/ns").join(name)).unwrap();
            (name, json!(own))
        })
        .collect()
}

/// Whether a process with this argument runs.
fn is_running(argument: &str) -> bool {
    running(argument).is_some()
}

/// A process with this argument, in `/proc`.
fn running(argument: &str) -> Option<PathBuf> {
    let mut processes = Path::new("/proc").read_dir().unwrap().flatten();
    let found = processes.find(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|word| word == argument.as_bytes())
    });
    found.map(|process| process.path())
}

#[test]
fn an_analysis_runs_and_its_output_is_listed_hashed_and_handed_out() {
    let Some(bench) = Bench::start() else { return };
    bench.file("control.py", CONTROL);
    let source = bench.file("program.c", PROGRAM);
    let compiled = Command::new("cc")
        .arg(source)
        .arg("-o")
        .arg(bench.work.join("program"))
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("LEFT OUT: there is no C compiler");
    }
    let ran = bench.run(&[
        "--json",
        "--output",
        "results",
        "--",
        "python3",
        "control.py",
    ]);
    let output = bench.work.join("results");
    let errors = std::fs::read_to_string(output.join("stderr")).unwrap_or_default();
    assert_eq!(ran.status, 7, "{ran:?}{errors}");
    assert_eq!(errors, "a word of warning\n");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["exit_code"], 7);
    assert_eq!(told["files_with_rows"], 0, "{told}");
    assert!(told["reports"][0].is_u64(), "{told}");
    let files = told["files"].as_array().unwrap();
    for file in files {
        let path = output.join(file["path"].as_str().unwrap());
        let content = std::fs::read(path).unwrap();
        assert_eq!(file["size"], content.len());
        let hash = medshare_protocol::digest::sha256(&[&content]);
        assert_eq!(file["sha256"], json!(hash));
    }
    let names: Vec<_> = files
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    for name in [
        "stdout",
        "stderr",
        "tables/sex.csv",
        "tables/again.csv",
        "tables/pipeline.txt",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let rows = std::fs::read_to_string(output.join("stdout")).unwrap();
    assert!(rows.contains(" rows\n"), "{rows}");
    // The reports are the opening, reading, and the output.
    assert_eq!(bench.state(), "active");
    let again = bench.run(&["--output", "results", "--", "true"]);
    assert_eq!(again.status, 1);
    assert!(again.stderr.contains("exists already"), "{again:?}");
    bench.network.stop();
}

#[test]
fn rows_in_the_output_are_a_copy_and_nothing_is_handed_out() {
    let Some(bench) = Bench::start() else { return };
    let script = "head -3 $MEDSHARE_DATA > $MEDSHARE_OUTPUT/few.csv; tail -2 $MEDSHARE_DATA | tr , ';'; echo fine > $MEDSHARE_OUTPUT/fine";
    let checked = bench.run(&[
        "--check",
        "--json",
        "--patience-seconds",
        "100",
        "--",
        "sh",
        "-c",
        script,
    ]);
    assert_eq!(checked.status, 0, "{checked:?}");
    assert!(
        checked
            .stderr
            .contains("\"few.csv\" holds rows of the data: 2 lines"),
        "{checked:?}"
    );
    assert!(
        checked
            .stderr
            .contains("\"stdout\" holds rows of the data: 2 lines"),
        "{checked:?}"
    );
    assert!(!checked.stderr.contains("fine"), "{checked:?}");
    let told: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(told["output"], Value::Null, "{told}");
    let files = told["files"].as_array().unwrap().iter();
    let rows: BTreeMap<_, _> = files
        .map(|file| (file["path"].as_str().unwrap(), &file["rows"]))
        .collect();
    assert_eq!(rows["few.csv"], &json!([2]), "{told}");
    assert_eq!(rows["fine"], &json!([0]), "{told}");
    assert!(!bench.work.join("output").exists());
    assert_eq!(bench.state(), "active");
    let ran = bench.run(&["--", "sh", "-c", script]);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(
        ran.stderr
            .contains("\"few.csv\" holds rows of the data: 2 lines"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("`copy` is not permitted"), "{ran:?}");
    assert!(!bench.work.join("output").exists(), "nothing is handed out");
    assert_eq!(bench.state(), "revoked");
    bench.network.stop();
}

/// The node is stopped while the command runs, so that the report of its copy gets no answer.
#[test]
fn a_copy_is_told_of_truly_though_the_node_hangs() {
    let Some(bench) = Bench::start() else { return };
    let begin = bench.work.join("begin");
    let made = Command::new("mkfifo").arg(&begin).status().unwrap();
    assert!(made.success());
    let script = "head -3 $MEDSHARE_DATA; read word < /medshare/work/begin";
    let mut command = bench.command(&["--", "sh", "-c", script]);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = quiet.stderr(Stdio::piped()).spawn().unwrap();
    let mut begun = std::fs::File::options().write(true).open(&begin).unwrap();
    bench.network.signal(Signal::STOP);
    begun.write_all(b"on\n").unwrap();
    let mut words = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = words.find_map(|line| line.ok().filter(|line| line.contains("not permitted")));
    let said = said.unwrap();
    assert!(said.contains("nothing is handed out"), "{said}");
    assert!(said.contains("has not reached the node yet"), "{said}");
    assert!(!said.contains("access is revoked pending"), "{said}");
    bench.network.signal(Signal::CONT);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(!bench.work.join("output").exists());
    bench.network.stop();
}

#[test]
fn ctrl_c_kill_and_the_end_of_the_lease_end_the_command_and_all_that_it_started() {
    let Some(mut bench) = Bench::start() else {
        return;
    };
    // Reading from outside is no way out: it tells that the command has begun, and, by its end, that nothing is left.
    let begin = bench.work.join("begin");
    let made = Command::new("mkfifo").arg(&begin).status().unwrap();
    assert!(made.success());
    let mark = format!("{}.75", 200_000 + std::process::id());
    let script = format!("cat $MEDSHARE_DATA > $TMPDIR/all; sleep {mark} 3< begin");
    let patience = ["--patience-seconds", "100", "--", "sh", "-c", &script];
    let start = |bench: &Bench| {
        let mut command = bench.command(&patience);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = quiet.stderr(Stdio::piped()).spawn().unwrap();
        // Returns when the other end is opened.
        let begun = std::fs::File::options().write(true).open(&begin).unwrap();
        (child, begun)
    };
    let gone = |mut begun: std::fs::File| {
        // More than a pipe holds: waits for a reader, or for there to be none.
        let error = begun.write_all(&[0; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        assert!(!is_running(&mark), "the command goes on");
    };

    let (child, begun) = start(&bench);
    interrupt(&child);
    let ended = child.wait_with_output().unwrap();
    let words = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{words}");
    assert!(words.contains("nothing is handed out"), "{words}");
    gone(begun);

    let (mut child, begun) = start(&bench);
    child.kill().unwrap();
    child.wait().unwrap();
    gone(begun);

    let (child, begun) = start(&bench);
    bench.network.end(hang_up);
    let ended = child.wait_with_output().unwrap();
    let words = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(4), "{words}");
    assert!(words.contains("nothing is handed out: "), "{words}");
    gone(begun);
    assert!(!bench.work.join("output").exists());
}
