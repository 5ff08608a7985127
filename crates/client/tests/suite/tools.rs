//! P18: what people really use, each granted and not: the table of SPEC §5.2 as programs live it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use medshare_client::agent::Lock;
use medshare_client::mount::{Mount, MountError};
use medshare_protocol::usage::{Action, Actions};

use crate::stage::{Stage, within};

use Action::{Delete, Duplicate, Move, Read, Write};

/// A program, what it does in the mounted folder, and which actions that is. `$OUT` is a folder elsewhere. The last action is
/// the one that is left out when it is tried again, and then the violation.
type Case = (&'static str, &'static str, &'static [Action]);

const CASES: [Case; 33] = [
    ("cat", "cat data.csv", &[Read]),
    ("grep", "grep -c F data.csv", &[Read]),
    ("less", "less data.csv", &[Read]),
    ("cp", "cp data.csv $OUT/a", &[Read]),
    ("cp", "cp data.csv b.csv", &[Read, Duplicate]),
    (
        "cp",
        "cp --reflink=never --sparse=always data.csv b.csv",
        &[Read, Duplicate],
    ),
    ("mv", "mv data.csv b.csv", &[Move]),
    ("mv", "mv data.csv $OUT/a", &[Read, Delete]),
    ("rm", "rm data.csv", &[Delete]),
    ("ln", "ln data.csv b.csv", &[Duplicate]),
    ("rsync", "rsync data.csv $OUT/a", &[Read]),
    ("rsync", "rsync data.csv b.csv", &[Read, Duplicate]),
    (
        "rsync",
        "echo x > $OUT/a; rsync $OUT/a data.csv",
        &[Read, Write],
    ),
    ("tar", "tar cf $OUT/a data.csv", &[Read]),
    ("tar", "tar cf b.tar data.csv", &[Read, Duplicate]),
    ("dd", "dd if=data.csv of=$OUT/a", &[Read]),
    ("dd", "dd if=data.csv of=b.csv bs=7", &[Read, Duplicate]),
    (
        "dd",
        "dd if=/dev/zero of=data.csv bs=1 count=3 conv=notrunc",
        &[Write],
    ),
    ("sh", "cat data.csv | cat > b.csv", &[Read, Duplicate]),
    ("sh", "echo x > data.csv", &[Write]),
    ("sh", "echo x >> data.csv", &[Write]),
    ("truncate", "truncate -s 3 data.csv", &[Write]),
    ("fallocate", "fallocate -l 64 data.csv", &[Read, Write]),
    ("sed", "sed -i s/E11/E12/ data.csv", &[Read, Write]),
    (
        "python3",
        "python3 -c 'import shutil; b = open(\"b.csv\", \"w\"); shutil.copyfileobj(open(\"data.csv\"), b); b.close()'",
        &[Read, Duplicate],
    ),
    (
        "python3",
        "python3 -c 'import shutil; shutil.copyfile(\"data.csv\", \"b.csv\")'",
        &[Read, Duplicate],
    ),
    (
        "python3",
        "python3 -c 'import shutil; shutil.move(\"data.csv\", \"b.csv\")'",
        &[Move],
    ),
    (
        "Rscript",
        "Rscript -e 'd <- read.csv(\"data.csv\"); stopifnot(nrow(d) > 0)'",
        &[Read],
    ),
    (
        "Rscript",
        "Rscript -e 'options(warn = 2); d <- read.csv(\"data.csv\"); write.csv(d, \"b.csv\", row.names = FALSE)'",
        &[Read, Duplicate],
    ),
    (
        "pandas",
        "python3 -c 'import pandas; assert len(pandas.read_csv(\"data.csv\"))'",
        &[Read],
    ),
    (
        "pandas",
        "python3 -c 'import pandas; pandas.read_csv(\"data.csv\").to_csv(\"data.csv\")'",
        &[Read, Write],
    ),
    (
        "duckdb",
        "python3 -c 'import duckdb; assert duckdb.read_csv(\"data.csv\").fetchall()'",
        &[Read],
    ),
    (
        "vim",
        "vim -es -u NONE -i NONE -n -c 'set nowritebackup' -c '1s/age/AGE/' -c wq data.csv",
        &[Read, Write],
    ),
];

/// Programs that only look, and are told so by the table's first rows.
const NOTHING: &str = "ls -l; stat data.csv; test -r data.csv; du -a; find . -type f";

struct Tried {
    stage: Stage,
    lock: Option<Lock>,
    output: Output,
}

impl Tried {
    fn reported(&self) -> Actions {
        let reports = self.stage.node.reported();
        let all = reports[1..].iter().flat_map(|actions| actions.iter());
        all.collect()
    }
}

/// Does `script` in a mounted folder where `granted` is; nothing where the machine has no FUSE.
async fn tried(script: &'static str, granted: &[Action]) -> Option<Tried> {
    let stage = Stage::granting(granted).await;
    let agent = stage.open().await.unwrap();
    let (at, elsewhere) = (stage.path("mounted"), stage.path("elsewhere"));
    fs::create_dir(&at).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    let mount = match Mount::new(&agent, &at) {
        Ok(mount) => mount,
        Err(MountError::NoFuse) => return None,
        Err(error) => panic!("{error}"),
    };
    let running = tokio::task::spawn_blocking(move || {
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).env("OUT", elsewhere);
        shell.current_dir(at).output().unwrap()
    });
    let output = within(running).await.unwrap();
    // A file that was closed may be looked at only after its program has gone.
    within(mount.end()).await.unwrap();
    within(agent.told()).await;
    Some(Tried {
        lock: agent.lock(),
        stage,
        output,
    })
}

