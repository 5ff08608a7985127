//! P18: the six actions in a real file system.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use medshare_client::agent::{Agent, DATA_FILE, Lock};
use medshare_client::mount::{Mount, MountError};
use medshare_protocol::usage::{Action, Actions, State};

use crate::stage::{PAYLOAD, Stage, within};

struct Mounted {
    stage: Stage,
    agent: Agent,
    at: PathBuf,
    mount: Mount,
}

/// A mounted package; nothing where the machine has no FUSE, which is then what mounting must say.
async fn mounted(granted: &[Action]) -> Option<Mounted> {
    let stage = Stage::granting(granted).await;
    let agent = stage.open().await.unwrap();
    let at = stage.path("mounted");
    fs::create_dir(&at).unwrap();
    match Mount::new(&agent, &at) {
        Ok(mount) => Some(Mounted {
            stage,
            agent,
            at,
            mount,
        }),
        Err(MountError::NoFuse) => {
            println!("LEFT OUT: this machine has no /dev/fuse");
            assert!(!Path::new("/dev/fuse").exists());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

impl Mounted {
    /// Does what blocks while the kernel waits for us.
    async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Path) -> T + Send + 'static,
    ) -> T {
        let data = self.at.join(DATA_FILE);
        tokio::task::spawn_blocking(move || act(&data))
            .await
            .unwrap()
    }

    fn reported(&self) -> Vec<Actions> {
        self.stage.node.reported()[1..].to_vec()
    }

    async fn end(self) {
        let at = self.at.clone();
        within(self.mount.end()).await.unwrap();
        assert_eq!(fs::read_dir(at).unwrap().count(), 0, "unmounted");
    }
}

fn one(action: Action) -> Vec<Actions> {
    vec![Actions::NONE.with(action)]
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_reported_once_per_open() {
    let Some(mounted) = mounted(&[Action::Read]).await else {
        return;
    };
    mounted
        .blocking(|data| {
            let listed: Vec<_> = fs::read_dir(data.parent().unwrap())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            assert_eq!(listed, [DATA_FILE]);
            assert_eq!(fs::metadata(data).unwrap().len(), PAYLOAD.len() as u64);
        })
        .await;
    assert!(mounted.reported().is_empty(), "looking is not reading");
    mounted
        .blocking(|data| {
            let mut file = fs::File::open(data).unwrap();
            let mut byte = [0];
            for expected in PAYLOAD {
                file.read_exact(&mut byte).unwrap();
                assert_eq!(byte[0], *expected);
            }
            assert_eq!(file.read(&mut byte).unwrap(), 0);
        })
        .await;
    assert_eq!(mounted.reported(), one(Action::Read));
    assert_eq!(
        mounted.stage.node.body(2).ranges,
        [(0, PAYLOAD.len() as u64)]
    );
    let status = mounted
        .blocking(|data| Command::new("cat").arg(data).output().unwrap())
        .await;
    assert_eq!(status.stdout, PAYLOAD);
    assert_eq!(mounted.stage.node.body(3).program.as_deref(), Some("cat"));
    mounted.end().await;
}

/// An attempt, and which action it is.
type Attempt = (Action, fn(&Path) -> std::io::Result<()>);

const ATTEMPTS: [Attempt; 7] = [
    (Action::Read, |data| fs::read(data).map(drop)),
    (Action::Write, |data| {
        fs::OpenOptions::new()
            .write(true)
            .open(data)?
            .write_all(b"x")
    }),
    (Action::Write, |data| {
        fs::OpenOptions::new().write(true).open(data)?.set_len(1)
    }),
    (Action::Delete, |data| fs::remove_file(data)),
    (Action::Duplicate, |data| {
        fs::hard_link(data, data.with_extension("second"))
    }),
    (Action::Move, |data| {
        fs::rename(data, data.with_extension("moved"))
    }),
    (Action::Duplicate, |data| {
        // `std::fs::copy` and `cp` use copy_file_range.
        let mut from = fs::File::open(data)?;
        let mut to = fs::File::create_new(data.with_extension("copy"))?;
        std::io::copy(&mut from, &mut to).map(drop)
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_fails_with_eacces_is_reported_and_locks() {
    for (action, attempt) in ATTEMPTS {
        // The last attempt has to open the data before it can duplicate it.
        let granted: Vec<Action> = Action::SIX.into_iter().filter(|it| *it != action).collect();
        let Some(mounted) = mounted(&granted).await else {
            return;
        };
        let refused = mounted.blocking(attempt).await.unwrap_err();
        assert_eq!(
            refused.kind(),
            ErrorKind::PermissionDenied,
            "{action}: {refused}"
        );
        assert_eq!(mounted.agent.lock(), Some(Lock::Violation(action)));
        within(mounted.agent.told()).await;
        assert_eq!(mounted.reported().last(), one(action).last(), "{action}");
        let again = mounted.blocking(|data| fs::read(data)).await.unwrap_err();
        assert_eq!(
            again.kind(),
            ErrorKind::PermissionDenied,
            "{action}: {again}"
        );
        mounted.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_done_and_reported() {
    for (action, attempt) in ATTEMPTS {
        let Some(mounted) = mounted(&[action, Action::Read]).await else {
            return;
        };
        mounted
            .blocking(attempt)
            .await
            .unwrap_or_else(|error| panic!("{action}: {error}"));
        assert_eq!(mounted.reported().last(), one(action).last(), "{action}");
        let names = mounted
            .blocking(|data| {
                ["csv", "second", "moved", "copy"]
                    .map(|end| fs::read(data.with_extension(end)).ok())
            })
            .await;
        let whole = Some(PAYLOAD.to_vec());
        match action {
            Action::Delete => assert_eq!(names, [None, None, None, None]),
            Action::Move => assert_eq!(names, [None, None, whole, None]),
            Action::Read => assert_eq!(names, [whole, None, None, None]),
            Action::Duplicate => assert!(names[1] == whole || names[3] == whole),
            _ => assert_ne!(names[0], whole),
        }
        mounted.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_closes_files_that_are_open() {
    let Some(mounted) = mounted(&[Action::Read, Action::Duplicate]).await else {
        return;
    };
    let (file, second) = mounted
        .blocking(|data| {
            let second = data.with_extension("second");
            fs::hard_link(data, &second).unwrap();
            (
                fs::File::open(data).unwrap(),
                fs::File::open(second).unwrap(),
            )
        })
        .await;
    mounted.agent.close();
    for mut file in [file, second] {
        let read = tokio::task::spawn_blocking(move || file.read(&mut [0; 8]));
        // The second file is wiped by a task of its own: it may still be there, but not for long.
        let mut outcome = read.await.unwrap();
        while let Ok(read) = outcome {
            assert!(read <= 8);
            outcome = mounted
                .blocking(|data| fs::read(data.with_extension("second")).map(|bytes| bytes.len()))
                .await;
        }
    }
    mounted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_may_keep_files_of_their_own_beside_the_data() {
    let Some(mounted) = mounted(&[Action::Read]).await else {
        return;
    };
    mounted
        .blocking(|data| {
            let notes = data.with_file_name("notes.txt");
            fs::write(&notes, b"mean age 50").unwrap();
            fs::OpenOptions::new()
                .append(true)
                .open(&notes)
                .unwrap()
                .write_all(b"!")
                .unwrap();
            fs::rename(&notes, data.with_file_name("result.txt")).unwrap();
            let result = data.with_file_name("result.txt");
            assert_eq!(fs::read(&result).unwrap(), b"mean age 50!");
            assert_eq!(
                fs::rename(&result, data).unwrap_err().kind(),
                ErrorKind::AlreadyExists
            );
            fs::remove_file(&result).unwrap();
            assert!(!result.exists());
        })
        .await;
    assert_eq!(mounted.agent.lock(), None);
    assert!(
        mounted.reported().is_empty(),
        "what is not the data is nobody's business"
    );
    mounted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_held_by_a_program_goes_all_the_same() {
    let Some(mounted) = mounted(&[Action::Read]).await else {
        return;
    };
    let mut held = mounted.blocking(|data| fs::File::open(data).unwrap()).await;
    mounted.agent.close();
    mounted.end().await;
    let read = tokio::task::spawn_blocking(move || held.read(&mut [0; 8]));
    assert!(
        read.await.unwrap().is_err(),
        "and what it holds of it fails"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_empty_folder_is_mounted_on() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    for at in [
        stage.path("nowhere"),
        stage.folder.path().to_owned(),
        stage.opening.journal.clone(),
    ] {
        let refused = Mount::new(&agent, &at).unwrap_err();
        assert!(
            matches!(refused, MountError::NotAnEmptyFolder { .. }),
            "{refused}"
        );
    }
}

/// Maps the file, says so, and touches the mapping until that kills it.
const MAPPING: &str = r#"
import mmap, os, sys, time
file = os.open(sys.argv[1], os.O_RDONLY)
mapping = mmap.mmap(file, 0, getattr(mmap, sys.argv[2]), mmap.PROT_READ)
assert mapping[:4] == b"age,"
print("mapped", flush=True)
while mapping[:4] == b"age,":
    time.sleep(0.005)
"#;
/// How long after a revocation a mapping may be read.
const REVOKED_WITHIN: Duration = Duration::from_secs(1);
const SIGBUS: i32 = 7;

/// P19: access ends while the data is open, also for those who have it mapped.
#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_dies_within_a_second_of_a_revocation() {
    for kind in ["MAP_PRIVATE"] {
        let Some(mounted) = mounted(&[Action::Read, Action::Duplicate]).await else {
            return;
        };
        let children = mounted
            .blocking(move |data| {
                let second = data.with_extension("second");
                fs::hard_link(data, &second).unwrap();
                [data, &second].map(|file| {
                    let mut child = Command::new("python3")
                        .args(["-c", MAPPING])
                        .arg(file)
                        .arg(kind)
                        // Where the system writes core dumps, it must not be into the repository.
                        .current_dir(std::env::temp_dir())
                        .stdout(Stdio::piped())
                        .spawn()
                        .unwrap();
                    let mut line = String::new();
                    let stdout = child.stdout.as_mut().unwrap();
                    BufReader::new(stdout).read_line(&mut line).unwrap();
                    assert_eq!(line, "mapped\n");
                    child
                })
            })
            .await;
        mounted
            .stage
            .ledger
            .tell(|told| told.state = State::Revoked);
        let revoked = Instant::now();
        mounted.stage.clock.advance(Duration::from_secs(20));
        for mut child in children {
            let waiting = tokio::task::spawn_blocking(move || child.wait().unwrap());
            let status = within(waiting).await.unwrap();
            assert_eq!(status.signal(), Some(SIGBUS), "{kind}: {status}");
        }
        assert!(
            revoked.elapsed() < REVOKED_WITHIN,
            "{:?}",
            revoked.elapsed()
        );
        assert_eq!(mounted.agent.lock(), Some(Lock::Revoked));
        mounted.end().await;
    }
}

/// P19: the program that tried is told at once, whatever the node does.
#[tokio::test(flavor = "multi_thread")]
async fn a_violation_fails_at_once_though_the_node_hangs() {
    let Some(mounted) = mounted(&[Action::Read]).await else {
        return;
    };
    mounted.stage.node.script().hangs = true;
    let tried = Instant::now();
    let refused = mounted.blocking(|data| fs::remove_file(data)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert!(tried.elapsed() < REVOKED_WITHIN, "{:?}", tried.elapsed());
    assert_eq!(mounted.agent.lock(), Some(Lock::Violation(Action::Delete)));
    mounted.end().await;
}
