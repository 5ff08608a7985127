//! Programs that map the file.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use medshare_client::agent::Lock;
use medshare_protocol::usage::{Action, Actions, State};

use super::{AT_ONCE, mounted};
use crate::stage::within;

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
const SIGBUS: i32 = 7;

/// P19: access ends while the data is open, also for those who have it mapped.
#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_dies_within_a_second_of_a_revocation() {
    for kind in ["MAP_PRIVATE", "MAP_SHARED"] {
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
        assert!(revoked.elapsed() < AT_ONCE, "{:?}", revoked.elapsed());
        assert_eq!(mounted.agent.lock(), Some(Lock::Revoked));
        mounted.end().await;
    }
}

/// What a program writes to a shared mapping comes to us when the kernel writes it back.
const MAPPED_WRITE: &str = r#"
import mmap, os, sys
file = os.open(sys.argv[1], os.O_RDWR)
mapping = mmap.mmap(file, 0)
mapping[:3] = b"AGE"
mapping.flush()
mapping.close()
os.close(file)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn writing_to_a_mapping_is_a_write_where_it_is_granted_and_impossible_where_not() {
    for granted in [true, false] {
        let actions = [Action::Read, Action::Write];
        let Some(mounted) = mounted(&actions[..1 + usize::from(granted)]).await else {
            return;
        };
        let output = mounted
            .blocking(|data| {
                let mut python = Command::new("python3");
                python
                    .args(["-c", MAPPED_WRITE])
                    .arg(data)
                    .output()
                    .unwrap()
            })
            .await;
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), granted, "{words}");
        let begin = mounted.agent.bytes(0, 3).unwrap().to_vec();
        if granted {
            assert_eq!(begin, b"AGE");
            assert_eq!(mounted.reported()[1], Actions::NONE.with(Action::Write));
        } else {
            assert!(words.contains("No such device"), "{words}");
            assert_eq!(begin, b"age");
        }
        assert_eq!(mounted.agent.lock(), None);
        mounted.end().await;
    }
}
