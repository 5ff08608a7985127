//! P18, SPEC §5.3: what a command writes is held back until the custodian releases it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::program::{Ran, run, succeed};
use super::run::Bench;
use super::session;

const ANALYSIS: &str = "import csv, os, collections
rows = list(csv.DictReader(open(os.environ['MEDSHARE_DATA'])))
counts = collections.Counter(row['sex'] for row in rows)
with open(os.environ['MEDSHARE_OUTPUT'] + '/secret-name.csv', 'w') as out:
    for sex in sorted(counts):
        print('group', sex, counts[sex], sep=',', file=out)
";

/// The people of one custodian, and the requestor.
struct Held(Bench);

impl Held {
    fn requestor(&self, arguments: &[&str]) -> Ran {
        run(
            self.0.network.as_requestor(&self.0.alice).args(arguments),
            "",
        )
    }

    fn custodian(&self, arguments: &[&str]) -> Command {
        let config = self.0.network.fact("/custodians/0/config");
        let mut command = self.0.network.as_custodian();
        command
            .arg("custodian")
            .args(arguments)
            .args(["--config", &config]);
        command
    }

    fn outputs(&self, arguments: &[&str]) -> Command {
        self.custodian(&[&["outputs"], arguments].concat())
    }

    /// Runs a command whose output must be held back; its number.
    fn hold(&self, command: &[&str]) -> (String, Value) {
        let ran = self.0.run(&[&["--json", "--"], command].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(told["held"]["package"], self.0.package, "{told}");
        for what in ["output", "files", "files_with_rows", "cut"] {
            assert_eq!(told[what], Value::Null, "{what}");
        }
        assert!(!self.0.work.join("output").exists());
        assert!(!ran.stdout.contains("secret-name") && !ran.stderr.contains("secret-name"));
        (told["held"]["number"].to_string(), told)
    }
}

/// Whether `needle` is in a file somewhere below `folder`, or in a file's name.
fn is_below(folder: &Path, needle: &str) -> bool {
    folder.read_dir().unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let named = path.file_name().unwrap().to_string_lossy().contains(needle);
        let within = || match path.is_dir() {
            true => is_below(&path, needle),
            false => std::fs::read(&path).is_ok_and(|bytes| {
                bytes
                    .windows(needle.len())
                    .any(|window| window == needle.as_bytes())
            }),
        };
        named || within()
    })
}

#[test]
fn an_output_is_the_requestors_once_the_custodian_has_released_it() {
    let Some(bench) = Bench::with(&["--environment", "sandbox-held"]) else {
        return;
    };
    let held = Held(bench);
    let bench = &held.0;
    bench.file("analysis.py", ANALYSIS);
    let (number, told) = held.hold(&["python3", "analysis.py"]);
    assert_eq!(
        (&told["files"], &told["output"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        !is_below(&bench.alice, "secret-name"),
        "it is kept in clear"
    );

    // Nobody has decided.
    let package = bench.package.as_str();
    let list = || held.requestor(&["outputs", "list", package]).stdout;
    assert!(
        list().contains("waits for the custodian's decision"),
        "{}",
        list()
    );
    let early = held.requestor(&["outputs", "fetch", package, &number, "--output", "early"]);
    assert_eq!(early.status, 1, "{early:?}");
    assert!(early.stderr.contains("has not decided"), "{early:?}");

    // The custodian looks.
    let waiting = session::json(&mut held.outputs(&["list", "--waiting"]));
    assert_eq!(waiting[0]["held"]["number"].to_string(), number);
    let shown = session::json(&mut held.outputs(&["show", package, &number, "--save", "look"]));
    let names: Vec<_> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["path"])
        .collect();
    assert_eq!(names, ["secret-name.csv", "stderr", "stdout"]);
    assert_eq!(shown[0]["input_rows"], 0);
    let look = bench.network.folder.path().join("look/secret-name.csv");
    let looked = std::fs::read_to_string(look).unwrap();
    assert!(looked.starts_with("group,"), "{looked}");
    let again = run(
        &mut held.outputs(&["show", package, &number, "--save", "look"]),
        "",
    );
    assert_eq!(
        again.status, 1,
        "a folder that is there is not written into: {again:?}"
    );
    let reports = session::json(&mut held.custodian(&["reports", package]));
    let last = reports.as_array().unwrap().last().unwrap();
    assert_eq!(last["number"].to_string(), number);
    assert_eq!(last["body"]["outputs"][0]["path"], "secret-name.csv");
    assert!(last["body"]["held"].is_string(), "{last}");
    let text = succeed(&mut held.custodian(&["reports", package]));
    assert!(text.contains("held back"), "{text}");

    // Released, once and for all.
    succeed(&mut held.outputs(&["release", package, &number, "--reason", "well done"]));
    for decision in [&["release"][..], &["refuse", "--reason", "no"]] {
        let late = [&decision[..1], &[package, &number], &decision[1..]].concat();
        let ran = run(&mut held.outputs(&late), "");
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.stderr.contains("decided before"), "{ran:?}");
    }
    assert!(list().contains("released: \"well done\""), "{}", list());
    let fetched = held.requestor(&["outputs", "fetch", package, &number, "--output", "mine"]);
    assert_eq!(fetched.status, 0, "{fetched:?}");
    let mine = bench.network.folder.path().join("mine/secret-name.csv");
    assert_eq!(std::fs::read_to_string(mine).unwrap(), looked);

    rows_are_named_and_refused(&held);
    nothing_is_told_of_what_is_held_back(&held);
    held.0.network.stop();
}