/// A program in PATH, or a library of Python's.
fn is_there(program: &str) -> bool {
    if ["pandas", "duckdb"].contains(&program) {
        let import = format!("import {program}");
        let imported = Command::new("python3").args(["-c", &import]).output();
        return imported.is_ok_and(|output| output.status.success());
    }
    let paths = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&paths).any(|path| path.join(program).exists())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tool_does_what_the_table_says_and_is_refused_where_that_is_not_granted() {
    if !Path::new("/dev/fuse").exists() {
        println!("LEFT OUT: this machine has no /dev/fuse");
        return;
    }
    for (program, script, actions) in CASES {
        if !is_there(program) {
            println!("LEFT OUT: this machine has no {program}");
            continue;
        }
        let done = tried(script, actions).await.unwrap();
        let output = &done.output;
        assert!(
            output.status.success(),
            "{script}: {output:?} {:?}",
            done.lock
        );
        let expected: Actions = actions.iter().copied().collect();
        assert_eq!(done.reported(), expected, "{script}");
        let peaceful = done.lock.as_ref().is_some_and(Lock::is_peaceful);
        assert!(peaceful, "{script}: {:?}", done.lock);

        let (left_out, granted) = actions.split_last().unwrap();
        // Where writing is not granted either, nothing can take the data's place: what is about to is a duplicate.
        let violation = match program {
            "sed" => Duplicate,
            _ => *left_out,
        };
        let refused = tried(script, granted).await.unwrap();
        let output = &refused.output;
        assert_eq!(
            refused.lock,
            Some(Lock::Violation(violation)),
            "{script}: {output:?}"
        );
        let expected = granted.iter().copied().chain([violation]).collect();
        assert_eq!(refused.reported(), expected, "{script}");
        // less shows what it is told in place of the file, and is content.
        let told = !output.status.success() || program == "less";
        assert!(told, "{script}: {output:?}");
    }
    // Not installed where this was written: each reads with the calls that python3 and grep make.
    for program in ["Rscript", "duckdb"] {
        println!("LEFT OUT: {program}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_is_not_reading() {
    let Some(done) = tried(NOTHING, &[]).await else {
        println!("LEFT OUT: this machine has no /dev/fuse");
        return;
    };
    assert!(done.output.status.success(), "{:?}", done.output);
    assert_eq!(done.reported(), Actions::NONE);
    assert_eq!(done.lock, Some(Lock::Closed));
}
