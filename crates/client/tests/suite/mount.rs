//! P18: the six actions in a real file system.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use medshare_client::agent::{Agent, DATA_FILE, Deed, Lock};
use medshare_client::mount::{Mount, MountError};
use medshare_protocol::usage::{Action, Actions};

use crate::stage::{PAYLOAD, Stage, within};

mod accounts;
mod ahead;
mod mapping;
mod saving;

/// How soon after a revocation, or an attempt, what must happen has happened.
const AT_ONCE: Duration = Duration::from_secs(1);

struct Mounted {
    stage: Stage,
    agent: Agent,
    at: PathBuf,
    mount: Mount,
}

/// A mounted package; nothing where the machine has no FUSE, which is then what mounting must say.
async fn mounted(granted: &[Action]) -> Option<Mounted> {
    mounted_stage(Stage::granting(granted).await).await
}

async fn mounted_stage(stage: Stage) -> Option<Mounted> {
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

/// What is moved there would go with the data, and the package with the move.
#[tokio::test(flavor = "multi_thread")]
async fn the_data_is_not_moved_into_the_folder_that_shows_it() {
    let Some(mounted) = mounted(&[Action::Move, Action::Duplicate]).await else {
        return;
    };
    let to = mounted.at.join("moved.csv");
    let tried = mounted.agent.act(Deed::Move { to: to.clone() }, None);
    let refused = within(tried).await.unwrap_err();
    assert!(
        refused.to_string().contains("move it elsewhere"),
        "{refused}"
    );
    assert_eq!(mounted.agent.lock(), None);
    assert!(mounted.reported().is_empty(), "nothing was done");
    let gone = mounted.blocking(move |_| !to.exists()).await;
    assert!(gone && mounted.stage.path("package.mds").exists());
    let to = mounted.stage.path("elsewhere.csv");
    within(mounted.agent.act(Deed::Move { to: to.clone() }, None))
        .await
        .unwrap();
    assert!(to.exists());
    mounted.end().await;
}

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
            let mut open = fs::File::open(&result).unwrap();
            fs::remove_file(&result).unwrap();
            assert!(!result.exists());
            let mut left = String::new();
            open.read_to_string(&mut left).unwrap();
            assert_eq!(left, "mean age 50!", "what is open stays");
            // A folder of files, and of these alone.
            for refused in [
                fs::create_dir(data.with_file_name("folder")),
                std::os::unix::fs::symlink("data.csv", data.with_file_name("link")),
            ] {
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
            }
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
    assert!(tried.elapsed() < AT_ONCE, "{:?}", tried.elapsed());
    assert_eq!(mounted.agent.lock(), Some(Lock::Violation(Action::Delete)));
    mounted.end().await;
}

/// Another user's process, with no right but what fusermount3 lends: this very test binary, run anew as `nobody`.
#[tokio::test]
async fn an_ordinary_user_mounts_through_fusermount3() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let device = fs::metadata("/dev/fuse").map(|device| device.permissions().mode() & 0o006);
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root || device.ok() != Some(0o006) || !has("fusermount3") || !has("setpriv") {
        println!("LEFT OUT: needs root, /dev/fuse with mode 0666, fusermount3 and setpriv");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Where it was built nobody may look.
    let binary = folder.path().join("suite");
    fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&binary)
        .args([
            "--exact",
            "mount::what_is_not_granted_fails_with_eacces_is_reported_and_locks",
        ])
        .arg("--nocapture")
        .env("TMPDIR", folder.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(
        words.contains("1 passed") && !words.contains("LEFT OUT"),
        "{words}"
    );
}
