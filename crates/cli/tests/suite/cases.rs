//! Cases as data (`tests/cases/*.toml`): arguments, environment and files in; status and fragments of output out.
//! In every case there is one sentence on standard error, no panic, and no file but those that the case names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::devnet::Devnet;
use super::program::{Ran, medshare, run};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    name: String,
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    stdin: String,
    /// Name → content; `@name` takes it from `cases/files`.
    #[serde(default)]
    files: BTreeMap<String, String>,
    status: i32,
    #[serde(default)]
    stdout: Vec<String>,
    /// What must not be in it.
    #[serde(default)]
    stdout_lacks: Vec<String>,
    #[serde(default)]
    stderr: Vec<String>,
    /// Files that are there afterwards and were not before.
    #[serde(default)]
    creates: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The cases of all files whose names begin with `network`, or of all others.
fn cases(of_network: bool) -> Vec<(String, Case)> {
    let mut found = Vec::new();
    for entry in folder().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".toml") || name.starts_with("network") != of_network {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        found.extend(
            cases
                .case
                .into_iter()
                .map(|case| (format!("{name}: {}", case.name), case)),
        );
    }
    assert!(
        !found.is_empty(),
        "there are no cases in {}",
        folder().display()
    );
    found
}

fn check_all(of_network: bool, facts: &BTreeMap<&str, String>) {
    let mut failures = Vec::new();
    for (name, case) in cases(of_network) {
        if let Err(failure) = check(&case, facts) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn check(case: &Case, facts: &BTreeMap<&str, String>) -> Result<(), String> {
    let place = tempfile::tempdir().unwrap();
    let fill = |text: &str| {
        let mut text = text.replace("{here}", &place.path().display().to_string());
        for (name, value) in facts {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    };
    for (name, content) in &case.files {
        write(&place.path().join(name), &content_of(content, &fill));
    }
    let before = contents(place.path());
    let mut command = medshare(place.path());
    command.args(case.args.iter().map(|arg| fill(arg)));
    command.envs(case.env.iter().map(|(name, value)| (name, fill(value))));
    let ran = run(&mut command, &fill(&case.stdin));
    judge(case, &ran, &fill)?;
    let mut after = contents(place.path());
    for created in &case.creates {
        if after.remove(created).is_none() {
            return Err(format!("{created} was not written"));
        }
    }
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    if after != before {
        return Err(format!(
            "files changed: {:?}, before {:?}",
            names(&after),
            names(&before)
        ));
    }
    Ok(())
}

fn judge(case: &Case, ran: &Ran, fill: &dyn Fn(&str) -> String) -> Result<(), String> {
    if ran.status != case.status {
        return Err(format!(
            "status {} instead of {}: {ran:?}",
            ran.status, case.status
        ));
    }
    for (fragments, text) in [(&case.stdout, &ran.stdout), (&case.stderr, &ran.stderr)] {
        if let Some(missing) = fragments
            .iter()
            .find(|fragment| !text.contains(&fill(fragment)))
        {
            return Err(format!("`{missing}` is not said: {ran:?}"));
        }
    }
    let unwanted = |text: &&String| ran.stdout.contains(text.as_str());
    if let Some(found) = case.stdout_lacks.iter().find(unwanted) {
        return Err(format!("`{found}` is said: {ran:?}"));
    }
    if ran.stderr.contains("panicked") || ran.stderr.contains("RUST_BACKTRACE") {
        return Err(format!("it panicked: {}", ran.stderr));
    }
    let sentences = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("medshare: "))
        .count();
    if case.status == 1 && (sentences != 1 || ran.stderr.lines().count() != 1) {
        return Err(format!(
            "not one sentence on standard error: {}",
            ran.stderr
        ));
    }
    Ok(())
}

fn content_of(content: &str, fill: &dyn Fn(&str) -> String) -> Vec<u8> {
    match content.strip_prefix('@') {
        Some(name) => std::fs::read(folder().join("files").join(name)).unwrap(),
        None => fill(content).into_bytes(),
    }
}

fn write(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    let parent = path.parent().unwrap();
    std::fs::create_dir_all(parent).unwrap();
    // A requestor's folder has to be closed to others.
    std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Every file below, by its relative path.
fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn wrong_input_gets_one_sentence_and_leaves_nothing_behind() {
    check_all(false, &BTreeMap::new());
}

#[test]
fn wrong_input_gets_one_sentence_from_a_running_network_too() {
    let network = Devnet::start(300);
    let home = network.register("alice");
    let facts = BTreeMap::from([
        ("rpc", network.rpc()),
        ("contract", network.contract()),
        ("node", network.node()),
        ("dataset", network.dataset()),
        ("home", home.display().to_string()),
        ("custodian", network.fact("/custodians/0/address")),
        ("custodian-keystore", network.fact("/custodians/0/keystore")),
        ("governance-keystore", network.fact("/governance_keystore")),
        ("node-keystore", network.sibling_of_keystore("node.json")),
        ("passphrase-file", network.fact("/passphrase_file")),
    ]);
    check_all(true, &facts);
    network.stop();
}