/// Rows in what is held back are no copy, since nothing has left; the custodian is told of them.
fn rows_are_named_and_refused(held: &Held) {
    let package = held.0.package.as_str();
    let (number, told) = held.hold(&["sh", "-c", "head -5 $MEDSHARE_DATA > $MEDSHARE_OUTPUT/rows"]);
    assert_eq!(
        told["files_with_rows"],
        Value::Null,
        "nothing is told of it"
    );
    assert_eq!(held.0.state(), json!("active"));
    let shown = succeed(&mut held.outputs(&["show", package, &number]));
    assert!(
        shown.contains("\"rows\"") && shown.contains("4 rows of the data"),
        "{shown}"
    );
    succeed(&mut held.outputs(&["refuse", package, &number, "--reason", "these are persons"]));
    let fetched = held.requestor(&["outputs", "fetch", package, &number, "--output", "rows"]);
    assert_eq!(fetched.status, 1, "{fetched:?}");
    assert!(fetched.stderr.contains("these are persons"), "{fetched:?}");
    assert!(!held.0.network.folder.path().join("rows").exists());
    let none = held.requestor(&["outputs", "fetch", package, "9999", "--output", "none"]);
    assert!(none.stderr.contains("was given away from here"), "{none:?}");
    let open = held.requestor(&["open", package]);
    assert_eq!(open.status, 1, "{open:?}");
    // An honest client that runs twice is told of nowhere.
    let findings = session::json(&mut held.custodian(&["findings"]));
    assert_eq!(findings, json!([]));
}

/// Names are the command's, and as good a way out as contents.
fn nothing_is_told_of_what_is_held_back(held: &Held) {
    let bench = &held.0;
    let rows = "cd $MEDSHARE_OUTPUT; head -3 $MEDSHARE_DATA > secret-name";
    let checked = bench.run(&["--check", "--", "sh", "-c", rows]);
    assert_eq!(checked.status, 1, "{checked:?}");
    assert!(checked.stderr.contains("without --check"), "{checked:?}");
    let odd = "cd $MEDSHARE_OUTPUT; touch secret-name-$(printf '\\377')";
    let lost = bench.run(&["--", "sh", "-c", odd]);
    assert_eq!(lost.status, 1, "{lost:?}");
    assert!(lost.stderr.contains("cannot be held back"), "{lost:?}");
    for ran in [&checked, &lost] {
        assert!(!ran.stdout.contains("secret-name") && !ran.stderr.contains("secret-name"));
    }
    let reports = session::json(&mut held.custodian(&["reports", &bench.package]));
    let last = &reports.as_array().unwrap().last().unwrap()["body"];
    assert!(last["comment"].as_str().unwrap().contains("lost"), "{last}");
    assert!(
        last["outputs"].to_string().contains("secret-name"),
        "{last}"
    );
}
