//! P18: programs of the requestor's own in the sandbox: R, pandas, DuckDB, and folders that are shown.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::program::succeed;
use super::run::Bench;
use super::session;

/// The tools of the trade, as they are installed: R of the system, pandas and DuckDB of wherever `python3` has them.
#[test]
fn r_pandas_and_duckdb_read_the_data_in_the_sandbox() {
    let Some(bench) = Bench::start() else { return };
    let script = "d <- read.csv(Sys.getenv('MEDSHARE_DATA')); cat(nrow(d), sum(d$sex == 'F'))";
    let (mut said, mut left_out) = (Vec::new(), 0);
    match Path::new("/usr/bin/Rscript").exists() {
        true => said.push(bench.said(&[], &["Rscript", "-e", script])),
        false => left_out += 1,
    }
    // An interpreter of one's own lies where the sandbox shows nothing, unless it is told to.
    let show = python_folders();
    let show: Vec<&str> = show.iter().map(|folder| folder.to_str().unwrap()).collect();
    for (library, script) in [
        (
            "pandas",
            "import os, pandas; d = pandas.read_csv(os.environ['MEDSHARE_DATA']); print(len(d), (d.sex == 'F').sum(), end='')",
        ),
        (
            "duckdb",
            "import os, duckdb; d = duckdb.read_csv(os.environ['MEDSHARE_DATA']); print(*duckdb.sql(\"select count(*), count(*) filter (sex = 'F') from d\").fetchall()[0], end='')",
        ),
    ] {
        let import = format!("import {library}");
        let there = Command::new("python3").args(["-c", &import]).output();
        match there.is_ok_and(|output| output.status.success()) {
            true => said.push(bench.said(&show, &[&python(), "-c", script])),
            false => left_out += 1,
        }
    }
    println!("LEFT OUT: {left_out} of R, pandas and DuckDB, which are not here");
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
    assert!(said.iter().all(|said| said.contains(' ')), "{said:?}");
    bench.network.stop();
}

impl Bench {
    /// What a command prints.
    fn said(&self, show: &[&str], command: &[&str]) -> String {
        let show = match show {
            [] => Vec::new(),
            show => [&["--show"], show].concat(),
        };
        let output = format!("said-{}", self.work.read_dir().unwrap().count());
        let ran = self.run(&[&show[..], &["--output", &output, "--"], command].concat());
        let read = |name: &str| std::fs::read_to_string(self.work.join(&output).join(name));
        assert_eq!(ran.status, 0, "{ran:?} {:?}", read("stderr"));
        read("stdout").unwrap()
    }
}

/// The interpreter that `python3` stands for.
fn python() -> String {
    said_by_python("import sys; print(sys.executable, end='')")
}

/// What it needs besides /usr.
fn python_folders() -> Vec<PathBuf> {
    let folders =
        said_by_python("import sys; print(*{sys.prefix, sys.base_prefix}, sep='\\n', end='')");
    let folders = folders.lines().map(PathBuf::from);
    folders
        .filter(|folder| !folder.starts_with("/usr"))
        .collect()
}

fn said_by_python(script: &str) -> String {
    let ran = Command::new("python3")
        .args(["-c", script])
        .output()
        .unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_folder_of_programs_is_shown_read_only_when_it_is_named() {
    let Some(bench) = Bench::start() else { return };
    let tools = bench.network.folder.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    let program = tools.join("mine");
    std::fs::write(
        &program,
        "#!/bin/sh\nwc -l < $MEDSHARE_DATA\ntouch $(dirname $0)/left\n",
    )
    .unwrap();
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let (tools, program) = (tools.to_str().unwrap(), program.to_str().unwrap());
    let unseen = bench.run(&["--output", "unseen", "--", program]);
    assert_eq!(unseen.status, 127, "{unseen:?}");
    let shown = bench.run(&["--output", "shown", "--show", tools, "--", program]);
    assert_eq!(shown.status, 1, "the program cannot write there: {shown:?}");
    let said = std::fs::read_to_string(bench.work.join("shown/stdout")).unwrap();
    assert!(
        said.trim().parse::<u32>().is_ok_and(|lines| lines > 100),
        "{said}"
    );
    assert!(!Path::new(tools).join("left").exists());
    // Nothing was opened for what is not shown.
    let home = bench.alice.to_str().unwrap();
    let secret = bench.run(&["--output", "secret", "--show", home, "--", "true"]);
    assert_eq!(secret.status, 1, "{secret:?}");
    assert!(
        secret.stderr.contains("which no command needs to see"),
        "{secret:?}"
    );
    let missing = bench.run(&["--output", "missing", "--show", "nowhere", "--", "true"]);
    assert!(
        missing.stderr.contains("cannot show nowhere"),
        "{missing:?}"
    );
    bench.network.stop();
}

#[test]
fn packages_are_read_side_by_side_and_each_is_told_of_the_output() {
    let Some(bench) = Bench::start() else { return };
    let requestor = |arguments: &[&str]| {
        let mut command = bench.network.as_requestor(&bench.alice);
        succeed(command.args(arguments)).trim().to_owned()
    };
    let select = ["--fields", "sex,icd10,medication,creatinine"];
    let dataset = bench.network.dataset();
    let other = requestor(&[&["request", &dataset, "--purpose", "HRESCH"], &select[..]].concat());
    requestor(&["download", &other]);
    let script = format!(
        "head -1 $MEDSHARE_DATA | tr , '\\n' | wc -l; head -1 /medshare/{other}/data.csv | tr , '\\n' | wc -l"
    );
    let command = ["--packages", &other, "--json", "--", "sh", "-c", &script];
    let ran = bench.run(&command);
    assert_eq!(ran.status, 0, "{ran:?}");
    let said = std::fs::read_to_string(bench.work.join("output/stdout")).unwrap();
    let columns: Vec<u32> = said
        .lines()
        .map(|line| line.trim().parse().unwrap())
        .collect();
    assert_eq!(columns, [11, 4]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["packages"], json!([bench.package, other]));
    for report in told["reports"].as_array().unwrap() {
        assert!(report.as_u64().is_some_and(|number| number > 1), "{told}");
    }
    // Rows of the second are a copy of the second.
    let script = format!("head -3 /medshare/{other}/data.csv > $MEDSHARE_OUTPUT/rows");
    let ran = bench.run(&[
        "--output",
        "rows",
        "--packages",
        &other,
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(!bench.work.join("rows").exists());
    let listed = session::json(bench.network.as_requestor(&bench.alice).arg("packages"));
    let state = |package: &str| {
        let mut listed = listed.as_array().unwrap().iter();
        listed.find(|listed| listed["package"] == *package).unwrap()["state"].clone()
    };
    assert_eq!(
        (state(&bench.package), state(&other)),
        (json!("active"), json!("revoked"))
    );
    bench.network.stop();
}
